using AdmissionLas.Tests.Explain;
using Microsoft.Extensions.Logging.Abstractions;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>What is kept of namespaces: that they opted in, and the labels for which the anti-affinity of pods can ask.</summary>
public sealed class NamespaceInformerTests : IDisposable
{
    readonly KubeApi api = new(new() { Host = "http://127.0.0.1:1" }, TimeProvider.System);
    readonly NodeUsageCache usageCache = Usages.UsageCache();
    readonly NamespaceInformer informer;
    readonly IResourceEventHandler events;

    public NamespaceInformerTests()
    {
        informer = new NamespaceInformer(api, "admissionlas.io/inject=enabled", TimeProvider.System, NullLogger<NamespaceInformer>.Instance, usageCache);
        events = informer;
        usageCache.Set("u", PodUsageReader.Read(YamlJson.ToElement(Text.Object("""
            metadata: { uid: u, namespace: other }
            spec: { nodeName: n, affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: kubernetes.io/hostname, labelSelector: {}, namespaceSelector: { matchLabels: { team: body } } } ] } } }
            """))));
    }

    public void Dispose() => api.Dispose();

    [Fact]
    public void Anti_affinity_is_about_the_namespaces_whose_labels_are_so_now()
    {
        Assert.True(IsConcerned);

        events.OnListStarted();
        events.OnListed(Namespace("team: body"));
        events.OnListCompleted();
        Assert.True(IsConcerned);

        events.OnAddOrUpdate(Namespace("team: nobody"));
        Assert.False(IsConcerned);

        events.OnDelete(Namespace("team: nobody"));
        Assert.True(IsConcerned);
    }

    [Fact]
    public void Labels_that_cannot_be_listed_are_not_known()
    {
        events.OnAddOrUpdate(Namespace("team: nobody"));
        events.OnForbidden();

        Assert.True(IsConcerned);
    }

    [Theory]
    // No namespace is without its name, so this is not all of its labels.
    [InlineData("{ team: nobody }")]
    [InlineData("{ kubernetes.io/metadata.name: 7, team: nobody }")]
    [InlineData("[ 7 ]")]
    [InlineData("{ kubernetes.io/metadata.name: kubeflow, long: HERE }")]
    public void Labels_that_are_odd_or_too_many_are_not_known_and_the_namespace_is(string labels)
    {
        events.OnAddOrUpdate(YamlJson.ToElement(Text.Object($"metadata: {{ name: kubeflow, labels: {labels.Replace("HERE", new string('x', 5000), StringComparison.Ordinal)} }}")));

        Assert.True(IsConcerned);
        Assert.True(informer.Contains("kubeflow"));
    }

    bool IsConcerned => usageCache.Current.AntiAffinity.AppliesTo("kubeflow");

    static System.Text.Json.JsonElement Namespace(string label) =>
        YamlJson.ToElement(Text.Object($"metadata: {{ name: kubeflow, labels: {{ kubernetes.io/metadata.name: kubeflow, {label} }} }}"));
}
