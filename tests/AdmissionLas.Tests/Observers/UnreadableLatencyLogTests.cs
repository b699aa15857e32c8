using AdmissionLas.Observers;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.Tests.Observers;

/// <summary>What an admin reads of latency labels that count as not measured.</summary>
public sealed class UnreadableLatencyLogTests
{
    readonly Lines lines = new();
    readonly ClusterState state = new(TimeProvider.System);

    public UnreadableLatencyLogTests() => new UnreadableLatencyLog(lines).Follow(state);

    [Fact]
    public void Each_node_each_location_and_each_value_is_told_by_itself()
    {
        state.Publish(new ClusterView([Node("a", ("HOME", "fast")), Node("b", ("HOME", "fast"), ("WORK", "-1"))]));
        state.Publish(new ClusterView([Node("a", ("HOME", "slow")), Node("b", ("HOME", "fast"), ("WORK", "-1"))]));

        Assert.Equal(["a HOME fast", "b HOME fast", "b WORK -1", "a HOME slow"], lines.Written);
    }

    [Fact]
    public void A_node_or_a_value_that_went_and_came_back_is_logged_again()
    {
        state.Publish(new ClusterView([Node("a", ("HOME", "fast"))]));
        state.Publish(ClusterView.Empty);
        state.Publish(new ClusterView([Node("a", ("HOME", "fast"))]));
        state.Publish(new ClusterView([Node("a", ("HOME", "1ms"))]));
        state.Publish(new ClusterView([Node("a", ("HOME", "fast"))]));

        Assert.Equal(["a HOME fast", "a HOME fast", "a HOME fast"], lines.Written);
    }

    [Fact]
    public void A_change_that_has_nothing_to_do_with_it_is_no_news()
    {
        state.Publish(new ClusterView([Node("a", ("HOME", "fast"))]));
        state.Publish(new ClusterView([Node("a", ("HOME", "fast")) with { IsCordoned = true }, Node("b", ("HOME", "1"))]));

        Assert.Single(lines.Written);
    }

    [Fact]
    public void A_node_with_more_labels_than_are_read_is_told_once()
    {
        (string, string)[] many = [.. Enumerable.Range(0, 300).Select(i => ($"L-{i:000}", "1"))];
        state.Publish(new ClusterView([Node("a", many)]));
        state.Publish(new ClusterView([Node("a", [.. many, ("M", "1")])]));

        Assert.Equal(["a 44 256"], lines.Written);
    }

    static NodeFacts Node(string name, params (string Location, string Value)[] latencies) =>
        new NodeFacts { Name = name, Labels = latencies.ToDictionary(l => LatencyLabels.Prefix + l.Location, l => l.Value) }.WithLatenciesOf(LatencyLabels.All);

    sealed class Lines : ILogger<UnreadableLatencyLog>
    {
        internal List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var values = Assert.IsAssignableFrom<IEnumerable<KeyValuePair<string, object?>>>(state).ToDictionary();
            Written.Add(values.TryGetValue("Count", out var count) ? $"{values["NodeName"]} {count} {values["Most"]}" : $"{values["NodeName"]} {values["Location"]} {values["Value"]}");
        }
    }
}
