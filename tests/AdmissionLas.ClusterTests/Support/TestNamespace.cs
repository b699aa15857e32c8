namespace AdmissionLas.ClusterTests.Support;

/// <summary>A namespace of one test's own.</summary>
sealed class TestNamespace(ApiServer api, string name, Func<Task> settle) : IAsyncDisposable
{
    internal string Pods => $"/api/v1/namespaces/{name}/pods";

    internal string Name => name;

    internal Task<JsonObject> CreateAsync(JsonObject pod) => api.CreateAsync(Pods, pod);

    /// <summary>The node that the default scheduler bound the pod to.</summary>
    internal async Task<string> NodeOfAsync(JsonObject pod)
    {
        var podName = pod["metadata"]!["name"]!.GetValue<string>();
        string? node = null;
        await Eventually.IsTrueAsync($"pod {podName} is bound", async () =>
        {
            node = (await api.GetAsync($"{Pods}/{podName}"))["spec"]!["nodeName"]?.GetValue<string>();
            return node is not null;
        });
        return node!;
    }

    /// <summary>Waits until the API server calls a webhook for prediction steps.</summary>
    internal Task WebhookIsCalledAsync() => Eventually.IsTrueAsync("the API server calls the webhook", IsStepPlacedAsync);

    /// <summary>Waits until it calls none.</summary>
    internal Task WebhookIsNotCalledAsync() =>
        Eventually.IsTrueAsync("the API server no longer calls the webhook", async () => !await IsStepPlacedAsync());

    internal Task AddAsync(string resource, JsonObject value, string apiPrefix = "/api/v1") =>
        api.CreateAsync($"{apiPrefix}/namespaces/{name}/{resource}", value);

    /// <summary>Ends a pod at once: there is no kubelet.</summary>
    internal Task DeleteAsync(JsonObject pod) => api.DeleteAsync($"{Pods}/{pod["metadata"]!["name"]}");

    /// <summary>Every pod of the namespace.</summary>
    internal async Task<JsonObject[]> ListAsync() => [.. (await api.GetAsync(Pods))["items"]!.AsArray().Select(p => p!.AsObject())];

    /// <summary>Frees the nodes: pods without a kubelet never end by themselves.</summary>
    public async ValueTask DisposeAsync()
    {
        // One by one: the API server takes longer for a collection of thousands than it lets any request take.
        await Parallel.ForEachAsync(await ListAsync(), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (pod, _) =>
            await DeleteAsync(pod));
        await settle();
    }

    async Task<bool> IsStepPlacedAsync() => DecisionOf(await CreateAsync(Steps.Predict("HOME-EDGE"))) is not null;

    /// <summary>What the webhook wrote on a pod; <see langword="null"/> when it left the pod alone.</summary>
    internal static string? DecisionOf(JsonObject pod) => pod["metadata"]!["annotations"]?[PodHints.DecisionKey]?.GetValue<string>();

    /// <summary>The pod's preferred node affinity terms.</summary>
    internal static JsonArray PreferredTermsOf(JsonObject pod) =>
        pod["spec"]!["affinity"]?["nodeAffinity"]?["preferredDuringSchedulingIgnoredDuringExecution"] as JsonArray ?? [];
}
