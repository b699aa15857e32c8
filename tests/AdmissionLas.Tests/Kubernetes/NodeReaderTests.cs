using System.Text.Json;
using AdmissionLas.Kubernetes;
using AdmissionLas.Placement;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>What is taken from a Node as the API server sends it, odd ones included.</summary>
public sealed class NodeReaderTests
{
    [Theory]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{ "metadata": null }""")]
    [InlineData("""{ "metadata": { "name": "" } }""")]
    [InlineData("""{ "metadata": { "name": null } }""")]
    [InlineData("""{ "metadata": { "name": ["n"] } }""")]
    public void What_has_no_name_is_no_node(string json) => Assert.Null(NodeReader.Read(Json(json)));

    [Theory]
    [InlineData("""{ "metadata": { "name": "\ud800" } }""")]
    [InlineData("""{ "metadata": { "name": "n", "labels": { "a": "\ud800" } } }""")]
    [InlineData("""{ "metadata": { "name": "n", "labels": { "\udc00": "a" } } }""")]
    [InlineData("""{ "\ud800": 1, "metadata": { "name": "n" } }""")]
    public void What_no_text_can_hold_is_no_node_and_no_fault(string json) => Assert.Null(NodeReader.Read(Json(json)));

    [Theory]
    [InlineData("\"True\"", true)]
    [InlineData("\"False\"", false)]
    [InlineData("\"Unknown\"", false)]
    [InlineData("true", false)]
    public void Only_a_node_that_says_so_is_ready(string status, bool ready) => Assert.Equal(
        ready,
        NodeReader.Read(Json($$"""{ "metadata": { "name": "n" }, "status": { "conditions": [{ "type": "Ready", "status": {{status}} }] } }"""))!.IsReady);

    [Fact]
    public void Amounts_that_are_no_quantities_count_as_absent()
    {
        var node = NodeReader.Read(Json("""
            { "metadata": { "name": "n" }, "status": { "allocatable": { "cpu": "much", "memory": "-1", "pods": true, "example.com/a": {}, "example.com/b": "3" } } }
            """))!;

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
            """))!;

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
