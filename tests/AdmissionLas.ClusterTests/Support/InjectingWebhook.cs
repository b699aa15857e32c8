using System.Text;
using AdmissionLas.Server;
using Microsoft.AspNetCore.Http;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>A webhook beside ours that changes pods with a label, as a service mesh or KServe does; registered until it is disposed of.</summary>
sealed class InjectingWebhook : IAsyncDisposable
{
    const string Label = "inject";

    readonly ControlPlane cluster;
    readonly LoopbackServer server;
    readonly string name;

    InjectingWebhook(ControlPlane cluster, LoopbackServer server, string name) => (this.cluster, this.server, this.name) = (cluster, server, name);

    /// <summary>Registers it, and waits until it is called.</summary>
    /// <param name="cluster">Where.</param>
    /// <param name="name">Its registration's name: the API server calls webhooks in the order of these.</param>
    /// <param name="patch">What it does to a pod, a JSON Patch.</param>
    internal static async Task<InjectingWebhook> StartAsync(ControlPlane cluster, string name, string patch)
    {
        var certificate = DevelopmentCertificate.Create(DateTimeOffset.UtcNow);
        var server = await LoopbackServer.StartAsync(async http =>
        {
            var review = JsonNode.Parse(await new StreamReader(http.Request.Body).ReadToEndAsync())!;
            await http.Response.WriteAsJsonAsync(new JsonObject
            {
                ["apiVersion"] = review["apiVersion"]!.DeepClone(),
                ["kind"] = "AdmissionReview",
                ["response"] = new JsonObject
                {
                    ["uid"] = review["request"]!["uid"]!.DeepClone(), ["allowed"] = true, ["patchType"] = "JSONPatch", ["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(patch)),
                },
            });
        }, certificate.Leaf);
        var injecting = new InjectingWebhook(cluster, server, name);
        await cluster.Api.CreateAsync(ControlPlane.Registrations, injecting.Registration(certificate.Authority.ExportCertificatePem()));
        await Eventually.IsTrueAsync("the API server calls the injecting webhook", injecting.IsCalledAsync);
        return injecting;
    }

    /// <summary>The pod with the label that brings it here.</summary>
    internal static JsonObject Labelled(JsonObject pod) => pod.DeepClone().AsObject().With(p => p["metadata"]!["labels"]![Label] = "on");

    public async ValueTask DisposeAsync()
    {
        await cluster.UnregisterAsync(name);
        await Eventually.IsTrueAsync("the API server no longer calls the injecting webhook", async () => !await IsCalledAsync());
        await server.DisposeAsync();
    }

    async Task<bool> IsCalledAsync()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var plain = Steps.Filler("nowhere", "1m");
        return Additions(await ns.CreateAsync(Labelled(plain))) > Additions(await ns.CreateAsync(plain));

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
