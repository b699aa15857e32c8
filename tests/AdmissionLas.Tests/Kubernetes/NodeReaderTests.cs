using System.Text.Json;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>What is taken from a Node as the API server sends it, odd ones included.</summary>
public sealed class NodeReaderTests
{
    [Fact]
    public void Of_a_node_what_placement_needs_is_read()
    {
        using var reader = new StringReader("""
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
              nodeInfo: { kubeletVersion: v1.33.1-eks-1234 }
              conditions: [{ type: MemoryPressure, status: "False" }, { type: Ready, status: "True" }]
            """);
        var node = NodeReader.Read(Assert.Single(YamlJson.ReadObjects(reader)), LatencyLabels.All)!;

        Assert.Equal("edge", node.Name);
        Assert.Equal("edge-host", node.Hostname);
        Assert.Equal(1.5, node.Latencies.Known.Single(m => m.Location == "CLOUD").LatencyMs);
        Assert.Equal(0.8, node.Latencies.Known.Single(m => m.Location == "HOME").LatencyMs);
        Assert.True(node.IsCordoned);
        Assert.True(node.IsReady);
        Assert.Equal(33, node.KubeletMinor);
        Assert.Equal([new Taint("gpu", "yes", TaintEffect.NoSchedule)], node.Taints);
        Assert.Equal((1930, 4_000_000_000), (node.Allocatable.CpuMilli, node.Allocatable.MemoryBytes));
        Assert.Equal(2, node.Allocatable.AmountOf("nvidia.com/gpu"));
        Assert.Equal(110, node.AllocatablePods);
    }

    [Theory]
    [InlineData("v1.36.0", 36)]
    [InlineData("v1.36", 36)]
    [InlineData("v2.1.0", 0)]
    [InlineData("1.36.0", 0)]
    [InlineData("v1.-3.0", 0)]
    [InlineData("v1.x", 0)]
    [InlineData("", 0)]
    public void The_release_of_the_kubelet_is_known_where_it_says_so(string version, int minor)
    {
        using var document = JsonDocument.Parse($$"""{ "metadata": { "name": "n" }, "status": { "nodeInfo": { "kubeletVersion": "{{version}}" } } }""");

        Assert.Equal(minor, NodeReader.Read(document.RootElement, LatencyLabels.All)!.KubeletMinor);
    }

    [Theory]
    [InlineData("""{ "kind": "Node", "metadata": { "name": "n" } }""")]
    [InlineData("""{ "kind": "Node", "metadata": { "name": "n", "labels": [] }, "spec": 1, "status": "ok" }""")]
    [InlineData("""{ "kind": "Node", "metadata": { "name": "n" }, "spec": { "taints": {}, "unschedulable": "no" }, "status": { "conditions": [1, {}], "allocatable": [] } }""")]
    public void What_is_missing_or_of_a_wrong_type_counts_as_absent(string json) => Assert.Equal(new NodeFacts { Name = "n" }, NodeReader.Read(Json(json), LatencyLabels.All));

    [Theory]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{ "metadata": null }""")]
    [InlineData("""{ "metadata": { "name": "" } }""")]
    [InlineData("""{ "metadata": { "name": null } }""")]
    [InlineData("""{ "metadata": { "name": ["n"] } }""")]
    public void What_has_no_name_is_no_node(string json) => Assert.Null(NodeReader.Read(Json(json), LatencyLabels.All));

    [Theory]
    [InlineData("""{ "metadata": { "name": "\ud800" } }""")]
    [InlineData("""{ "metadata": { "name": "n", "labels": { "a": "\ud800" } } }""")]
    [InlineData("""{ "metadata": { "name": "n", "labels": { "\udc00": "a" } } }""")]
    [InlineData("""{ "\ud800": 1, "metadata": { "name": "n" } }""")]
    public void What_no_text_can_hold_is_no_node_and_no_fault(string json) => Assert.Null(NodeReader.Read(Json(json), LatencyLabels.All));

    [Fact]
    public void Images_are_known_by_each_of_their_names_where_they_are_large_enough_to_count()
    {
        var images = NodeReader.Read(Json("""
            {
              "metadata": { "name": "n" },
              "status": {
                "images": [
                  { "names": ["registry.example:5000/model@sha256:abc", "registry.example:5000/model:latest"], "sizeBytes": 2000000000 },
                  { "names": ["tiny:1"], "sizeBytes": 700000 },
                  { "names": ["\ud800", 7, null], "sizeBytes": 2000000000 },
                  { "names": ["no-size:1"] }, { "names": null, "sizeBytes": "2000000000" }, 7
                ]
              }
            }
            """), LatencyLabels.All)!.Images;

        Assert.Equal(2_000_000_000, images.BytesOf(ImageId.Of("registry.example:5000/model")));
        Assert.Equal(2_000_000_000, images.BytesOf(ImageId.Of("registry.example:5000/model@sha256:abc")));
        Assert.All((string[])["registry.example:5000/model:1", "tiny:1", "no-size:1"], name => Assert.Equal(0, images.BytesOf(ImageId.Of(name))));
    }

    [Fact]
    public void A_node_that_got_an_image_is_another_and_one_that_lists_them_in_another_order_or_twice_is_not()
    {
        var one = With("""{ "names": ["a:1"], "sizeBytes": 50000000 }, { "names": ["b:1"], "sizeBytes": 60000000 }""");

        Assert.Equal(one, With("""{ "names": ["b:1"], "sizeBytes": 60000000 }, { "names": ["a:1"], "sizeBytes": 50000000 }"""));
        Assert.Equal(one, With("""{ "names": ["a:1", "a:1"], "sizeBytes": 50000000 }, { "names": ["b:1"], "sizeBytes": 60000000 }, { "names": ["a:1"], "sizeBytes": 50000000 }"""));
        Assert.NotEqual(one, With("""{ "names": ["a:1"], "sizeBytes": 50000000 }"""));

        static NodeFacts With(string images) => NodeReader.Read(Json($$"""{ "metadata": { "name": "n" }, "status": { "images": [{{images}}] } }"""), LatencyLabels.All)!;
    }

    [Theory]
    [InlineData("\"True\"", true)]
    [InlineData("\"False\"", false)]
    [InlineData("\"Unknown\"", false)]
    [InlineData("true", false)]
    public void Only_a_node_that_says_so_is_ready(string status, bool ready) => Assert.Equal(
        ready,
        NodeReader.Read(Json($$"""{ "metadata": { "name": "n" }, "status": { "conditions": [{ "type": "Ready", "status": {{status}} }] } }"""), LatencyLabels.All)!.IsReady);

    [Fact]
    public void Amounts_that_are_no_quantities_count_as_absent()
    {
        var node = NodeReader.Read(Json("""
            { "metadata": { "name": "n" }, "status": { "allocatable": { "cpu": "much", "memory": "-1", "pods": true, "example.com/a": {}, "example.com/b": "3" } } }
            """), LatencyLabels.All)!;

        Assert.Null(node.Allocatable.CpuMilli);
        Assert.Null(node.Allocatable.MemoryBytes);
        Assert.Equal(0, node.AllocatablePods);
        Assert.Equal((0, 3), (node.Allocatable.AmountOf("example.com/a"), node.Allocatable.AmountOf("example.com/b")));
    }

    [Fact]
    public void A_heartbeat_changes_the_object_and_not_what_is_read_of_it()
    {
        static NodeFacts At(string time, string version) => NodeReader.Read(Json($$"""
            {
              "metadata": { "name": "n", "resourceVersion": "{{version}}", "labels": { "b": "2", "a": "1" } },
              "status": {
                "allocatable": { "cpu": "4", "example.com/gpu": "1" },
                "conditions": [{ "type": "Ready", "status": "True", "lastHeartbeatTime": "{{time}}" }],
                "images": [{ "names": ["{{time}}"] }]
              }
            }
            """), LatencyLabels.All)!;

        Assert.Equal(At("10:00", "1"), At("10:01", "2"));
    }

    [Theory]
    [InlineData("""{ "metadata": { "name": "n", "resourceVersion": "12" } }""", "n", "12")]
    [InlineData("""{ "metadata": { "resourceVersion": "12" } }""", null, "12")]
    [InlineData("""{ "metadata": [] }""", null, null)]
    [InlineData("""[]""", null, null)]
    public void Name_and_version_are_read_of_any_object(string json, string? name, string? version) =>
        Assert.Equal((name, version), (ObjectMetadata.Name(Json(json)), ObjectMetadata.ResourceVersion(Json(json))));

    static JsonElement Json(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
