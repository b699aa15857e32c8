using System.Net;
using AdmissionLas.Configuration;
using AdmissionLas.Registration;
using k8s.Autorest;

namespace AdmissionLas.Snapshots;

/// <summary>
/// A cluster at one moment: everything that decisions depend on. Objects from an API server and from a file are reduced and read in the same way,
/// so decisions are the same with both.
/// </summary>
/// <param name="Objects">Nodes, pods, namespaces, the classes that pods name and the webhook's configuration, reduced, as kubectl would print them.</param>
/// <param name="MissingKinds">The kinds of object that could not be read.</param>
sealed record ClusterSnapshot(IReadOnlyList<JsonObject> Objects, IReadOnlyList<string> MissingKinds)
{
    /// <summary>The kind of object that the webhook's configuration is in.</summary>
    internal const string ConfigurationKind = "ConfigMap";

    /// <summary>The kind of object by which the API server gives a pod its priority.</summary>
    internal const string PriorityKind = "PriorityClass";

    /// <summary>The kind of object by which it adds what a container runtime needs.</summary>
    internal const string RuntimeKind = "RuntimeClass";

    /// <summary>The nodes.</summary>
    /// <param name="latencies">Which of their labels are latencies.</param>
    internal ClusterView View(LatencyLabels latencies) => new(Of(Objects, "Node").Select(o => NodeReader.Read(YamlJson.ToElement(o), latencies)).OfType<NodeFacts>());

    /// <summary>The webhook's configuration; <see langword="null"/> where it is not known.</summary>
    string? Configuration => Of(Objects, ConfigurationKind)
        .FirstOrDefault(o => o.Object("metadata").Text("name") == ConfigurationFile.ConfigMapName).Object("data").Text(ConfigurationFile.ConfigMapKey);

    /// <summary>The webhook's settings; the defaults where its configuration is not known.</summary>
    /// <exception cref="InvalidDataException">The configuration is not YAML.</exception>
    /// <exception cref="OptionsValidationException">It has faults.</exception>
    internal CompiledSettings Settings => Configuration is { } text ? SettingsCompiler.FromText(text) : CompiledSettings.Default;

    /// <summary>Whether it holds any pod. Without pods it does not say what the nodes run.</summary>
    internal bool HasPods => Of(Objects, "Pod").Any();

    /// <summary>What the pods use on the nodes.</summary>
    /// <param name="except">The uid of a pod that does not count, because it is the one in question.</param>
    internal ClusterUsage Usage(string? except = null)
    {
        // Long enough that nothing expires during one command.
        var usageCache = new NodeUsageCache(TimeProvider.System, TimeSpan.FromDays(1));
        CountPods(usageCache, except);
        return usageCache.Current;
    }

    /// <summary>Counts the pods as a complete list of them.</summary>
    /// <param name="usageCache">Where they count.</param>
    /// <param name="except">The uid of a pod that does not count.</param>
    internal void CountPods(NodeUsageCache usageCache, string? except = null)
    {
        usageCache.SetNamespaces(Of(Objects, "Namespace").Select(YamlJson.ToElement)
            .DistinctBy(ObjectMetadata.Name).ToDictionary(n => ObjectMetadata.Name(n) ?? "", NamespaceReader.Labels, StringComparer.Ordinal));
        usageCache.BeginList();
        foreach (var pod in Of(Objects, "Pod").Select(YamlJson.ToElement))
        {
            if (PodUsageReader.Read(pod) is { } usage && usage.Uid != except && (usage.WaitingSince is null || OptsIn(ObjectMetadata.Namespace(pod) ?? "") != false))
            {
                // How old it was when this was saved is not known.
                usageCache.Set(usage.Uid, usage with { WaitingSince = usage.WaitingSince is null ? null : DateTimeOffset.MaxValue });
            }
        }

        usageCache.EndList();
    }

    /// <summary>Whether a namespace opts in; <see langword="null"/> when that is not known.</summary>
    internal bool? OptsIn(string @namespace) => Of(Objects, "Namespace").FirstOrDefault(o => o.Object("metadata").Text("name") == @namespace) is { } found
        ? found.Object("metadata").Object("labels").Text(RegistrationKeys.OptIn) == RegistrationKeys.OptedIn
        : null;

    /// <summary>What follows for a command from a kind that could not be read, in words.</summary>
    internal static string NoticeOf(string missingKind) => missingKind switch
    {
        "Pod" => "pods cannot be listed, so every node counts as empty",
        PriorityKind => "priority classes cannot be read, so none counts, nor does the default one for pods that name none: a pod with a priority may evict others",
        RuntimeKind => "runtime classes cannot be read, so what they add to a pod does not count",
        "Namespace" => "namespaces cannot be listed, so it is not known which opt in and what labels they have",
        _ => "the webhook's configuration cannot be read, so the defaults are assumed; name it with --config",
    };

    /// <summary>The thesis testbed that is part of the program.</summary>
    internal static ClusterSnapshot Embedded()
    {
        using var text = EmbeddedFiles.Open("testbed/nodes.yaml");
        return Read(text);
    }

    /// <summary>A file that <c>admission-las snapshot</c> or <c>kubectl get nodes,pods -A -o yaml</c> wrote.</summary>
    /// <exception cref="InvalidDataException">It cannot be used; the message names it.</exception>
    internal static ClusterSnapshot FromFile(string file)
    {
        try
        {
            using var text = File.OpenText(file);
            return Read(text);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new InvalidDataException($"the snapshot {file} cannot be used: {fault.Message}", fault);
        }
    }

    static ClusterSnapshot Read(TextReader text)
    {
        var objects = YamlJson.ReadObjects(text).Select(e => JsonObject.Create(e)!).Select(Reduced).OfType<JsonObject>().ToArray();
        var snapshot = new ClusterSnapshot(objects, []);
        return snapshot.View(LatencyLabels.All).Nodes.Count > 0 ? snapshot : throw new InvalidDataException("it holds no Node; save one with: admission-las snapshot > snapshot.yaml");
    }

    /// <summary>Reads it from an API server. The nodes are required; <see cref="MissingKinds"/> names everything else.</summary>
    /// <param name="api">The API server.</param>
    /// <param name="installedIn">The namespace with the webhook's configuration.</param>
    /// <param name="stop">Cancels it.</param>
    /// <exception cref="HttpOperationException">The nodes may not be listed.</exception>
    internal static async Task<ClusterSnapshot> TakeAsync(KubeApi api, string installedIn, CancellationToken stop)
    {
        List<string> missing = [];
        List<JsonObject> objects = [.. await ListAsync(api, WatchedResource.Nodes, "Node", stop).ConfigureAwait(false)];
        objects.AddRange(await TryAsync("Pod", () => ListAsync(api, WatchedResource.UnfinishedPods, "Pod", stop)).ConfigureAwait(false));
        objects.AddRange(await TryAsync("Namespace", () => ListAsync(api, new WatchedResource("namespaces"), "Namespace", stop)).ConfigureAwait(false));
        foreach (var (kind, path) in ((string, string)[])[(PriorityKind, "scheduling.k8s.io/v1/priorityclasses"), (RuntimeKind, "node.k8s.io/v1/runtimeclasses")])
        {
            objects.AddRange(await TryAsync(kind, async () =>
                [.. JsonObject.Create(await api.ReadAsync($"apis/{path}", stop).ConfigureAwait(false)).Objects("items").Select(o => Reduced(o, kind)).OfType<JsonObject>()]).ConfigureAwait(false));
        }

        objects.AddRange(await TryAsync(ConfigurationKind, async () =>
        {
            var path = $"api/v1/namespaces/{Uri.EscapeDataString(installedIn)}/configmaps/{ConfigurationFile.ConfigMapName}";
            return ObjectReduction.Configuration(JsonObject.Create(await api.ReadAsync(path, stop).ConfigureAwait(false))!) is { } found ? [found] : [];
        }).ConfigureAwait(false));
        return new ClusterSnapshot(objects, missing);

        async Task<List<JsonObject>> TryAsync(string kind, Func<Task<List<JsonObject>>> action)
        {
            try
            {
                return await action().ConfigureAwait(false);
            }
            catch (HttpOperationException fault) when (fault.Response.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized or HttpStatusCode.NotFound)
            {
                missing.Add(kind);
                return [];
            }
        }
    }

    /// <summary>Writes it as a List that kubectl and <c>--snapshot</c> read.</summary>
    internal void Write(TextWriter output) => YamlJson.Write(
        new JsonObject { ["apiVersion"] = "v1", ["kind"] = "List", ["items"] = new JsonArray([.. Objects.Select(o => o.DeepClone())]) }, output);

    static async Task<List<JsonObject>> ListAsync(KubeApi api, WatchedResource resource, string kind, CancellationToken stop)
    {
        List<JsonObject?> objects = [];
        // The items of a list do not say their kind.
        await api.ListAllAsync(resource, item => objects.Add(Reduced(JsonObject.Create(item.Clone())!, kind)), stop).ConfigureAwait(false);
        return [.. objects.OfType<JsonObject>()];
    }

    static JsonObject? Reduced(JsonObject item) => item.Text("kind") is { } kind ? Reduced(item, kind) : null;

    // A pod that uses nothing changes no decision.
    static JsonObject? Reduced(JsonObject item, string kind) => kind switch
    {
        "Node" => ObjectReduction.Node(item),
        "Pod" => ObjectReduction.Pod(item) is var pod && PodUsageReader.Read(YamlJson.ToElement(pod)) is not null ? pod : null,
        "Namespace" => ObjectReduction.Namespace(item),
        PriorityKind => ObjectReduction.PriorityClass(item),
        RuntimeKind => ObjectReduction.RuntimeClass(item),
        ConfigurationKind when item.Object("metadata").Text("name") == ConfigurationFile.ConfigMapName => ObjectReduction.Configuration(item),
        _ => null,
    };

    static IEnumerable<JsonObject> Of(IReadOnlyList<JsonObject> objects, string kind) => objects.Where(o => o.Text("kind") == kind);
}
