namespace AdmissionLas.ClusterTests;

/// <summary>
/// Training steps in a namespace whose ResourceQuotas tell pods by their QoS class
/// (https://kubernetes.io/docs/concepts/policy/resource-quotas/#quota-scopes).
/// </summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class QuotaTests(ControlPlane cluster)
{
    [Fact]
    public async Task A_step_that_fits_the_quota_only_without_requests_is_created_like_its_control_when_they_are_off()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await AddQuotaAsync(ns, "paid", "NotBestEffort", ("requests.cpu", "1"), ("requests.memory", "2Gi"));
        await AddQuotaAsync(ns, "free", "BestEffort", ("pods", "20"));
        var control = Unlabelled();
        var paid = Unlabelled().With(p => p["spec"]!["containers"]![0]!["resources"] = new JsonObject { ["requests"] = new JsonObject { ["cpu"] = "2", ["memory"] = "1Gi" } });
        await Eventually.IsTrueAsync("both quotas count", async () =>
            (await DryRunAsync(ns, control)).Status == HttpStatusCode.Created && IsOverQuota(await DryRunAsync(ns, paid)));

        var (status, _) = await cluster.Api.TryCreateAsync(ns.Pods, control);
        var (offStatus, off) = await cluster.Api.TryCreateAsync(
            ns.Pods, Steps.Training().With(p => p["metadata"]!["annotations"] = new JsonObject { ["admissionlas.io/requests"] = "off" }));

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (status, offStatus));
        Assert.NotNull(TestNamespace.DecisionOf(off));
        Assert.Equal("BestEffort", off["status"]!["qosClass"]!.ToString());
        Assert.NotEmpty(TestNamespace.PreferredTermsOf(off));
        Assert.True(IsOverQuota(await DryRunAsync(ns, Steps.Training())));
    }

    static JsonObject Unlabelled() => Steps.Training().With(p => p["metadata"]!.AsObject().Remove("labels"));

    Task<(HttpStatusCode Status, JsonObject Body)> DryRunAsync(TestNamespace ns, JsonObject pod) => cluster.Api.TryCreateAsync($"{ns.Pods}?dryRun=All", pod);

    static bool IsOverQuota((HttpStatusCode Status, JsonObject Body) answer) =>
        answer.Status == HttpStatusCode.Forbidden && answer.Body["message"]!.ToString().Contains("exceeded quota: paid", StringComparison.Ordinal);

    /// <summary>A quota with its status, which the controller manager would fill in.</summary>
    async Task AddQuotaAsync(TestNamespace ns, string name, string scope, params (string Resource, string Amount)[] hard)
    {
        await ns.AddAsync("resourcequotas", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["hard"] = Amounts(h => h.Amount), ["scopes"] = new JsonArray(scope) },
        });
        await cluster.Api.MergePatchAsync(
            $"/api/v1/namespaces/{ns.Name}/resourcequotas/{name}/status",
            new JsonObject { ["status"] = new JsonObject { ["hard"] = Amounts(h => h.Amount), ["used"] = Amounts(_ => "0") } });

        JsonObject Amounts(Func<(string Resource, string Amount), string> amount) => new(hard.Select(h => KeyValuePair.Create(h.Resource, (JsonNode?)amount(h))));
    }
}
