using System.Diagnostics.Metrics;
using AdmissionLas.Configuration;
using AdmissionLas.Observers;
using AdmissionLas.Registration;
using AdmissionLas.Snapshots;
using k8s;
using k8s.Exceptions;
using YamlDotNet.Core;

namespace AdmissionLas.Server;

/// <summary>Where the server reads the nodes and the pods from.</summary>
abstract record ClusterSource
{
    /// <summary>A cluster as it was saved; nothing changes.</summary>
    /// <param name="View">The nodes, when these of their labels are latencies.</param>
    /// <param name="CountPods">Counts the saved pods as used; <see langword="null"/> when none are saved, so that usage is unknown.</param>
    internal sealed record Snapshot(Func<LatencyLabels, ClusterView> View, Action<NodeUsageCache>? CountPods = null) : ClusterSource;

    /// <summary>An API server, listed and watched.</summary>
    internal sealed record ApiServer(KubernetesClientConfiguration Configuration) : ClusterSource;

    /// <summary>The thesis testbed that is part of the program.</summary>
    internal static ClusterSource Embedded() => Of(ClusterSnapshot.Embedded());

    /// <summary>A file that <c>admission-las snapshot</c> or <c>kubectl get nodes,pods -A -o yaml</c> wrote.</summary>
    /// <exception cref="InvalidDataException">It cannot be used; the message names it.</exception>
    internal static ClusterSource FromFile(string file) => Of(ClusterSnapshot.FromFile(file));

    /// <summary>The API server that a kubeconfig file names.</summary>
    /// <exception cref="InvalidDataException">The file cannot be read; the message names it.</exception>
    internal static ClusterSource FromKubeconfig(string file, string? context) => new ApiServer(ReadKubeconfig(file, context));

    /// <inheritdoc cref="FromKubeconfig"/>
    internal static KubernetesClientConfiguration ReadKubeconfig(string file, string? context)
    {
        try
        {
            return KubernetesClientConfiguration.BuildConfigFromConfigFile(file, context);
        }
        catch (Exception fault) when (fault is KubeConfigException or YamlException or IOException or UnauthorizedAccessException or FormatException)
        {
            throw new InvalidDataException($"the kubeconfig {file} cannot be used: {fault.Message}", fault);
        }
    }

    /// <summary>The API server of the cluster that this process runs in.</summary>
    /// <exception cref="InvalidDataException">It does not run in one.</exception>
    internal static ClusterSource InCluster() => KubernetesClientConfiguration.IsInCluster()
        ? new ApiServer(KubernetesClientConfiguration.InClusterConfig())
        : throw new InvalidDataException("this process does not run in a cluster; name one with --kubeconfig <file>, or use --snapshot <file>");

    static Snapshot Of(ClusterSnapshot saved) => new(saved.View, saved.HasPods ? cache => saved.CountPods(cache) : null);

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

    static readonly TimeSpan PatienceForNamespaces = TimeSpan.FromSeconds(10);

    sealed class ClusterSyncService(ClusterSource source, IServiceProvider services) : BackgroundService
    {
        // A snapshot is in force before the first port opens.
        public override Task StartAsync(CancellationToken cancellationToken)
        {
            var state = services.GetRequiredService<ClusterState>();
            services.GetRequiredService<UnreadableLatencyLog>().Follow(state);
            if (source is Snapshot snapshot)
            {
                state.NoteContact();
                state.Publish(snapshot.View(services.GetRequiredService<Settings>().Current.Policy.LatencyLabels));
                snapshot.CountPods?.Invoke(services.GetRequiredService<NodeUsageCache>());
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
            var settings = services.GetRequiredService<Settings>();
            var names = new ResourceNames();
            var nodes = new NodeInformer(api, state, settings.Current.Policy.LatencyLabels, time, services.GetRequiredService<ILogger<NodeInformer>>(), names);
            var usageCache = services.GetRequiredService<NodeUsageCache>();
            var namespaces = new NamespaceInformer(
                api, $"{RegistrationKeys.OptIn}={RegistrationKeys.OptedIn}", time, services.GetRequiredService<ILogger<NamespaceInformer>>(), usageCache);
            services.GetRequiredService<PlacementEventQueue>().LetIn(namespaces.Contains);
            var metrics = services.GetRequiredService<WebhookMetrics>();
            var trust = new ReservationTrust(namespaces, state, settings);
            var follower = new PlacementFollower(namespaces.Contains, state, settings, metrics, services.GetService<RecentDecisions>());
            var pods = new PodInformer(api, usageCache, trust.Trusts, time, services.GetRequiredService<ILogger<PodInformer>>(), follower, names);
            metrics.Meter.CreateObservableCounter(
                "admission_las.watch.restarts",
                () => (Measurement<long>[])[Of(nodes.Restarts, "nodes"), Of(pods.Restarts, "pods"), Of(namespaces.Restarts, "namespaces")],
                "{restart}", "How often a watch was opened again, by resource");
            metrics.Meter.CreateObservableCounter(
                "admission_las.skipped_objects",
                () => (Measurement<long>[])[Of(nodes.Skipped, "nodes"), Of(pods.Skipped, "pods"), Of(namespaces.Skipped, "namespaces")],
                "{object}", "Objects in lists and watches that were too large to be read, by resource");
            await Task.WhenAll(nodes.RunAsync(stop), namespaces.RunAsync(stop), CountPodsAsync()).ConfigureAwait(false);

            // Of a pod only the resources count that some node has, and without nodes no review is decided. Whether a waiting pod counts depends on its
            // namespace, too. Where these do not come, what runs is better known than nothing.
            async Task CountPodsAsync()
            {
                await state.Known.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await namespaces.Known.WaitAsync(PatienceForNamespaces, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await pods.RunAsync(stop).ConfigureAwait(false);
            }

            static Measurement<long> Of(long count, string resource) => new(count, new KeyValuePair<string, object?>("resource", resource));
        }
    }
}
