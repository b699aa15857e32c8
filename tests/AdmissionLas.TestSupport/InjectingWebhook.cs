using System.Text;
using System.Text.Json.Nodes;
using AdmissionLas.Server;
using Microsoft.AspNetCore.Http;

namespace AdmissionLas.TestSupport;

/// <summary>A webhook beside ours that changes pods with the label <c>inject</c>, as a service mesh or KServe does; registered until it is disposed of.</summary>
sealed class InjectingWebhook : IAsyncDisposable
{
    /// <summary>A name that sorts behind that of our registration: such a webhook is called after ours, and ours once more.</summary>
    internal const string AfterOurs = "zzz-injects-after-us";

    const string Label = "inject";
    const string Registrations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

    readonly ApiServer api;
    readonly LoopbackServer server;
    readonly string name;

    InjectingWebhook(ApiServer api, LoopbackServer server, string name) => (this.api, this.server, this.name) = (api, server, name);

    /// <summary>Registers it, and waits until it is called.</summary>
    /// <param name="api">Where.</param>
    /// <param name="patch">What it does to a pod, a JSON Patch; it adds a container or a volume.</param>
    /// <param name="name">Its registration's name: the API server calls webhooks in the order of these.</param>
    internal static async Task<InjectingWebhook> StartAsync(ApiServer api, string patch, string name = AfterOurs)
    {
        var certificate = DevelopmentCertificate.Create(DateTimeOffset.UtcNow);
        var server = await LoopbackServer.StartAsync(async http =>
        {
            var review = JsonNode.Parse(await new StreamReader(http.Request.Body).ReadToEndAsync())!;
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(new JsonObject
            {
                ["apiVersion"] = review["apiVersion"]!.DeepClone(),
                ["kind"] = "AdmissionReview",
                ["response"] = new JsonObject
                {
                    ["uid"] = review["request"]!["uid"]!.DeepClone(),
                    ["allowed"] = true,
                    ["patchType"] = "JSONPatch",
                    ["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(patch)),
                },
            }.ToJsonString());
        }, certificate.Leaf);
        var injecting = new InjectingWebhook(api, server, name);
        await api.CreateAsync(Registrations, injecting.Registration(certificate.Authority.ExportCertificatePem()));
        await Eventually.IsTrueAsync("the API server calls the injecting webhook", injecting.IsCalledAsync);
        return injecting;
    }

    /// <summary>The pod with the label that brings it here.</summary>
    internal static JsonObject Labelled(JsonObject pod)
    {
        var labelled = pod.DeepClone().AsObject();
        labelled["metadata"]!["labels"]![Label] = "on";
        return labelled;
    }

    public async ValueTask DisposeAsync()
    {
        await api.DeleteAsync($"{Registrations}/{name}");
        await Eventually.IsTrueAsync("the API server no longer calls the injecting webhook", async () => !await IsCalledAsync());
        await server.DisposeAsync();
    }

    // By a dry run, which leaves nothing.
    async Task<bool> IsCalledAsync()
    {
        var plain = new JsonObject
        {
            ["metadata"] = new JsonObject { ["generateName"] = "probe-", ["labels"] = new JsonObject() },
            ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = "probe" }) },
        };
        return Additions(await api.CreateAsync("/api/v1/namespaces/default/pods?dryRun=All", Labelled(plain))) > Additions(await api.CreateAsync("/api/v1/namespaces/default/pods?dryRun=All", plain));

        static int Additions(JsonObject pod) => pod["spec"]!["containers"]!.AsArray().Count + (pod["spec"]!["volumes"]?.AsArray().Count ?? 0);
    }

    JsonObject Registration(string authorityPem) => new()
    {
        ["apiVersion"] = "admissionregistration.k8s.io/v1",
        ["kind"] = "MutatingWebhookConfiguration",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["webhooks"] = new JsonArray(new JsonObject
        {
            ["name"] = "inject.example.com",
            ["clientConfig"] = new JsonObject { ["url"] = server.Address, ["caBundle"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(authorityPem)) },
            ["rules"] = JsonNode.Parse("""[{ "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"] }]"""),
            ["objectSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { [Label] = "on" } },
            ["admissionReviewVersions"] = new JsonArray("v1"),
            ["sideEffects"] = "None",
            ["failurePolicy"] = "Ignore",
            ["timeoutSeconds"] = 5,
        }),
    };
}
