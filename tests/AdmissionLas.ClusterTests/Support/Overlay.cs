namespace AdmissionLas.ClusterTests.Support;

/// <summary>What kustomize makes of a folder under manifests/overlays.</summary>
sealed record Overlay(IReadOnlyList<JsonObject> Objects)
{
    const string Folder = "manifests/overlays";

    /// <summary>Every overlay that there is.</summary>
    internal static IReadOnlyList<string> Names { get; } = [.. Directory.GetDirectories(Checkout.PathOf(Folder)).Select(d => Path.GetFileName(d)).Order()];

    internal static async Task<Overlay> RenderAsync(string name) => Read(await Kubectl.KustomizeAsync(Checkout.PathOf($"{Folder}/{name}")));

    /// <summary>As an admin's own kustomization adds a component to an overlay.</summary>
    internal static async Task<Overlay> RenderWithComponentAsync(string name, string component)
    {
        var own = Directory.CreateTempSubdirectory("admissionlas-overlay-");
        try
        {
            // Kustomize takes relative paths alone.
            var manifests = Path.GetRelativePath(own.FullName, Checkout.PathOf("manifests"));
            await File.WriteAllTextAsync(Path.Combine(own.FullName, "kustomization.yaml"), $"""
                resources: ["{manifests}/overlays/{name}"]
                components: ["{manifests}/components/{component}"]
                """);
            return Read(await Kubectl.KustomizeAsync(own.FullName));
        }
        finally
        {
            own.Delete(recursive: true);
        }
    }

    internal IEnumerable<JsonObject> OfKind(params string[] kinds) => Objects.Where(o => kinds.Contains(KindOf(o)));

    internal JsonObject Object(string kind, string name) => Assert.Single(OfKind(kind), o => NameOf(o) == name);

    /// <summary>What the webhook's pods are made from.</summary>
    internal JsonObject WebhookPod => Object("Deployment", "admission-las")["spec"]!["template"]!.AsObject();

    /// <summary>Everything that pods are made from, webhook and certificate jobs alike.</summary>
    internal IEnumerable<JsonObject> Pods => OfKind("Deployment", "Job", "CronJob")
        .Select(o => (KindOf(o) == "CronJob" ? o["spec"]!["jobTemplate"]! : o)["spec"]!["template"]!.AsObject());

    internal static string KindOf(JsonObject value) => value["kind"]!.GetValue<string>();

    internal static string NameOf(JsonObject value) => value["metadata"]!["name"]!.GetValue<string>();

    static Overlay Read(string yaml)
    {
        using var text = new StringReader(yaml);
        return new Overlay([.. YamlJson.ReadObjects(text).Select(o => JsonObject.Create(o)!)]);
    }
}
