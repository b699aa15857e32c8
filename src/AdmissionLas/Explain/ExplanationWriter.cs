namespace AdmissionLas.Explain;

/// <summary>
/// Explanations as JSON: one shape for <c>--output json</c> and the web page. Latencies are milliseconds, quantities are Kubernetes'.
/// </summary>
static class ExplanationWriter
{
    /// <summary>What stands for the verdict on a node where the pod is too complex to be compared.</summary>
    internal const string NotFiltered = "not judged";

    /// <summary>Writes an object with <c>steps</c>, <c>problems</c>, <c>passedOver</c> and <c>notices</c>.</summary>
    internal static void Write(Utf8JsonWriter json, IReadOnlyList<ExplainedStep> steps, StepInputs inputs, IReadOnlyList<string>? notices = null)
    {
        json.WriteStartObject();
        json.WriteStartArray("steps");
        // One after the other: all of them with all their nodes would take much memory at once.
        foreach (var step in steps)
        {
            Of(step).WriteTo(json);
        }

        json.WriteEndArray();
        Write("problems", Of([.. inputs.Problems, .. steps.Select(s => s.Fault).OfType<InputProblem>()]));
        Write("passedOver", Of(inputs.PassedOver));
        Write("notices", Texts(notices ?? []));
        json.WriteEndObject();

        void Write(string name, JsonArray array)
        {
            json.WritePropertyName(name);
            array.WriteTo(json);
        }
    }

    static JsonObject Of(ExplainedStep step)
    {
        var written = new JsonObject
        {
            ["name"] = step.Input.Name,
            ["origin"] = step.Input.Origin,
            ["namespace"] = step.Namespace,
            ["line"] = step.Input.Line,
            ["notes"] = Texts(step.Input.Notes),
        };
        if (step.Explanation is { Decision: var decision } explanation)
        {
            written["step"] = new JsonObject
            {
                ["type"] = decision.Step.Type,
                ["rule"] = decision.Step.TypeRule,
                ["location"] = decision.Step.Location,
                ["locationRule"] = decision.Step.LocationRule,
            };
            written["outcome"] = decision.Outcome.ToString();
            written["mode"] = decision.Mode.ToString();
            written["decision"] = step.Sentence;
            written["warnings"] = Texts(step.Warnings);
            written["chosen"] = decision.Chosen?.Name;
            written["hasRoom"] = decision.HasRoom;
            written["request"] = Amounts(explanation.Request);
            written["nodes"] = new JsonArray([.. explanation.Nodes.Select(n => Of(n, step.Text))]);
            written["leading"] = Texts(explanation.Leading.Select(n => n.Name));
            written["notWeighed"] = Texts(explanation.NotWeighed.Select(step.Text.Describe));
            written["patch"] = step.Patch?.DeepClone();
            written["diff"] = Texts(PodDiff.Of(step.Input.Pod, step.Patched));
        }

        return written;
    }

    static JsonObject Of(ExplainedNode node, IDecisionText text) => new()
    {
        ["name"] = node.Node.Name,
        ["latencyMs"] = node.LatencyMs,
        ["verdict"] = node.Now is { } result ? text.Describe(result) : NotFiltered,
        ["canRunNow"] = node.Now is { } now ? now == FilterResult.CanRun : null,
        ["couldEverRun"] = node.Ever is { } ever ? ever == FilterResult.CanRun : null,
        ["avoided"] = node.IsAvoided,
        ["chosen"] = node.IsChosen,
        ["weight"] = node.Weight,
        ["required"] = node.IsRequired,
        ["free"] = Amounts(node.Free, node.FreePods),
        ["allocatable"] = Amounts(node.Node.Allocatable, node.Node.AllocatablePods),
        ["points"] = node.Points is not { } points ? null : new JsonObject
        {
            ["nodeAffinity"] = points.NodeAffinity,
            ["taintToleration"] = points.TaintToleration,
            ["resourcesFit"] = points.ResourcesFit,
            ["balancedAllocation"] = points.BalancedAllocation,
            ["imageLocality"] = points.ImageLocality,
            ["total"] = points.Total,
        },
    };

    static JsonObject Amounts(Resources amounts, long? pods = null)
    {
        var written = new JsonObject
        {
            ["cpu"] = Quantity.FormatCpu(amounts.CpuMilliOrZero),
            ["memory"] = Quantity.FormatBytes(amounts.MemoryBytesOrZero),
        };
        foreach (var (other, amount) in amounts.Other ?? [])
        {
            written[other] = amount;
        }

        if (pods is not null)
        {
            written["pods"] = pods;
        }

        return written;
    }

    static JsonArray Of(IEnumerable<InputProblem> problems) =>
        new([.. problems.Select(p => new JsonObject { ["line"] = p.Line, ["message"] = p.Message, ["advice"] = p.Advice })]);

    static JsonArray Texts(IEnumerable<string> texts) => new([.. texts]);
}
