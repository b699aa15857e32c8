using AdmissionLas.Kubernetes;
using AdmissionLas.Observers;
using AdmissionLas.Placement;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace AdmissionLas.Tests.Kubernetes;

public sealed class ReadingTests
{
    [Fact]
    public void Of_a_node_what_placement_needs_is_read()
    {
        var node = Assert.Single(Nodes("""
            apiVersion: v1
            kind: Node
            metadata:
              name: edge
              labels: { kubernetes.io/hostname: edge-host, HOME: "0.8", WORK: 9ms, latency.admissionlas.io/CLOUD: 1.5 }
            spec:
              unschedulable: true
              taints: [{ key: gpu, value: "yes", effect: NoSchedule }, { key: odd, effect: Whatever }]
            status:
              allocatable: { cpu: 1930m, memory: 4G, pods: 110, nvidia.com/gpu: "2", ephemeral-storage: 10Gi }
              conditions: [{ type: MemoryPressure, status: "False" }, { type: Ready, status: "True" }]
            """));

        Assert.Equal("edge", node.Name);
        Assert.Equal("edge-host", node.Hostname);
        Assert.Equal(1.5, node.Latencies.Known.Single(m => m.Location == "CLOUD").LatencyMs);
        Assert.Equal(0.8, node.Latencies.Known.Single(m => m.Location == "HOME").LatencyMs);
        Assert.True(node.IsCordoned);
        Assert.True(node.IsReady);
        Assert.Equal([new Taint("gpu", "yes", TaintEffect.NoSchedule)], node.Taints);
        Assert.Equal((1930, 4_000_000_000), (node.Allocatable.CpuMilli, node.Allocatable.MemoryBytes));
        Assert.Equal(2, node.Allocatable.AmountOf("nvidia.com/gpu"));
        Assert.Equal(110, node.AllocatablePods);
    }

    [Theory]
    [InlineData("""{ "kind": "Node", "metadata": { "name": "n" } }""")]
    [InlineData("""{ "kind": "Node", "metadata": { "name": "n", "labels": [] }, "spec": 1, "status": "ok" }""")]
    [InlineData("""{ "kind": "Node", "metadata": { "name": "n" }, "spec": { "taints": {}, "unschedulable": "no" }, "status": { "conditions": [1, {}], "allocatable": [] } }""")]
    public void What_is_missing_or_of_a_wrong_type_counts_as_absent(string json)
    {
        var node = Assert.Single(Nodes(json));

        Assert.Equal(new NodeFacts { Name = "n" }, node);
    }

    [Fact]
    public void Lists_and_many_documents_are_read_and_other_kinds_passed_over()
    {
        var nodes = Nodes("""
            apiVersion: v1
            kind: List
            items: [{ kind: Node, metadata: { name: a } }, { kind: Pod, metadata: { name: p } }]
            ---
            kind: Node
            metadata: { name: b }
            """);

        Assert.Equal(["a", "b"], nodes.Select(n => n.Name));
    }

    [Theory]
    [InlineData("plain: 1", "1")]
    [InlineData("plain: 1.5", "1.5")]
    [InlineData("plain: true", "true")]
    [InlineData("plain: null", "null")]
    [InlineData("plain: ~", "null")]
    [InlineData("plain: 0.8ms", "\"0.8ms\"")]
    [InlineData("plain: \"1\"", "\"1\"")]
    [InlineData("plain: 'true'", "\"true\"")]
    [InlineData("plain: 1e", "\"1e\"")]
    [InlineData("plain: NaN", "\"NaN\"")]
    public void Scalars_have_the_types_of_the_core_schema(string yaml, string json)
    {
        using var reader = new StringReader(yaml);

        Assert.Equal(json, YamlJson.ReadObjects(reader)[0].GetProperty("plain").GetRawText());
    }

    [Fact]
    public void Text_that_is_no_yaml_is_told_with_its_place()
    {
        using var reader = new StringReader("a: 1\nb: [1");

        Assert.Contains("line ", Assert.Throws<InvalidDataException>(() => YamlJson.ReadObjects(reader)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_age_of_the_view_is_the_time_since_the_api_server_was_last_heard()
    {
        var time = new FakeTimeProvider();
        var state = new ClusterState(time);
        Assert.Null(state.Age);

        time.Advance(TimeSpan.FromSeconds(1));
        state.NoteContact();
        time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(TimeSpan.FromSeconds(5), state.Age);
    }

    [Fact]
    public void A_latency_that_cannot_be_read_is_logged_once_for_each_node_and_value()
    {
        var lines = new List<string>();
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(new Lines(lines)));
        var state = new ClusterState(TimeProvider.System);
        new UnreadableLatencyLog(factory.CreateLogger<UnreadableLatencyLog>()).Follow(state);

        state.Publish(With("fast"));
        state.Publish(With("fast"));
        Assert.Single(lines);
        state.Publish(With("faster"));
        state.Publish(With("1ms"));
        state.Publish(With("fast"));

        Assert.Equal(3, lines.Count);
        Assert.All(lines, line => Assert.Contains("edge", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Of_a_flood_of_refusals_one_line_a_minute_and_reason_is_logged_and_the_rest_counted()
    {
        var time = new FakeTimeProvider();
        var throttle = new LogThrottle(time);

        Assert.True(throttle.Allows("a", out var suppressed));
        Assert.True(throttle.Allows("b", out _));
        for (var i = 0; i < 99; i++)
        {
            Assert.False(throttle.Allows("a", out _));
        }

        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(throttle.Allows("a", out suppressed));
        Assert.Equal(99, suppressed);
        Assert.False(throttle.Allows("a", out _));
    }

    static ClusterView With(string latency) =>
        new([new NodeFacts { Name = "edge", Labels = new Dictionary<string, string> { [LatencyLabels.Prefix + "HOME"] = latency } }.WithLatenciesOf(LatencyLabels.Instance)]);

    static IReadOnlyList<NodeFacts> Nodes(string yaml)
    {
        using var reader = new StringReader(yaml);
        return YamlJson.ReadNodes(reader);
    }

    sealed class Lines(List<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Add(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
