namespace AdmissionLas.Observers;

/// <summary>
/// Text of a review, as far as it is worth repeating or keeping. Nothing has validated a pod under review, and any caller can send one: without bounds a
/// name of megabytes would be a log line of megabytes.
/// </summary>
static class ReviewText
{
    // No name or label that Kubernetes accepts is longer; what is longer comes from a pod that it will refuse.
    const int LongestName = 253;
    const int LongestSentence = 2048;
    const int LongestFault = 8192;

    /// <summary>A name, a uid or the value of a label.</summary>
    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(text))]
    internal static string? Name(string? text) => text is null ? null : PlainText.Cut(text, LongestName);

    /// <summary>A decision, a warning or the reason of a refusal in words.</summary>
    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(text))]
    internal static string? Sentence(string? text) => text is null ? null : PlainText.Cut(text, LongestSentence);

    /// <summary>An exception as it is, unless its message repeats a large part of the review.</summary>
    internal static Exception Fault(Exception fault) =>
        fault.ToString() is { Length: > LongestFault } text ? new InvalidOperationException(PlainText.Cut(text, LongestFault)) : fault;
}
