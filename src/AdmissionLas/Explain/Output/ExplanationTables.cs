using Spectre.Console;

namespace AdmissionLas.Explain;

/// <summary>Explanations for people: what was decided, why every node was taken or not, how the scheduler will weigh it, what is changed.</summary>
static class ExplanationTables
{
    const string None = "-";

    /// <summary>Writes one step.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="step">The step.</param>
    /// <param name="mostNodes">How many nodes are shown at most; the chosen one and those named are the first of them.</param>
    internal static void Write(Terminal terminal, ExplainedStep step, int mostNodes)
    {
        terminal.Line($"{step.Input.Name} ({step.Input.Origin}, namespace {step.Namespace})", Terminal.Strong);
        foreach (var note in step.Input.Notes)
        {
            terminal.Line($"  note: {note}", Terminal.Faint);
        }

        if (step.Explanation is not { } explanation)
        {
            return;
        }

        var decision = explanation.Decision;
        terminal.Line(step.Sentence.Length > 0 ? step.Sentence : WhyNothing(decision), decision.Outcome == Outcome.Placed ? Terminal.Good : (Style?)null);
        foreach (var warning in step.Warnings)
        {
            terminal.Line($"  warning: {warning}", Terminal.Bad);
        }

        if (decision.Outcome == Outcome.NotAStep)
        {
            return;
        }

        if (explanation.Nodes.Count == 0)
        {
            terminal.Line("no node is known", Terminal.Bad);
            return;
        }

        terminal.Line($"asks for {Words(explanation.Request)}");
        WriteNodes(terminal, explanation, step.Text, mostNodes);
        WritePoints(terminal, explanation, step.Text, mostNodes);
        WriteDiff(terminal, step);
    }

    static string WhyNothing(Decision decision) => decision.Outcome switch
    {
        Outcome.NotAStep => $"no step of a known type ({decision.Step.TypeRule}): the pod is left as it is",
        Outcome.AlreadyDecided => "it carries a decision already: the pod is left as it is",
        Outcome.AlreadyBound => "it names its node: the pod is left as it is",
        _ => "it asks to be left alone: the pod is left as it is",
    };

    static void WriteNodes(Terminal terminal, Explanation explanation, IDecisionText text, int mostNodes)
    {
        var location = explanation.Decision.Step.Location;
        var isPinned = explanation.Decision.Required is not null;
        string[] columns = ["Node", location is null ? "Latency" : $"To {StepInput.Short(location, 24)}", "Free CPU", "Free memory", "Pods", "Verdict", "Weight"];
        var table = terminal.Table(isPinned ? [.. columns, "Pinned"] : columns);
        foreach (var node in explanation.Nodes.Take(mostNodes))
        {
            var style = node.IsChosen ? Terminal.Good : node.Now == FilterResult.CanRun ? (Style?)null : Terminal.Faint;
            Text[] cells =
            [
                Terminal.Text(Marked(terminal, node.Node.Name, node.IsChosen), style),
                Terminal.Text(node.LatencyMs is { } ms ? string.Create(CultureInfo.InvariantCulture, $"{ms:0.###} ms") : None, style),
                Terminal.Text($"{Quantity.FormatCpu(node.Free.CpuMilliOrZero)}/{Quantity.FormatCpu(node.Node.Allocatable.CpuMilliOrZero)}", style),
                Terminal.Text($"{Bytes(node.Free.MemoryBytesOrZero)}/{Bytes(node.Node.Allocatable.MemoryBytesOrZero)}", style),
                Terminal.Text(string.Create(CultureInfo.InvariantCulture, $"{node.FreePods}/{node.Node.AllocatablePods}"), style),
                Terminal.Text(VerdictOf(terminal, node, text), node.Now == FilterResult.CanRun ? style : Terminal.Bad),
                Terminal.Text(node.Weight > 0 ? node.Weight.ToString(CultureInfo.InvariantCulture) : None, style),
            ];
            table.AddRow(isPinned ? [.. cells, Terminal.Text(node.IsRequired == true ? "yes" : "no", style)] : cells);
        }

        terminal.Write(table);
        WriteMore(terminal, explanation.Nodes.Count, mostNodes);
    }

    static void WritePoints(Terminal terminal, Explanation explanation, IDecisionText text, int mostNodes)
    {
        var scored = explanation.Nodes.Where(n => n.Points is not null).OrderByDescending(n => n.Points!.Value.Total).ToArray();
        if (scored.Length == 0)
        {
            terminal.Line("no node passes the default scheduler's filters now: the pod waits");
            return;
        }

        terminal.Line("What the default scheduler will weigh (points, of those nodes that pass its filters):");
        var table = terminal.Table("Node", "Affinity", "Taints", "Fit", "Balanced", "Images", "Total");
        foreach (var node in scored.Take(mostNodes))
        {
            var points = node.Points!.Value;
            var style = explanation.Leading.Contains(node.Node) ? Terminal.Good : (Style?)null;
            table.AddRow(
            [
                Terminal.Text(Marked(terminal, node.Node.Name, style is not null), style),
                .. ((long[])[points.NodeAffinity, points.TaintToleration, points.ResourcesFit, points.BalancedAllocation, points.ImageLocality, points.Total])
                    .Select(p => Terminal.Text(p.ToString(CultureInfo.InvariantCulture), style)),
            ]);
        }

        terminal.Write(table);
        WriteMore(terminal, scored.Length, mostNodes);
        terminal.Line($"  not in it: {string.Join("; ", explanation.NotWeighed.Select(text.Describe))}", Terminal.Faint);
    }

    static void WriteDiff(Terminal terminal, ExplainedStep step)
    {
        var diff = PodDiff.Of(step.Input.Pod, step.Patched);
        terminal.Line(diff.Count == 0 ? "the pod is not changed" : "What the webhook changes:");
        foreach (var line in diff)
        {
            terminal.Verbatim(line, line[0] switch { '+' => Terminal.Good, '-' => Terminal.Bad, '@' => Terminal.Faint, _ => (Style?)null });
        }
    }

    static void WriteMore(Terminal terminal, int nodes, int shown)
    {
        if (nodes > shown)
        {
            terminal.Line(string.Create(CultureInfo.InvariantCulture, $"  and {nodes - shown} more"), Terminal.Faint);
        }
    }

    static string VerdictOf(Terminal terminal, ExplainedNode node, IDecisionText text) =>
        $"{(node.Now is { } result ? text.Describe(result) : ExplanationWriter.NotFiltered)}{(node.IsFullNow ? " now" : "")}{(node.IsAvoided ? ", avoided for its taint" : "")}{(node.IsChosen && !terminal.IsTerminal ? ", chosen" : "")}";

    // A pipe's reader wants names alone in their column.
    static string Marked(Terminal terminal, string name, bool isMarked) => !terminal.IsTerminal ? name : isMarked ? $"> {name}" : $"  {name}";

    static string Words(Resources request) =>
        request.CpuMilli is null && request.MemoryBytes is null && request.Other is null or [] ? "nothing"
        : string.Join(", ", (string[])[
            .. request.CpuMilli is { } cpu ? [$"{Quantity.FormatCpu(cpu)} CPU"] : Array.Empty<string>(),
            .. request.MemoryBytes is { } memory ? [$"{Bytes(memory)} memory"] : Array.Empty<string>(),
            .. (request.Other ?? []).Select(o => string.Create(CultureInfo.InvariantCulture, $"{o.Amount} {o.Name}"))]);

    // To read, not to reckon with: 3.7Gi.
    static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.#}Gi"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.#}Mi"),
        _ => Quantity.FormatBytes(bytes),
    };
}
