// This folder exists for speed alone: LogOutput.cs says what it saves.
namespace AdmissionLas.Observers;

/// <summary>
/// The log line of a decision for machines, written as Serilog's compact formatter would write it but without an event in between: these lines
/// come with every review, and the event alone takes longer than the decision.
/// </summary>
sealed class DecisionLines(LogOutput output, TimeProvider time)
{
    static readonly byte[] Template = Encoding.UTF8.GetBytes(ReviewLog.DecisionTemplate);
    static readonly byte[] Source = Encoding.UTF8.GetBytes(typeof(ReviewLog).FullName!);

    // One a thread, used for one line after the other.
    [ThreadStatic]
    static JsonBuffer? bufferOfThread;

    /// <summary>Writes a line.</summary>
    internal void Write(string @namespace, string pod, string node, string reason, string decision, string uid)
    {
        var buffer = bufferOfThread ??= new JsonBuffer(1024);
        var json = buffer.Begin();
        json.WriteStartObject();
        json.WriteString("@t"u8, time.GetUtcNow().UtcDateTime);
        json.WriteString("@mt"u8, Template);
        json.WriteString("SourceContext"u8, Source);
        json.WriteString("Namespace"u8, @namespace);
        json.WriteString("Pod"u8, pod);
        json.WriteString("Node"u8, node);
        json.WriteString("Reason"u8, reason);
        json.WriteString("Decision"u8, decision);
        json.WriteString("Uid"u8, uid);
        json.WriteEndObject();
        json.Flush();
        output.AddLine(buffer.Written.Span);
    }
}
