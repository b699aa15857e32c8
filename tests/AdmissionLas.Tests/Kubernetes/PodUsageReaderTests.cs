using System.Text.Json;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>What a pod uses of a node, as the API server sends it.</summary>
public sealed class PodUsageReaderTests
{
    [Fact]
    public void A_bound_pod_uses_what_the_scheduler_counts_it_as()
    {
        var usage = Read("""
            {
              "metadata": { "uid": "u" },
              "spec": {
                "nodeName": "near", "overhead": { "cpu": "250m" },
                "initContainers": [
                  { "restartPolicy": "Always", "resources": { "requests": { "cpu": "1" } } },
                  { "resources": { "requests": { "cpu": "2", "memory": "8Gi" } } }
                ],
                "containers": [ { "resources": { "requests": { "cpu": "500m", "memory": "1Gi" }, "limits": { "nvidia.com/gpu": "1" } } } ]
              },
              "status": { "phase": "Running" }
            }
            """)!;

        Assert.Equal(("u", "near", false, null), (usage.Uid, usage.Node, usage.IsUnschedulable, usage.Review));
        Assert.Equal((3250L, Amounts.Memory("8Gi"), 1L), (usage.Request.CpuMilli, usage.Request.MemoryBytes, usage.Request.AmountOf(Nodes.Gpu)));
    }

    [Fact]
    public void The_request_of_the_pod_as_a_whole_takes_the_place_of_its_containers() =>
        Assert.Equal(4000, Read("""
            { "metadata": { "uid": "u" }, "spec": { "nodeName": "n", "resources": { "requests": { "cpu": "4" } }, "containers": [ { "resources": { "requests": { "cpu": "1" } } } ] } }
            """)!.Request.CpuMilli);

    [Fact]
    public void A_waiting_pod_that_we_placed_uses_the_chosen_node()
    {
        var usage = Read(Waiting("""{ "phase": "Pending" }"""))!;

        Assert.Equal(("near", false, "review"), (usage.Node, usage.IsUnschedulable, usage.Review));
    }

    [Fact]
    public void A_bound_pod_uses_the_node_it_is_bound_to_and_not_the_chosen_one()
    {
        var usage = Read(Waiting("{}").Replace("\"containers\"", "\"nodeName\": \"far\", \"containers\"", StringComparison.Ordinal))!;

        Assert.Equal(("far", false, "review"), (usage.Node, usage.IsUnschedulable, usage.Review));
    }

    [Theory]
    [InlineData("Unschedulable", true)]
    [InlineData("SchedulingGated", true)]
    [InlineData("SchedulerError", false)]
    public void A_waiting_pod_says_whether_the_scheduler_found_no_node_for_it(string reason, bool isUnschedulable)
    {
        var usage = Read(Waiting($$"""{ "conditions": [ 7, { "type": "PodScheduled", "status": "False", "reason": "{{reason}}" } ] }"""))!;

        Assert.Equal(("near", isUnschedulable), (usage.Node, usage.IsUnschedulable));
    }

    [Theory]
    [InlineData("""{ "metadata": { "uid": "u" }, "spec": { "nodeName": "n" }, "status": { "phase": "Succeeded" } }""")]
    [InlineData("""{ "metadata": { "uid": "u" }, "spec": { "nodeName": "n" }, "status": { "phase": "Failed" } }""")]
    [InlineData("""{ "metadata": { "uid": "u" }, "spec": { "containers": [] } }""")]
    [InlineData("""{ "metadata": { "uid": "u", "annotations": { "admissionlas.io/assumed": "no slash" } }, "spec": {} }""")]
    [InlineData("""{ "metadata": { "uid": "u", "annotations": { "admissionlas.io/assumed": "/review" } }, "spec": {} }""")]
    [InlineData("""{ "metadata": { "uid": "u", "annotations": { "admissionlas.io/assumed": 7 } }, "spec": {} }""")]
    // Gated: it may wait for hours.
    [InlineData("""{ "metadata": { "uid": "u", "annotations": { "admissionlas.io/assumed": "near/review" } }, "spec": { "schedulingGates": [ { "name": "queue" } ] } }""")]
    [InlineData("""{ "metadata": { "uid": 7 }, "spec": { "nodeName": "\ud800" } }""")]
    [InlineData("""{ "spec": { "nodeName": "n" } }""")]
    [InlineData("[]")]
    public void Everything_else_uses_nothing(string pod) => Assert.Null(Read(pod));

    [Fact]
    public void Odd_containers_count_as_nothing() =>
        Assert.Equal(500, Read("""
            { "metadata": { "uid": "u" }, "spec": { "nodeName": "n", "containers": [ 7, null, { "resources": [] }, { "resources": { "requests": { "cpu": "much" } } }, { "resources": { "requests": { "cpu": "0.5" } } } ] } }
            """)!.Request.CpuMilli);

    static string Waiting(string status) =>
        $$"""{ "metadata": { "uid": "u", "annotations": { "admissionlas.io/assumed": "near/review" } }, "spec": { "containers": [] }, "status": {{status}} }""";

    static PodUsage? Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return PodUsageReader.Read(document.RootElement);
    }
}
