using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.Kubernetes;

/// <summary>Follows which namespaces have opted in: only their pods come to the webhook.</summary>
public sealed class NamespaceInformer : IResourceEventHandler
{
    readonly Reflector reflector;
    readonly TaskCompletionSource known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    ImmutableHashSet<string> names = [];
    ImmutableHashSet<string>.Builder listed = NoNames();

    /// <summary>Sets up the informer; <see cref="RunAsync"/> starts it.</summary>
    /// <param name="api">The API server.</param>
    /// <param name="labelSelector">Which namespaces these are: <c>admissionlas.io/inject=enabled</c>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Gets a line for each interruption.</param>
    public NamespaceInformer(KubeApi api, string labelSelector, TimeProvider time, ILogger<NamespaceInformer> log) =>
        reflector = new Reflector(api, new WatchedResource("namespaces", LabelSelector: labelSelector), this, time, log);

    /// <summary>Completes with the first list, or when the API server forbids to list them: then no namespace counts as opted in.</summary>
    public Task Known => known.Task;

    /// <summary>Whether the namespace has opted in.</summary>
    public bool Contains(string name) => Volatile.Read(ref names).Contains(name);

    /// <inheritdoc cref="NodeInformer.Restarts"/>
    public long Restarts => reflector.Restarts;

    /// <summary>Runs until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => reflector.RunAsync(stop);

    int IResourceEventHandler.Count => Volatile.Read(ref names).Count;

    void IResourceEventHandler.OnListStarted() => listed = NoNames();

    void IResourceEventHandler.OnListed(JsonElement item)
    {
        if (ObjectMetadata.Name(item) is { } name)
        {
            listed.Add(name);
        }
    }

    void IResourceEventHandler.OnListCompleted()
    {
        Volatile.Write(ref names, listed.ToImmutable());
        known.TrySetResult();
    }

    void IResourceEventHandler.OnAddOrUpdate(JsonElement item)
    {
        if (ObjectMetadata.Name(item) is { } name)
        {
            Volatile.Write(ref names, names.Add(name));
        }
    }

    // Also when the label is taken away.
    void IResourceEventHandler.OnDelete(JsonElement item)
    {
        if (ObjectMetadata.Name(item) is { } name)
        {
            Volatile.Write(ref names, names.Remove(name));
        }
    }

    void IResourceEventHandler.OnContact()
    {
    }

    void IResourceEventHandler.OnForbidden()
    {
        Volatile.Write(ref names, []);
        known.TrySetResult();
    }

    static ImmutableHashSet<string>.Builder NoNames() => ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
}
