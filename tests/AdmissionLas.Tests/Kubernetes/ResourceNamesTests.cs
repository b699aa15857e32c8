using System.Text.Json;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>Which resources of a pod count beside CPU and memory: those that some node has.</summary>
public sealed class ResourceNamesTests
{
    readonly ResourceNames names = new();

    [Fact]
    public void What_some_node_has_counts_and_what_none_has_does_not()
    {
        names.Add(Having("a", Nodes.Gpu));
        names.Add(Having("b"));

        Assert.Equal(Amounts.Of("1", null, (Nodes.Gpu, 2)), Read(Pod((Nodes.Gpu, 2), ("example.com/invented", 1))));
    }

    // An API server takes such pods.
    [Fact]
    public void A_pod_of_26_000_invented_names_keeps_none()
    {
        names.Add(Having("a", Nodes.Gpu));

        var request = Read(Pod([.. Enumerable.Range(0, 26_000).Select(i => ($"example.com/{i}", 1L))]));

        Assert.Equal((1000, null), (request.CpuMilli, request.Other));
    }

    [Fact]
    public void A_name_is_one_text_for_all_pods()
    {
        names.Add(Having("a", Nodes.Gpu));

        Assert.Same(Read(Pod((Nodes.Gpu, 1))).Other![0].Name, Read(Pod((Nodes.Gpu, 2))).Other![0].Name);
    }

    [Fact]
    public void A_name_stays_known_when_no_node_has_it_any_more()
    {
        names.Add(Having("a", Nodes.Gpu));
        names.Add(Having("a"));

        Assert.NotNull(names.Find(Nodes.Gpu));
    }

    [Fact]
    public void One_node_cannot_take_the_room_of_the_others_however_often_it_changes()
    {
        for (var i = 0; i < 2_000; i++)
        {
            names.Add(Having("hostile", $"example.com/{i}"));
        }

        names.Add(Having("honest", Nodes.Gpu));

        Assert.Equal(128, Enumerable.Range(0, 2_000).Count(i => names.Find($"example.com/{i}") is not null));
        Assert.NotNull(names.Find(Nodes.Gpu));
    }

    [Fact]
    public void All_nodes_together_have_a_bound()
    {
        for (var i = 0; i < 2_000; i++)
        {
            names.Add(Having($"node-{i}", $"example.com/{i}"));
        }

        Assert.Equal(1024, Enumerable.Range(0, 2_000).Count(i => names.Find($"example.com/{i}") is not null));
    }

    [Fact]
    public void Of_a_node_as_many_resources_are_read()
    {
        var allocatable = new JsonObject([.. Enumerable.Range(0, 26_000).Select(i => KeyValuePair.Create<string, JsonNode?>($"example.com/{i}", "1"))]);
        var node = NodeReader.Read(YamlJson.ToElement(new JsonObject { ["metadata"] = new JsonObject { ["name"] = "n" }, ["status"] = new JsonObject { ["allocatable"] = allocatable } }), LatencyLabels.All);

        Assert.Equal(128, node!.Allocatable.Other!.Count);
    }

    [Fact]
    public void And_as_many_labels_as_an_honest_one_may_have()
    {
        var labels = new JsonObject([.. Enumerable.Range(0, 20_000).Select(i => KeyValuePair.Create<string, JsonNode?>($"latency.admissionlas.io/L{i:00000}", "1"))]);
        var node = NodeReader.Read(YamlJson.ToElement(new JsonObject { ["metadata"] = new JsonObject { ["name"] = "n", ["labels"] = labels } }), LatencyLabels.All);

        Assert.Equal(2048, node!.Labels.Count);
        Assert.Equal(256, node.Latencies.Known.Count);
    }

    static NodeFacts Having(string name, params string[] devices) =>
        new() { Name = name, Allocatable = new Resources(null, null, [.. devices.Select(d => new ResourceAmount(d, 1))]) };

    Resources Read(JsonElement pod) => PodUsageReader.Read(pod, names)!.Request;

    static JsonElement Pod(params (string Name, long Amount)[] requests)
    {
        var pod = FakeApiServer.Pod("u", "a");
        foreach (var (name, amount) in requests)
        {
            pod["spec"]!["containers"]![0]!["resources"]!["requests"]![name] = amount.ToString(CultureInfo.InvariantCulture);
        }

        return YamlJson.ToElement(pod);
    }
}
