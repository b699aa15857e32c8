using System.Diagnostics.Metrics;
using AdmissionLas.Configuration;
using AdmissionLas.Kubernetes;
using AdmissionLas.Observers;
using AdmissionLas.Placement;
using k8s;
using k8s.Exceptions;

namespace AdmissionLas.Server;

/// <summary>Where the server learns of the nodes and of what runs on them.</summary>
abstract record ClusterSource
{
    /// <summary>A saved list of nodes; nothing changes.</summary>
    internal sealed record Snapshot(ClusterView View) : ClusterSource;

    /// <summary>An API server, listed and watched.</summary>
    internal sealed record ApiServer(KubernetesClientConfiguration Configuration) : ClusterSource;

    /// <summary>The thesis testbed that is part of the program.</summary>
    internal static ClusterSource Embedded()
    {
        using var text = EmbeddedFiles.Open("testbed/nodes.yaml");
        return new Snapshot(new ClusterView(YamlJson.ReadNodes(text)));
    }

    /// <summary>A file as <c>kubectl get nodes -o yaml</c> writes it.</summary>
    /// <exception cref="InvalidDataException">It cannot be read; the message names it.</exception>
    internal static ClusterSource FromFile(string file)
    {
        try
        {
            using var text = File.OpenText(file);
            return new Snapshot(new ClusterView(YamlJson.ReadNodes(text)));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new InvalidDataException($"the snapshot {file} cannot be used: {fault.Message}", fault);
        }
    }

    /// <summary>The API server that a kubeconfig file names.</summary>
    /// <exception cref="InvalidDataException">It cannot be read; the message names it.</exception>
    internal static ClusterSource FromKubeconfig(string file, string? context)
    {
        try
        {
            return new ApiServer(KubernetesClientConfiguration.BuildConfigFromConfigFile(file, context));
        }
        catch (Exception fault) when (fault is KubeConfigException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"the kubeconfig {file} cannot be used: {fault.Message}", fault);
        }
    }

    /// <summary>The API server of the cluster that this process runs in.</summary>
    /// <exception cref="InvalidDataException">It does not run in one.</exception>
    internal static ClusterSource InCluster() => KubernetesClientConfiguration.IsInCluster()
        ? new ApiServer(KubernetesClientConfiguration.InClusterConfig())
        : throw new InvalidDataException("this process does not run in a cluster; name one with --kubeconfig <file>, or use --snapshot <file>");

    /// <summary>Registers what keeps the state up to date.</summary>
    internal void AddTo(IServiceCollection services)
    {
        services.AddSingleton<UnreadableLatencyLog>();
        services.AddHostedService(provider => new ClusterSyncService(this, provider));
        if (this is ApiServer apiServer)
        {
            services.AddHostedService(provider => ActivatorUtilities.CreateInstance<EventSender>(provider, apiServer.Configuration));
        }
    }

    sealed class ClusterSyncService(ClusterSource source, IServiceProvider services) : BackgroundService
    {
        // A snapshot is in force before the first port opens.
        public override Task StartAsync(CancellationToken cancellationToken)
        {
            var state = services.GetRequiredService<ClusterState>();
            services.GetRequiredService<UnreadableLatencyLog>().Follow(state);
            if (source is Snapshot snapshot)
            {
                state.Heard();
                state.Publish(snapshot.View);
            }

            return base.StartAsync(cancellationToken);
        }

        protected override Task ExecuteAsync(CancellationToken stoppingToken) => source is ApiServer apiServer
            ? FeedAsync(apiServer.Configuration, services.GetRequiredService<ClusterState>(), stoppingToken)
            : Task.CompletedTask;

        async Task FeedAsync(KubernetesClientConfiguration configuration, ClusterState state, CancellationToken stop)
        {
            var time = services.GetRequiredService<TimeProvider>();
            using var api = new KubeApi(configuration, time);
            var nodes = new NodeInformer(api, state, time, services.GetRequiredService<ILogger<NodeInformer>>());
            var pods = new PodInformer(api, services.GetRequiredService<NodeUsageCache>(), time, services.GetRequiredService<ILogger<PodInformer>>());
            services.GetRequiredService<WebhookMetrics>().Meter.CreateObservableCounter(
                "admission_las.watch.restarts",
                () => (Measurement<long>[])[Of(nodes.Restarts, WatchedResource.Nodes), Of(pods.Restarts, WatchedResource.UnfinishedPods)],
                "{restart}", "How often a watch was opened again, by resource");
            await Task.WhenAll(nodes.RunAsync(stop), pods.RunAsync(stop)).ConfigureAwait(false);

            static Measurement<long> Of(long restarts, WatchedResource resource) => new(restarts, new KeyValuePair<string, object?>("resource", resource.Name));
        }
    }
}
