using Microsoft.Extensions.Logging;
using Labels = System.Collections.Immutable.ImmutableDictionary<string, System.Collections.Generic.IReadOnlyDictionary<string, string>?>;

namespace AdmissionLas.Kubernetes;

/// <summary>Follows which namespaces have opted in, and their labels: only their pods come to the webhook.</summary>
public sealed class NamespaceInformer : IResourceEventHandler
{
    readonly Reflector reflector;
    readonly TaskCompletionSource known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly NodeUsageCache? usageCache;
    Labels labels = Labels.Empty;
    Labels.Builder listed = Labels.Empty.ToBuilder();

    /// <summary>Sets up the informer; <see cref="RunAsync"/> starts it.</summary>
    /// <param name="api">The API server.</param>
    /// <param name="labelSelector">Which namespaces these are: <c>admissionlas.io/inject=enabled</c>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Gets a line for each interruption.</param>
    /// <param name="usageCache">Gets the labels.</param>
    public NamespaceInformer(KubeApi api, string labelSelector, TimeProvider time, ILogger<NamespaceInformer> log, NodeUsageCache? usageCache = null)
    {
        this.usageCache = usageCache;
        reflector = new Reflector(api, new WatchedResource("namespaces", LabelSelector: labelSelector), this, time, log);
    }

    /// <summary>Completes with the first list, or when the API server forbids to list them: then no namespace counts as opted in.</summary>
    public Task Known => known.Task;

    /// <summary>Whether the namespace has opted in.</summary>
    public bool Contains(string name) => Volatile.Read(ref labels).ContainsKey(name);

    /// <inheritdoc cref="NodeInformer.Restarts"/>
    public long Restarts => reflector.Restarts;

    /// <inheritdoc cref="NodeInformer.Skipped"/>
    public long Skipped => reflector.Skipped;

    /// <summary>Runs until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => reflector.RunAsync(stop);

    int IResourceEventHandler.Count => Volatile.Read(ref labels).Count;

    void IResourceEventHandler.OnListStarted() => listed = Labels.Empty.ToBuilder();

    void IResourceEventHandler.OnListed(JsonElement item)
    {
        if (ObjectMetadata.Name(item) is { } name)
        {
            listed[name] = NamespaceReader.Labels(item);
        }
    }

    void IResourceEventHandler.OnSkipped(JsonElement head)
    {
        if (ObjectMetadata.Name(head) is { } name && labels.TryGetValue(name, out var known))
        {
            listed[name] = known;
        }
    }

    void IResourceEventHandler.OnListCompleted()
    {
        Publish(listed.ToImmutable());
        known.TrySetResult();
    }

    void IResourceEventHandler.OnAddOrUpdate(JsonElement item)
    {
        if (ObjectMetadata.Name(item) is { } name)
        {
            Publish(labels.SetItem(name, NamespaceReader.Labels(item)));
        }
    }

    // Also when the label is taken away.
    void IResourceEventHandler.OnDelete(JsonElement item)
    {
        if (ObjectMetadata.Name(item) is { } name)
        {
            Publish(labels.Remove(name));
        }
    }

    void IResourceEventHandler.OnContact()
    {
    }

    void IResourceEventHandler.OnForbidden()
    {
        Volatile.Write(ref labels, Labels.Empty);
        usageCache?.SetNamespaces(null);
        known.TrySetResult();
    }

    void Publish(Labels now)
    {
        Volatile.Write(ref labels, now);
        usageCache?.SetNamespaces(now);
    }
}
