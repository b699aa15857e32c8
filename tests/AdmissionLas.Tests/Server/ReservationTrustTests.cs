using AdmissionLas.Server;
using Microsoft.Extensions.Logging.Abstractions;

namespace AdmissionLas.Tests.Server;

/// <summary>What a pod may reserve while it waits: its annotations are its author's to write.</summary>
public sealed class ReservationTrustTests : IDisposable
{
    readonly KubeApi api = new(new() { Host = "http://127.0.0.1:1" }, TimeProvider.System);
    readonly IResourceEventHandler namespaces;
    readonly ReservationTrust trust;

    public ReservationTrustTests()
    {
        var informer = new NamespaceInformer(api, "admissionlas.io/inject=enabled", TimeProvider.System, NullLogger<NamespaceInformer>.Instance);
        var state = new ClusterState(TimeProvider.System);
        state.Publish(Nodes.View(Nodes.At("1", "near", cpu: "4"), Nodes.At("2", "tainted", cpu: "4", new Taint("dedicated", "", TaintEffect.NoSchedule))));
        namespaces = informer;
        trust = new ReservationTrust(informer, state, new Settings(CompiledSettings.Default));
        HasListed("kubeflow", "other");
    }

    public void Dispose() => api.Dispose();

    [Fact]
    public void A_step_of_a_namespace_that_opted_in_may_have_the_room_that_it_asks_for() => Assert.True(IsTrusted(Step()));

    [Fact]
    public void A_pod_of_a_namespace_that_never_opted_in_may_not() =>
        Assert.False(IsTrusted(Step().With(p => p["metadata"]!["namespace"] = "default")));

    [Fact]
    public void A_pod_that_is_no_step_may_not() => Assert.False(IsTrusted(Step().With(p => p["metadata"]!["labels"] = null)));

    [Theory]
    [InlineData("500", "near")]
    [InlineData("1", "tainted")]
    [InlineData("1", "gone")]
    public void Nobody_may_have_what_the_node_could_never_give(string cpu, string node) => Assert.False(IsTrusted(Step(cpu, node)));

    // The scheduler may let it claim these.
    [Fact]
    public void Devices_that_the_node_does_not_show_may_be_there() =>
        Assert.True(IsTrusted(Step().With(p => p["spec"]!["containers"]![0]!["resources"]!["requests"]!["example.com/gpu"] = "1")));

    [Fact]
    public void What_a_namespace_says_now_counts()
    {
        namespaces.OnDelete(Namespace("kubeflow"));
        Assert.False(IsTrusted(Step()));

        namespaces.OnAddOrUpdate(Namespace("kubeflow"));
        Assert.True(IsTrusted(Step()));

        HasListed("other");
        Assert.False(IsTrusted(Step()));
    }

    [Fact]
    public void Where_namespaces_cannot_be_followed_no_other_replica_is_believed()
    {
        namespaces.OnForbidden();

        Assert.False(IsTrusted(Step()));
    }

    bool IsTrusted(JsonObject pod) => YamlJson.ToElement(pod) is var element && trust.Trusts(element, PodUsageReader.Read(element)!);

    void HasListed(params string[] names)
    {
        namespaces.OnListStarted();
        Array.ForEach(names, name => namespaces.OnListed(Namespace(name)));
        namespaces.OnListCompleted();
    }

    static System.Text.Json.JsonElement Namespace(string name) => YamlJson.ToElement(new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } });

    static JsonObject Step(string cpu = "1", string node = "near") => Pods.PredictJson(
        annotations: $$"""{ "admissionlas.io/assumed": "{{node}}/review" }""",
        spec: $$"""{ "containers": [ { "name": "main", "resources": { "requests": { "cpu": "{{cpu}}" } } } ] }""").With(p =>
        {
            p["metadata"]!["uid"] = "u";
            p["metadata"]!["namespace"] = "kubeflow";
        });
}
