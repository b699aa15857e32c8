namespace AdmissionLas.Explain;

/// <summary>
/// Explanations as JSON: one shape for <c>--output json</c> and the web page. Latencies are milliseconds, quantities are Kubernetes'.
/// </summary>
static class ExplanationWriter
{
    /// <summary>What stands for the verdict on a node where the pod is too complex to be compared.</summary>
    internal const string NotFiltered = "not judged";

    /// <summary>Writes an object with <c>steps</c>, <c>problems</c> and <c>passedOver</c>.</summary>
    internal static void Write(Utf8JsonWriter json, IReadOnlyList<ExplainedStep> steps, StepInputs inputs, IReadOnlyList<string>? notices = null)
    {
        json.WriteStartObject();
        json.WriteStartArray("steps");
        foreach (var step in steps)
        {
            Write(json, step);
        }

        json.WriteEndArray();
        WriteProblems(json, "problems", [.. inputs.Problems, .. steps.Select(s => s.Fault).OfType<InputProblem>()]);
        WriteProblems(json, "passedOver", inputs.PassedOver);
        WriteTexts(json, "notices", notices ?? []);
        json.WriteEndObject();
    }

    /// <summary>Writes one step.</summary>
    internal static void Write(Utf8JsonWriter json, ExplainedStep step)
    {
        json.WriteStartObject();
        json.WriteString("name", step.Input.Name);
        json.WriteString("origin", step.Input.Origin);
        json.WriteString("namespace", step.Namespace);
        json.WriteNumber("line", step.Input.Line);
        WriteTexts(json, "notes", step.Input.Notes);
        if (step.Explanation is { } explanation)
        {
            Write(json, step, explanation);
            json.WritePropertyName("patch");
            if (step.Patch is { } patch)
            {
                patch.WriteTo(json);
            }
            else
            {
                json.WriteNullValue();
            }

            WriteTexts(json, "diff", PodDiff.Of(step.Input.Pod, step.Patched));
        }

        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, ExplainedStep step, Explanation explanation)
    {
        var decision = explanation.Decision;
        json.WriteStartObject("step");
        json.WriteString("type", decision.Step.Type);
        json.WriteString("rule", decision.Step.TypeRule);
        json.WriteString("location", decision.Step.Location);
        json.WriteString("locationRule", decision.Step.LocationRule);
        json.WriteEndObject();
        json.WriteString("outcome", decision.Outcome.ToString());
        json.WriteString("mode", decision.Mode.ToString());
        json.WriteString("decision", step.Sentence);
        WriteTexts(json, "warnings", step.Warnings);
        json.WriteString("chosen", decision.Chosen?.Name);
        json.WriteBoolean("hasRoom", decision.ReservesCapacity);
        WriteAmounts(json, "request", explanation.Request, null);
        json.WriteStartArray("nodes");
        foreach (var node in explanation.Nodes)
        {
            Write(json, node, step.Text);
        }

        json.WriteEndArray();
        WriteTexts(json, "leading", explanation.Leading.Select(n => n.Name));
        WriteTexts(json, "notWeighed", explanation.NotWeighed.Select(step.Text.Describe));
    }

    static void Write(Utf8JsonWriter json, ExplainedNode node, IDecisionText text)
    {
        json.WriteStartObject();
        json.WriteString("name", node.Node.Name);
        WriteNumber(json, "latencyMs", node.LatencyMs);
        json.WriteString("verdict", node.Now is { } result ? text.Describe(result) : NotFiltered);
        WriteFlag(json, "canRunNow", node.Now is { } now ? now == FilterResult.CanRun : null);
        WriteFlag(json, "couldEverRun", node.Ever is { } ever ? ever == FilterResult.CanRun : null);
        json.WriteBoolean("avoided", node.IsAvoided);
        json.WriteBoolean("chosen", node.IsChosen);
        json.WriteNumber("weight", node.Weight);
        WriteFlag(json, "required", node.IsRequired);
        WriteAmounts(json, "free", node.Free, node.FreePods);
        WriteAmounts(json, "allocatable", node.Node.Allocatable, node.Node.AllocatablePods);
        if (node.Points is { } points)
        {
            json.WriteStartObject("points");
            json.WriteNumber("nodeAffinity", points.NodeAffinity);
            json.WriteNumber("taintToleration", points.TaintToleration);
            json.WriteNumber("leastAllocated", points.LeastAllocated);
            json.WriteNumber("balancedAllocation", points.BalancedAllocation);
            json.WriteNumber("imageLocality", points.ImageLocality);
            json.WriteNumber("total", points.Total);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("points");
        }

        json.WriteEndObject();
    }

    static void WriteAmounts(Utf8JsonWriter json, string name, Resources amounts, long? pods)
    {
        json.WriteStartObject(name);
        json.WriteString("cpu", Quantity.FormatCpu(amounts.CpuMilliOrZero));
        json.WriteString("memory", Quantity.FormatBytes(amounts.MemoryBytesOrZero));
        foreach (var (other, amount) in amounts.Other ?? [])
        {
            json.WriteNumber(other, amount);
        }

        if (pods is { } count)
        {
            json.WriteNumber("pods", count);
        }

        json.WriteEndObject();
    }

    static void WriteProblems(Utf8JsonWriter json, string name, IReadOnlyList<InputProblem> problems)
    {
        json.WriteStartArray(name);
        foreach (var problem in problems)
        {
            json.WriteStartObject();
            WriteNumber(json, "line", problem.Line);
            json.WriteString("message", problem.Message);
            json.WriteString("advice", problem.Advice);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    static void WriteNumber(Utf8JsonWriter json, string name, double? number)
    {
        if (number is { } value)
        {
            json.WriteNumber(name, value);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    static void WriteFlag(Utf8JsonWriter json, string name, bool? flag)
    {
        if (flag is { } value)
        {
            json.WriteBoolean(name, value);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
