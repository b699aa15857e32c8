namespace AdmissionLas.ClusterTests;

/// <summary>Which pods the registration of the manifests brings to the webhook, on the real API server, by the webhook's own count of calls.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class RegistrationManifestTests(ControlPlane cluster) : IAsyncLifetime
{
    const string Registrations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    const string Bare = "typeOfComponent";
    const string Prefixed = "admissionlas.io/component";

    readonly ReviewCount calls = new();

    /// <summary>The manifests' registration, with the address of the webhook of these tests in place of the service that is not there.</summary>
    public async Task InitializeAsync()
    {
        var shared = await cluster.Api.GetAsync($"{Registrations}/{ControlPlane.Registration}");
        var own = (await Overlay.RenderAsync("default")).Object("MutatingWebhookConfiguration", ControlPlane.Registration);
        foreach (var webhook in own["webhooks"]!.AsArray())
        {
            webhook!["clientConfig"] = shared["webhooks"]![0]!["clientConfig"]!.DeepClone();
        }

        await using var ns = await cluster.CreateNamespaceAsync();
        await cluster.UnregisterAsync();
        await Eventually.IsTrueAsync("the shared registration is gone", async () => await CallsForAsync(ns, Step(Bare)) == 0);
        await cluster.Api.CreateAsync(Registrations, own);
        await Eventually.IsTrueAsync("the manifests' registration is in force", async () => await CallsForAsync(ns, Step(Bare)) > 0);
    }

    public async Task DisposeAsync()
    {
        await cluster.RestoreRegistrationAsync();
        calls.Dispose();
    }

    [Theory]
    [InlineData(Bare)]
    [InlineData(Prefixed)]
    [InlineData(Bare, Prefixed)]
    public async Task A_labelled_pod_of_a_namespace_that_opts_in_costs_one_call(params string[] labels)
    {
        await using var ns = await cluster.CreateNamespaceAsync();

        Assert.Equal(1, await CallsForAsync(ns, Step(labels)));
    }

    [Fact]
    public async Task An_unlabelled_pod_of_a_namespace_that_opts_in_costs_no_call()
    {
        await using var ns = await cluster.CreateNamespaceAsync();

        Assert.Equal(0, await CallsForAsync(ns, Step()));
        Assert.Equal(1, await CallsForAsync(ns, Step(Bare)));
    }

    [Fact]
    public async Task A_labelled_pod_of_a_namespace_that_does_not_opt_in_costs_no_call()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await LabelAsync(ns.Name, "admissionlas.io/inject", null);
        await Eventually.IsTrueAsync("the label's end is known", async () => await CallsForAsync(ns, Step(Bare)) == 0);

        Assert.Equal(0, await CallsForAsync(ns, Step(Bare, Prefixed)));

        await LabelAsync(ns.Name, "admissionlas.io/inject", "disabled");
        await using var other = await cluster.CreateNamespaceAsync();
        await TellOfEarlierLabelsAsync(other);
        Assert.Equal(0, await CallsForAsync(ns, Step(Bare)));
    }

    [Theory]
    [InlineData("kube-system")]
    [InlineData("admission-las")]
    public async Task A_labelled_pod_of_kube_system_or_of_our_own_namespace_costs_no_call_even_when_it_is_told_to_opt_in(string name)
    {
        await using var ns = await cluster.CreateNamespaceAsync(name);
        try
        {
            await LabelAsync(name, "admissionlas.io/inject", "enabled");
            // Since 1.21 the API server sets this label itself, and refuses every change of it.
            await LabelAsync(name, "kubernetes.io/metadata.name", name);
            await using var other = await cluster.CreateNamespaceAsync();
            await TellOfEarlierLabelsAsync(other);

            Assert.Equal(0, await CallsForAsync(ns, Step(Bare, Prefixed)));
        }
        finally
        {
            await LabelAsync(name, "admissionlas.io/inject", null);
            if (name == "admission-las")
            {
                await new Kubectl(cluster.Kubeconfig).RemoveNamespaceAsync(name);
            }
        }
    }

    /// <summary>
    /// The API server learns of labels with a delay, and in the order in which they were set: once it knows this one, it knows those before.
    /// </summary>
    async Task TellOfEarlierLabelsAsync(TestNamespace ns)
    {
        await LabelAsync(ns.Name, "admissionlas.io/inject", null);
        await Eventually.IsTrueAsync("the last label is known", async () => await CallsForAsync(ns, Step(Bare)) == 0);
    }

    Task<long> CallsForAsync(TestNamespace ns, JsonObject pod) => calls.OfAsync(() => ns.CreateAsync(pod));

    Task LabelAsync(string name, string key, string? value) => cluster.Api.MergePatchAsync(
        $"/api/v1/namespaces/{name}", new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [key] = value } } });

    static JsonObject Step(params string[] labels) => Steps.Predict("HOME-EDGE").With(pod =>
    {
        var own = pod["metadata"]!["labels"]!.AsObject();
        own.Clear();
        foreach (var label in labels)
        {
            own[label] = "Predict";
        }
    });
}
