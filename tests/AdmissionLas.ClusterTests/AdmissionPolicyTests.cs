using AdmissionLas.Certificates;

namespace AdmissionLas.ClusterTests;

/// <summary>
/// What a stolen token of the rotation's service account can do where its admission policy is in force, beside the rights that RBAC gives it. A server
/// before Kubernetes 1.30 has no such policies; there, doctor says so.
/// </summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class AdmissionPolicyTests(ControlPlane cluster)
{
    const string Registration = $"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{ObjectNames.Registration}";
    const string PolicyFile = "manifests/components/self-managed-certificates/admission-policy.yaml";
    const string OwnSecrets = "the rotation of certificates writes the Secrets admission-las-tls and admission-las-ca";
    const string OwnLease = "the rotation of certificates writes the Lease admission-las-certificates and no other";
    const string OnlyBundle = "the rotation of certificates changes nothing of the registration but caBundle";

    [Fact]
    public async Task A_stolen_token_of_the_rotation_is_good_for_the_rotation_alone()
    {
        await using var installed = await InstalledWebhook.InstallAsync(cluster);
        await using var account = await RestrictedAccount.CreateAsync(cluster, await Overlay.RenderAsync("default"), ObjectNames.Rotation);
        if (!await HasPoliciesAsync())
        {
            Assert.Contains("ok       admission policy of the certificates' rotation: this API server has none", await DoctorAsync(), StringComparison.Ordinal);
            return;
        }

        Assert.Contains("warning  admission policy of the certificates' rotation: it is not installed", await DoctorAsync(), StringComparison.Ordinal);
        var admin = new Kubectl(cluster.Kubeconfig);
        Assert.Equal(0, (await admin.RunAsync(null, "apply", "-f", Checkout.PathOf(PolicyFile))).ExitCode);
        try
        {
            using var thief = new ApiServer(account.Kubeconfig);
            await Eventually.IsTrueAsync("the policy is in force", async () => (await CreateSecretAsync(thief, "other", "Opaque", "?dryRun=All")).Refusal?.Contains(OwnSecrets, StringComparison.Ordinal) == true);
            Assert.Contains("ok       admission policy of the certificates' rotation: it may change the caBundle", await DoctorAsync(), StringComparison.Ordinal);

            await TheRotationWorksAsync(account.Kubeconfig);
            await NothingElseDoesAsync(thief);
            await TheAdminIsFreeAsync();

            await cluster.Api.MergePatchAsync(
                "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/admission-las-certificates", new JsonObject { ["spec"] = new JsonObject { ["validationActions"] = new JsonArray("Audit") } });
            Assert.Contains("warning  admission policy of the certificates' rotation: it is not that of this version", await DoctorAsync(), StringComparison.Ordinal);
        }
        finally
        {
            await admin.RunAsync(null, "delete", "--ignore-not-found", "-f", Checkout.PathOf(PolicyFile));
        }
    }

    static async Task TheRotationWorksAsync(string kubeconfig)
    {
        var quick = InstalledWebhook.Timings with { TrustDelay = TimeSpan.Zero };
        foreach (var goal in (RotationGoal[])[RotationGoal.Complete, RotationGoal.RenewServing, RotationGoal.RenewAuthority])
        {
            Assert.Equal(RotationOutcome.Done, await InstalledWebhook.RotateAsync(kubeconfig, goal, timings: quick));
        }
    }

    async Task NothingElseDoesAsync(ApiServer thief)
    {
        Assert.Contains(OwnSecrets, (await CreateSecretAsync(thief, "token-of-the-webhook", "kubernetes.io/service-account-token")).Refusal, StringComparison.Ordinal);
        Assert.Contains(OwnSecrets, (await CreateSecretAsync(thief, "other", "Opaque")).Refusal, StringComparison.Ordinal);
        await cluster.Api.DeleteAsync("/api/v1/namespaces/admission-las/secrets/admission-las-ca");
        Assert.Contains(OwnSecrets, (await CreateSecretAsync(thief, "admission-las-ca", "kubernetes.io/service-account-token")).Refusal, StringComparison.Ordinal);
        Assert.Contains(OwnLease, (await TryAsync(() => thief.CreateAsync("/apis/coordination.k8s.io/v1/namespaces/admission-las/leases", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "other" } })))!, StringComparison.Ordinal);

        var before = await RegistrationAsync();
        foreach (var (what, change) in Changes)
        {
            // The whole of it: a merge patch of a list replaces the list.
            var changed = before.DeepClone().AsObject();
            change(changed);
            var patch = new JsonObject { ["metadata"] = changed["metadata"]!.DeepClone(), ["webhooks"] = changed["webhooks"]!.DeepClone() };
            foreach (var (key, _) in before["metadata"]!.AsObject().Where(m => changed["metadata"]![m.Key] is null))
            {
                patch["metadata"]![key] = null;
            }

            var refusal = await TryAsync(() => thief.MergePatchAsync(Registration, patch));

            Assert.True(refusal?.Contains(OnlyBundle, StringComparison.Ordinal) == true, $"{what}: {refusal ?? "it was done"}");
        }

        var after = await RegistrationAsync();
        Assert.Equal(before["webhooks"]!.ToJsonString(), after["webhooks"]!.ToJsonString());
    }

    static readonly (string What, Action<JsonObject> Change)[] Changes =
    [
        ("a URL", r => First(r)["clientConfig"] = new JsonObject { ["url"] = "https://thief.example.org/all", ["caBundle"] = First(r)["clientConfig"]!["caBundle"]!.DeepClone() }),
        ("another service", r => First(r)["clientConfig"]!["service"]!["name"] = "thief"),
        ("another namespace of the service", r => First(r)["clientConfig"]!["service"]!["namespace"] = "default"),
        ("another path", r => First(r)["clientConfig"]!["service"]!["path"] = "/thief"),
        ("all objects", r => First(r)["rules"] = new JsonArray(JsonNode.Parse("""{"apiGroups":["*"],"apiVersions":["*"],"operations":["*"],"resources":["*/*"]}"""))),
        ("failurePolicy", r => First(r)["failurePolicy"] = "Fail"),
        ("all namespaces", r => First(r)["namespaceSelector"] = new JsonObject()),
        ("all pods", r => First(r)["objectSelector"] = new JsonObject()),
        ("a condition", r => First(r)["matchConditions"] = new JsonArray(new JsonObject { ["name"] = "none", ["expression"] = "false" })),
        ("the timeout", r => First(r)["timeoutSeconds"] = 30),
        ("a further entry", r => r["webhooks"]!.AsArray().Add(First(r).DeepClone().AsObject().With(w => w["name"] = "more.admissionlas.io"))),
        ("an entry less", r => r["webhooks"]!.AsArray().RemoveAt(1)),
        ("no entries", r => r["webhooks"] = new JsonArray()),
        ("another name of an entry", r => First(r)["name"] = "other.admissionlas.io"),
        ("the order of entries", r =>
        {
            var last = r["webhooks"]![1]!.DeepClone();
            r["webhooks"]!.AsArray().RemoveAt(1);
            r["webhooks"]!.AsArray().Insert(0, last);
        }),
        ("a label", r => r["metadata"]!["labels"]!["thief"] = "yes"),
        ("no labels", r => r["metadata"]!.AsObject().Remove("labels")),
        ("an annotation, which cert-manager's injector obeys", r => r["metadata"]!["annotations"] = new JsonObject { ["cert-manager.io/inject-ca-from"] = "default/thief" }),
        ("a finalizer", r => r["metadata"]!["finalizers"] = new JsonArray("example.org/thief")),
        ("an owner", r => r["metadata"]!["ownerReferences"] = new JsonArray(JsonNode.Parse("""{"apiVersion":"v1","kind":"Node","name":"thief","uid":"5e0f1d4c-8a4b-4f0e-9d6e-0c8f4f6f0a11"}"""))),
    ];

    async Task TheAdminIsFreeAsync()
    {
        await cluster.Api.MergePatchAsync(Registration, new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["admin"] = "yes" } } });
        Assert.Null((await CreateSecretAsync(cluster.Api, "of-the-admin", "Opaque")).Refusal);
    }

    async Task<JsonObject> RegistrationAsync()
    {
        var registration = await cluster.Api.GetAsync(Registration);
        foreach (var key in (string[])["resourceVersion", "managedFields", "generation"])
        {
            registration["metadata"]!.AsObject().Remove(key);
        }

        return registration;
    }

    async Task<bool> HasPoliciesAsync() =>
        (await cluster.Api.GetAsync("/apis/admissionregistration.k8s.io/v1"))["resources"]!.AsArray().Any(r => $"{r!["name"]}" == "validatingadmissionpolicies");

    async Task<string> DoctorAsync()
    {
        await using var doctor = Tool.StartAdmissionLas(["doctor", "--kubeconfig", cluster.Kubeconfig]);
        await doctor.ExitCodeAsync();
        return doctor.Log;
    }

    static JsonObject First(JsonObject registration) => registration["webhooks"]![0]!.AsObject();

    static async Task<(string? Refusal, JsonObject? Created)> CreateSecretAsync(ApiServer api, string name, string type, string query = "")
    {
        JsonObject? created = null;
        var refusal = await TryAsync(async () => created = await api.CreateAsync($"/api/v1/namespaces/admission-las/secrets{query}", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["annotations"] = new JsonObject { ["kubernetes.io/service-account.name"] = "admission-las" } },
            ["type"] = type,
        }));
        return (refusal, created);
    }

    static async Task<string?> TryAsync(Func<Task> action)
    {
        try
        {
            await action();
            return null;
        }
        catch (HttpRequestException refused)
        {
            return refused.Message;
        }
    }
}
