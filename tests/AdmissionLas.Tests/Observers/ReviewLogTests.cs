using AdmissionLas.Observers;
using AdmissionLas.Webhook;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.Tests.Observers;

/// <summary>Lines about reviews whose text is endless, at the log itself: whatever reads reviews, no line is.</summary>
public sealed class ReviewLogTests
{
    const int LongestLine = 16_384;

    static readonly string Endless = new('x', 2_900_000);

    readonly Lines lines = new();

    [Fact]
    public void Each_line_is_bounded()
    {
        var log = new ReviewLog(new LogThrottle(TimeProvider.System), lines);
        var review = new AdmissionReview { ApiVersion = "admission.k8s.io/v1", Uid = Endless, PodIsUnreadable = true, SkipReason = Endless };

        log.Answered(EndlessDecision());
        log.Answered(new ReviewObservation(ReviewResult.Skipped(review), TimeSpan.Zero, 1));
        log.Answered(new ReviewObservation(ReviewResult.Failed(review, new ArgumentException(Endless)), TimeSpan.Zero, 1));
        log.Refused(new RefusedRequest(400, "not-a-review", Endless, Endless));

        Assert.Equal(4, lines.Written.Count);
        Assert.All(lines.Written, line => Assert.InRange(line.Length, 100, LongestLine));
    }

    [Fact]
    public void So_is_the_line_for_machines()
    {
        using var written = new MemoryStream();
        using (var output = new LogOutput(new Serilog.Formatting.Compact.CompactJsonFormatter(), written))
        {
            new ReviewLog(new LogThrottle(TimeProvider.System), lines, new DecisionLines(output, TimeProvider.System)).Answered(EndlessDecision());
        }

        Assert.InRange(written.Length, 100, LongestLine);
        Assert.StartsWith("xxx", $"{JsonNode.Parse(written.ToArray())!["Pod"]}", StringComparison.Ordinal);
    }

    [Fact]
    public void A_usual_fault_is_logged_as_it_is()
    {
        var fault = new ArgumentException("a word");

        Assert.Same(fault, ReviewText.Fault(fault));
    }

    static ReviewObservation EndlessDecision() => Observations.Of(Testbed.View.Decide(Pods.Predict(Endless)), Endless, ns: Endless, uid: Endless);

    sealed class Lines : ILogger<ReviewLog>
    {
        internal List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add($"{formatter(state, exception)}{exception}");
    }
}
