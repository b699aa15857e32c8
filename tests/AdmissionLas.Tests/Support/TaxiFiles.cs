namespace AdmissionLas.Tests.Support;

/// <summary>The files of manifests/samples/chicago-taxi.</summary>
static class TaxiFiles
{
    internal static CompiledSettings NoRules { get; } = CompiledSettings.Of(new StepRules(), new PlacementPolicy());

    /// <summary>The rules for a platform that drops labels.</summary>
    internal static Lazy<CompiledSettings> Rules { get; } = new(() => ServerSettings.Read(PathOf("rules-kfp-2.0.yaml")));

    internal static string Text(string file) => File.ReadAllText(PathOf(file));

    internal static JsonObject Object(string file, int document = 0)
    {
        using var text = File.OpenText(PathOf(file));
        return JsonObject.Create(YamlJson.ReadObjects(text)[document])!;
    }

    /// <summary>The templates of kfp-v1.yaml that run a container.</summary>
    internal static JsonObject[] ArgoTemplates() =>
        [.. Object("kfp-v1.yaml")["spec"]!["templates"]!.AsArray().Where(t => t!["container"] is not null).Select(t => t!.AsObject())];

    internal static JsonObject ArgoTemplate(string step) => ArgoTemplates().Single(t => $"{t["name"]}" == step);

    /// <summary>A step's container in kfp-v2.yaml.</summary>
    internal static JsonObject Container(string step) =>
        Object("kfp-v2.yaml")["deploymentSpec"]!["executors"]![$"exec-{step}"]!["container"]!.AsObject();

    /// <summary>A step's labels in the platform's part of kfp-v2.yaml.</summary>
    internal static JsonObject? PodLabels(string step) =>
        Object("kfp-v2.yaml", 1)["platforms"]!["kubernetes"]!["deploymentSpec"]!["executors"]![$"exec-{step}"]?["podMetadata"]!["labels"]!.AsObject();

    static string PathOf(string file) => Path.Combine(AppContext.BaseDirectory, "samples", "chicago-taxi", file);
}
