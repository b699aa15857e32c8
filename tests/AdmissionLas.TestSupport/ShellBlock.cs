using System.Text.RegularExpressions;

namespace AdmissionLas.TestSupport;

/// <summary>Where the commands of a shell block run.</summary>
public enum RunsIn
{
    /// <summary>Its fence does not say: a fault of the document.</summary>
    Unsaid,

    /// <summary>Nowhere, for the reason that its fence states.</summary>
    Nowhere,

    /// <summary>A fresh clone, without a cluster.</summary>
    Clone,

    /// <summary>A fresh clone, where it brings up a control plane of its own.</summary>
    CloneWithOwnCluster,

    /// <summary>A control plane with nodes and the webhook registered.</summary>
    Cluster,

    /// <summary>A control plane with nodes, but without the webhook.</summary>
    BareCluster,
}

/// <summary>A shell block of a document: the commands that a reader is to type.</summary>
/// <param name="Document">The document's path in the repository.</param>
/// <param name="Line">The line of its fence, from 1.</param>
/// <param name="RunsIn">Where it runs, as the words after <c>sh</c> on its fence say.</param>
/// <param name="Reason">Why it does not run; the words as they are where they are not understood.</param>
/// <param name="Script">The commands.</param>
/// <param name="Printed">What they print, where a block <c>text printed</c> follows at once.</param>
public sealed partial record ShellBlock(string Document, int Line, RunsIn RunsIn, string Reason, string Script, string? Printed)
{
    /// <summary>What a fence may say.</summary>
    public static IReadOnlyDictionary<string, RunsIn> Words { get; } = new Dictionary<string, RunsIn>
    {
        ["run in a clone"] = RunsIn.Clone,
        ["run in a clone, with a cluster of its own"] = RunsIn.CloneWithOwnCluster,
        ["run on a cluster"] = RunsIn.Cluster,
        ["run on a bare cluster"] = RunsIn.BareCluster,
    };

    const string NotRun = "not run: ";

    /// <summary>The shell blocks of a document.</summary>
    /// <param name="document">Its path in the repository.</param>
    /// <param name="text">Its text.</param>
    public static ShellBlock[] Of(string document, string text) => [.. Fenced().Matches(text).Select(block =>
    {
        var words = block.Groups["words"].Value.Trim();
        var runsIn = Words.GetValueOrDefault(words, words.Length > NotRun.Length && words.StartsWith(NotRun, StringComparison.Ordinal) ? RunsIn.Nowhere : RunsIn.Unsaid);
        return new ShellBlock(
            document,
            text.AsSpan(0, block.Index).Count('\n') + 1,
            runsIn,
            runsIn == RunsIn.Nowhere ? words[NotRun.Length..] : words,
            block.Groups["script"].Value,
            block.Groups["printed"] is { Success: true } printed ? printed.Value : null);
    })];

    /// <inheritdoc/>
    public override string ToString() => $"{Document}:{Line}";

    [GeneratedRegex("""^```(sh|bash|shell|console)\b(?<words>[^\n]*)\n(?<script>.*?)^```\n(\s*^```text printed\n(?<printed>.*?)^```$)?""", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fenced();
}
