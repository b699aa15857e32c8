using System.Globalization;
using System.Text;
using AdmissionLas.Placement;
using AdmissionLas.Webhook;
using Serilog.Events;

namespace AdmissionLas.Observers;

/// <summary>
/// The one line that a decision gets, at Information. Where machines read it, it is written as Serilog's compact formatter would, without an event
/// in between: those lines come with every review, and the event alone took longer than the decision.
/// </summary>
/// <param name="log">For people.</param>
/// <param name="levels">Whether there is a line at all.</param>
/// <param name="time">The clock.</param>
/// <param name="output">For machines; <see langword="null"/> when people read.</param>
sealed partial class DecisionLog(ILogger<DecisionLog> log, LogLevels levels, TimeProvider time, LogOutput? output = null)
{
    const string Template = "{Namespace}/{Pod} to {Node} ({Reason}): {Decision} [{Uid}]";
    const string AnyNode = "any node";

    static readonly byte[] Start = Encoding.UTF8.GetBytes($"\",\"@mt\":\"{Template}\",\"SourceContext\":\"{typeof(DecisionLog).FullName}\",\"Namespace\":");

    // One a thread, used again and again.
    [ThreadStatic]
    static RawJsonWriter? lineOfThread;

    /// <summary>Writes the line of a decision that patches its pod.</summary>
    internal void Write(AdmissionReview review, Decision decision)
    {
        if (levels.Own.MinimumLevel > LogEventLevel.Information)
        {
            return;
        }

        var (pod, node, reason) = (review.Pod!, decision.Chosen?.Name ?? AnyNode, DecisionLabels.Reason(decision));
        if (output is null)
        {
            Decided(pod.Facts.Namespace, pod.Name, node, reason, decision.Explanation, review.Uid);
            return;
        }

        var line = lineOfThread ??= new RawJsonWriter();
        line.ResetWrittenCount();
        line.Add("{\"@t\":\""u8);
        Span<byte> now = stackalloc byte[32];
        line.Add(time.GetUtcNow().UtcDateTime.TryFormat(now, out var length, "O", CultureInfo.InvariantCulture) ? now[..length] : default);
        line.Add(Start);
        line.AddText(pod.Facts.Namespace);
        line.Add(",\"Pod\":"u8);
        line.AddText(pod.Name);
        line.Add(",\"Node\":"u8);
        line.AddText(node);
        line.Add(",\"Reason\":"u8);
        line.AddText(reason);
        line.Add(",\"Decision\":"u8);
        line.AddText(decision.Explanation);
        line.Add(",\"Uid\":"u8);
        line.AddText(review.Uid);
        line.Add("}\n"u8);
        output.Add(line.WrittenSpan);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = Template)]
    partial void Decided(string @namespace, string pod, string node, string reason, string decision, string uid);
}
