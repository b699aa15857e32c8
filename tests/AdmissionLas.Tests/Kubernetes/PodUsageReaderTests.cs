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

        Assert.Equal(("u", "near", null, null), (usage.Uid, usage.Node, usage.WaitingSince, usage.Review));
        Assert.Equal((3250L, Amounts.Memory("8Gi"), 1L), (usage.Request.CpuMilli, usage.Request.MemoryBytes, usage.Request.AmountOf(Nodes.Gpu)));
    }

    // https://github.com/kubernetes/kubernetes/blob/master/pkg/scheduler/util/pod_resources.go
    [Theory]
    [InlineData("{}", 100, "200Mi")]
    [InlineData("""{ "requests": { "cpu": "1" } }""", 1000, "200Mi")]
    [InlineData("""{ "requests": { "cpu": "0", "memory": "0" } }""", 0, "0")]
    public void For_scores_a_container_without_requests_counts_as_a_small_one(string resources, long cpuMilli, string memory)
    {
        var usage = Read($$"""{ "metadata": { "uid": "u" }, "spec": { "nodeName": "n", "containers": [ { "resources": {{resources}} } ] } }""")!;

        Assert.Equal((cpuMilli, Amounts.Memory(memory)), (usage.Scored.CpuMilliOrZero, usage.Scored.MemoryBytesOrZero));
    }

    [Fact]
    public void The_request_of_the_pod_as_a_whole_takes_the_place_of_its_containers() =>
        Assert.Equal(4000, Read("""
            { "metadata": { "uid": "u" }, "spec": { "nodeName": "n", "resources": { "requests": { "cpu": "4" } }, "containers": [ { "resources": { "requests": { "cpu": "1" } } } ] } }
            """)!.Request.CpuMilli);

    // https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/: what it should have, what it has, and what the node promised it.
    [Theory]
    [InlineData("""{ "containerStatuses": [ { "name": "c" } ] }""", 2000)]
    [InlineData("""{ "containerStatuses": [ { "name": "c", "allocatedResources": { "cpu": "9" } } ] }""", 2000)]
    [InlineData("""{ "containerStatuses": [ { "name": "other", "resources": { "requests": { "cpu": "9" } } } ] }""", 2000)]
    [InlineData("""{ "containerStatuses": [ { "name": "c", "resources": { "requests": { "cpu": "1" } }, "allocatedResources": { "cpu": "1" } } ] }""", 2000)]
    [InlineData("""{ "containerStatuses": [ { "name": "c", "resources": { "requests": { "cpu": "3" } }, "allocatedResources": { "cpu": "1" } } ] }""", 3000)]
    [InlineData("""{ "containerStatuses": [ { "name": "c", "resources": { "requests": { "cpu": "1" } }, "allocatedResources": { "cpu": "3" } } ] }""", 3000)]
    [InlineData("""{ "containerStatuses": [ { "name": "c", "resources": {}, "allocatedResources": { "cpu": "3" } } ] }""", 3000)]
    // The node has no room for it, and waits for it, or never will have.
    [InlineData("""{ "conditions": [ { "type": "PodResizePending", "reason": "Deferred" } ], "containerStatuses": [ { "name": "c", "resources": { "requests": { "cpu": "1" } } } ] }""", 2000)]
    [InlineData("""{ "conditions": [ { "type": "PodResizePending", "reason": "Infeasible" } ], "containerStatuses": [ { "name": "c", "resources": { "requests": { "cpu": "1" } } } ] }""", 1000)]
    [InlineData("""{ "conditions": [ { "type": "Ready", "reason": "Infeasible" } ], "containerStatuses": [ { "name": "c", "resources": { "requests": { "cpu": "1" } } } ] }""", 2000)]
    [InlineData("""{ "conditions": 7, "containerStatuses": [ 7, { "name": 7 }, { "name": "c" }, { "name": "c" } ] }""", 2000)]
    public void A_container_that_is_resized_counts_as_the_most_of_these(string status, long cpuMilli)
    {
        var usage = Read($$"""
            { "metadata": { "uid": "u" }, "status": {{status}}, "spec": { "nodeName": "n", "containers": [ { "name": "c", "resources": { "requests": { "cpu": "2" }, "limits": { "cpu": "8" } } } ] } }
            """)!;

        Assert.Equal((cpuMilli, cpuMilli), (usage.Request.CpuMilli, usage.Scored.CpuMilli));
    }

    // Of init containers only those that go on running are resized.
    [Theory]
    [InlineData("""{ "restartPolicy": "Always", """, 5000)]
    [InlineData("{ ", 2000)]
    public void A_sidecar_is_resized_as_an_app_container_is(string container, long cpuMilli) =>
        Assert.Equal(cpuMilli, Read($$"""
            {
              "metadata": { "uid": "u" },
              "spec": {
                "nodeName": "n", "initContainers": [ {{container}} "name": "i", "resources": { "requests": { "cpu": "1" } } } ],
                "containers": [ { "name": "c", "resources": { "requests": { "cpu": "2" } } } ]
              },
              "status": { "initContainerStatuses": [ { "name": "i", "resources": { "requests": { "cpu": "3" } } } ] }
            }
            """)!.Request.CpuMilli);

    [Theory]
    [InlineData("{}", 4000)]
    [InlineData("""{ "resources": { "requests": { "cpu": "6", "memory": "9Gi" } }, "allocatedResources": { "cpu": "5" } }""", 6000)]
    [InlineData("""{ "resources": { "requests": { "cpu": "1" } }, "allocatedResources": { "cpu": "2" } }""", 4000)]
    [InlineData("""{ "conditions": [ { "type": "PodResizePending", "reason": "Infeasible" } ], "resources": { "requests": { "cpu": "1" } }, "allocatedResources": { "cpu": "2" } }""", 2000)]
    public void The_request_of_the_pod_as_a_whole_is_resized_too_where_it_states_one(string status, long cpuMilli)
    {
        var usage = Read($$"""
            {
              "metadata": { "uid": "u" }, "status": {{status}},
              "spec": { "nodeName": "n", "resources": { "requests": { "cpu": "4" } }, "containers": [ { "name": "c", "resources": { "requests": { "cpu": "1", "memory": "1Gi" } } } ] }
            }
            """)!;

        Assert.Equal((cpuMilli, Amounts.Memory("1Gi")), (usage.Request.CpuMilli, usage.Request.MemoryBytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"schedulerName\": \"\",")]
    [InlineData("\"schedulerName\": \"default-scheduler\", \"schedulingGates\": [],")]
    public void A_waiting_pod_that_we_placed_uses_the_chosen_node(string members)
    {
        var usage = Read(Waiting(members))!;

        Assert.Equal(("near", Created, "review"), (usage.Node, usage.WaitingSince, usage.Review));
    }

    [Fact]
    public void A_bound_pod_uses_the_node_it_is_bound_to_and_not_the_chosen_one()
    {
        var usage = Read(Waiting("\"nodeName\": \"far\","))!;

        Assert.Equal(("far", null, "review"), (usage.Node, usage.WaitingSince, usage.Review));
    }

    [Theory]
    [InlineData("\"schedulingGates\": [ { \"name\": \"queue\" } ],")]
    [InlineData("\"schedulerName\": \"volcano\",")]
    public void A_pod_that_the_default_scheduler_does_not_look_at_uses_nothing_while_it_waits(string members) => Assert.Null(Read(Waiting(members)));

    [Fact]
    public void A_pod_of_unknown_age_has_waited_for_ever() =>
        Assert.Equal(DateTimeOffset.MinValue, Read(Waiting("").Replace("creationTimestamp", "createdOn", StringComparison.Ordinal))!.WaitingSince);

    [Theory]
    [InlineData("""{ "metadata": { "uid": "u" }, "spec": { "nodeName": "n" }, "status": { "phase": "Succeeded" } }""")]
    [InlineData("""{ "metadata": { "uid": "u" }, "spec": { "nodeName": "n" }, "status": { "phase": "Failed" } }""")]
    [InlineData("""{ "metadata": { "uid": "u" }, "spec": { "containers": [] } }""")]
    [InlineData("""{ "metadata": { "uid": "u", "annotations": { "admissionlas.io/assumed": "no slash" } }, "spec": {} }""")]
    [InlineData("""{ "metadata": { "uid": "u", "annotations": { "admissionlas.io/assumed": "/review" } }, "spec": {} }""")]
    [InlineData("""{ "metadata": { "uid": "u", "annotations": { "admissionlas.io/assumed": 7 } }, "spec": {} }""")]
    [InlineData("""{ "metadata": { "uid": 7 }, "spec": { "nodeName": "\ud800" } }""")]
    [InlineData("""{ "spec": { "nodeName": "n" } }""")]
    [InlineData("[]")]
    public void Everything_else_uses_nothing(string pod) => Assert.Null(Read(pod));

    [Fact]
    public void Odd_containers_count_as_nothing() =>
        Assert.Equal(500, Read("""
            { "metadata": { "uid": "u" }, "spec": { "nodeName": "n", "containers": [ 7, null, { "resources": [] }, { "resources": { "requests": { "cpu": "much" } } }, { "resources": { "requests": { "cpu": "0.5" } } } ] } }
            """)!.Request.CpuMilli);

    static readonly DateTimeOffset Created = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    static string Waiting(string members) => $$"""
        {
          "metadata": { "uid": "u", "creationTimestamp": "2026-11-01T12:00:00Z", "annotations": { "admissionlas.io/assumed": "near/review" } },
          "spec": { {{members}} "containers": [] }, "status": { "phase": "Pending" }
        }
        """;

    static PodUsage? Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return PodUsageReader.Read(document.RootElement);
    }
}
