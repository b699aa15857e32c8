using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;

namespace AdmissionLas.Experiment;

/// <summary>Who places the pods.</summary>
/// <param name="Name">The name in the table.</param>
/// <param name="Policy">The webhook's policy; <see langword="null"/> for no webhook.</param>
/// <param name="IsOracle">The pods are bound by somebody who sees everything, and not by the scheduler.</param>
sealed record Strategy(string Name, PlacementPolicy? Policy, bool IsOracle = false);

/// <summary>A control plane and a webhook to try plans on. The namespace, and what it puts on the cluster, are its own.</summary>
/// <param name="api">The API server.</param>
/// <param name="webhook">The services of the webhook that is registered there.</param>
/// <param name="schedulerLog">What the scheduler says of its points; without it the misses go without them.</param>
sealed class ExperimentRunner(ApiServer api, IServiceProvider webhook, SchedulerLog? schedulerLog = null)
{
    const int CreatesAtOnce = 25;
    const string PriorityClasses = "/apis/scheduling.k8s.io/v1/priorityclasses";

    /// <summary>So long the scheduler may keep a pod back before it tries again (its longest back-off is 10 s).</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(12);

    static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(400);

    /// <summary>What is done around the acts of a plan, to measure them.</summary>
    internal Func<Func<Task>, Task> Around { get; init; } = static carryOut => carryOut();

    readonly Settings settings = Service<Settings>(webhook);
    readonly ClusterState state = Service<ClusterState>(webhook);
    readonly NodeUsageCache usageCache = Service<NodeUsageCache>(webhook);

    /// <summary>Carries out a plan and judges what came of it.</summary>
    internal async Task<Outcomes> RunAsync(Scenario scenario, int seed, Strategy strategy)
    {
        var plan = scenario.Make(new Random(seed));
        var ns = $"experiment-{Guid.NewGuid():N}"[..20];
        var labels = strategy.Policy is null ? [] : new JsonObject { ["admissionlas.io/inject"] = "enabled" };
        await api.CreateAsync("/api/v1/namespaces", new JsonObject { ["metadata"] = new JsonObject { ["name"] = ns, ["labels"] = labels } });
        var before = settings.Current;
        settings.Current = CompiledSettings.Of(before.Rules, (strategy.Policy ?? new PlacementPolicy()) with { ScoringStrategy = scenario.Scoring });
        await using var injecting = plan.Injects is null ? null : await InjectingWebhook.StartAsync(api, plan.Injects);
        var run = new Run(api, $"/api/v1/namespaces/{ns}/pods", strategy);
        try
        {
            await Parallel.ForEachAsync(plan.Nodes, new ParallelOptions { MaxDegreeOfParallelism = CreatesAtOnce }, async (node, _) => await AddAsync(node));
            await AddOthersAsync(plan, ns);
            await Eventually.IsTrueAsync("the webhook knows the nodes", () => Task.FromResult(
                plan.Nodes.All(n => state.Current!.Find(NameOf(n)) is { IsReady: true, Taints.Count: 0 })));
            // The scheduler has its own watch, and cannot be asked whether it has seen them.
            await Task.Delay(500);
            var from = schedulerLog?.Length ?? 0;
            return await WithScoresAsync(OutcomeEvaluator.Of(scenario, strategy, seed, await run.CarryOutAsync(plan, Around, SeenByWebhookAsync)), from, ns);
        }
        finally
        {
            settings.Current = before;
            await api.DeleteAsync($"/api/v1/namespaces/{ns}/pods");
            await Parallel.ForEachAsync(plan.Nodes, async (node, _) => await api.DeleteAsync($"/api/v1/nodes/{NameOf(node)}"));
            if (plan.PriorityClass is { } priority)
            {
                await api.DeleteAsync($"{PriorityClasses}/{priority}");
            }

            await Eventually.IsTrueAsync("the webhook has seen them go", () => Task.FromResult(
                usageCache.Count == usageCache.AssumedCount && plan.Nodes.All(n => state.Current!.Find(NameOf(n)) is null)));
        }
    }

    async Task AddOthersAsync(Plan plan, string ns)
    {
        foreach (var app in plan.Services)
        {
            await api.CreateAsync($"/api/v1/namespaces/{ns}/services", JsonNode.Parse($$"""
                { "metadata": { "name": "{{app}}" }, "spec": { "clusterIP": "None", "selector": { "app": "{{app}}" }, "ports": [{ "port": 80 }] } }
                """)!.AsObject());
        }

        if (plan.PriorityClass is { } priority)
        {
            await api.CreateAsync(PriorityClasses, new JsonObject { ["metadata"] = new JsonObject { ["name"] = priority }, ["value"] = 1000 });
        }
    }

    async Task<Outcomes> WithScoresAsync(Outcomes outcomes, long from, string namespaceName)
    {
        if (schedulerLog is null || outcomes.Misses.Count == 0)
        {
            return outcomes;
        }

        var points = await schedulerLog.ReadAsync(from, namespaceName, outcomes.Misses.Select(m => m.Pod).ToHashSet());
        return outcomes with { Misses = [.. outcomes.Misses.Select(m => m with { BestScores = points.GetValueOrDefault((m.Pod, m.BestNode)), Scores = points.GetValueOrDefault((m.Pod, m.Node)) })] };
    }

    async Task SeenByWebhookAsync(ClusterRecord record) => await Eventually.IsTrueAsync("the webhook knows what the record knows", () =>
    {
        var (usage, known) = (record.Look(c => c.Usage), usageCache.Current);
        return Task.FromResult(usage.ByNode.All(n => known.On(n.Key).Pods >= n.Value.Pods));
    });

    async Task AddAsync(JsonObject node)
    {
        await api.CreateAsync("/api/v1/nodes", node.DeepClone().AsObject());
        // Some API servers mark each new node as not ready, and here no controller takes the mark away.
        await api.MergePatchAsync($"/api/v1/nodes/{NameOf(node)}", new JsonObject { ["spec"] = new JsonObject { ["taints"] = null } });
    }

    static string NameOf(JsonObject node) => node["metadata"]!["name"]!.GetValue<string>();

    static T Service<T>(IServiceProvider services) => (T)services.GetService(typeof(T))!;

    /// <summary>One run of a plan.</summary>
    sealed class Run(ApiServer api, string path, Strategy strategy)
    {
        readonly ConcurrentDictionary<string, PlannedPod> alive = new();
        readonly ConcurrentDictionary<string, (PlannedPod Pod, long CreatedAt)> created = new();
        readonly List<PlannedPod> waiting = [];

        internal async Task<Recording> CarryOutAsync(Plan plan, Func<Func<Task>, Task> around, Func<ClusterRecord, Task> seenByWebhook)
        {
            await using var record = await ClusterRecord.StartAsync(api);
            using var stop = new CancellationTokenSource();
            var binding = strategy.IsOracle ? BindAsync(record, stop.Token) : Task.CompletedTask;
            await around(async () =>
            {
                foreach (var act in plan.Acts)
                {
                    await DoAsync(act, record);
                    if (act is Act.Settle && strategy.Policy is not null)
                    {
                        await seenByWebhook(record);
                    }
                }
            });
            await SettleAsync(record, Patience);
            await stop.CancelAsync();
            await binding;
            return new Recording(record.Events, created.Values.ToDictionary(c => c.Pod.Name), [.. alive.Values]);
        }

        async Task DoAsync(Act act, ClusterRecord record)
        {
            switch (act)
            {
                case Act.Burst burst:
                    var meanwhile = burst.Meanwhile.ToDictionary(m => m.After, m => m.Act);
                    await Parallel.ForEachAsync(burst.Pods.Index(), new ParallelOptions { MaxDegreeOfParallelism = CreatesAtOnce }, async (pod, _) =>
                    {
                        if (meanwhile.TryGetValue(pod.Index, out var also))
                        {
                            await DoAsync(also, record);
                        }

                        await CreateAsync(pod.Item);
                    });
                    break;
                case Act.Depart depart:
                    await Parallel.ForEachAsync(depart.Pods, async (pod, _) =>
                    {
                        alive.TryRemove(pod, out var _);
                        lock (waiting)
                        {
                            waiting.RemoveAll(w => w.Name == pod);
                        }

                        await api.DeleteAsync($"{path}/{pod}");
                    });
                    break;
                case Act.Change change:
                    await api.MergePatchAsync($"/api/v1/nodes/{change.Node}", change.Patch.DeepClone().AsObject());
                    break;
                case Act.ChangePods change:
                    await Parallel.ForEachAsync(change.Pods, async (pod, _) => await api.MergePatchAsync($"{path}/{pod}", change.Patch.DeepClone().AsObject()));
                    break;
                case Act.Vanish vanish:
                    await api.DeleteAsync($"/api/v1/nodes/{vanish.Node}");
                    break;
                case Act.Settle:
                    await SettleAsync(record, TimeSpan.FromSeconds(3));
                    break;
            }
        }

        async Task CreateAsync(PlannedPod pod)
        {
            var json = pod.Json.DeepClone().AsObject();
            if (strategy.IsOracle && pod.Kind != PodKind.Other)
            {
                json["spec"]!["schedulerName"] = "oracle";
            }

            alive[pod.Name] = pod;
            created[pod.Name] = (pod, Stopwatch.GetTimestamp());
            var (status, body) = await api.TryCreateAsync(path, json);
            if (status != HttpStatusCode.Created)
            {
                throw new InvalidOperationException($"{pod.Name} was refused: {body["message"]}");
            }

            if (strategy.IsOracle && pod.Kind != PodKind.Other)
            {
                lock (waiting)
                {
                    waiting.Add(pod);
                }
            }
        }

        /// <summary>Until all pods are seen, and bound if there is a node that can run them; or until nothing happens any more.</summary>
        async Task SettleAsync(ClusterRecord record, TimeSpan patience)
        {
            while (record.Still < patience)
            {
                // Only then: a look at all pods holds up the watches, and the API server ends one that does not keep up.
                if (record.Still > Quiet && record.Look(c => alive.Values.All(p => c.IsKnown(p.Name) && (c.NodeOf(p.Name) is not null || c.AbleTo(p.Facts).Length == 0))))
                {
                    return;
                }

                await Task.Delay(50);
            }
        }

        /// <summary>
        /// The oracle: in the order of creation every pod goes to the nearest node that can run it at that moment, training to the cloud node with
        /// the most room.
        /// </summary>
        async Task BindAsync(ClusterRecord record, CancellationToken stop)
        {
            while (!stop.IsCancellationRequested)
            {
                PlannedPod[] pods;
                lock (waiting)
                {
                    pods = [.. waiting];
                }

                foreach (var pod in pods)
                {
                    var node = record.Look(c => !c.IsKnown(pod.Name) || c.NodeOf(pod.Name) is not null ? null : Best(pod, c.AbleTo(pod.Facts), new NodeFilter(pod.Facts, c.Usage)));
                    if (node is not null)
                    {
                        // A pod that is gone by now is no fault.
                        await api.TryCreateAsync($"{path}/{pod.Name}/binding", new JsonObject
                        {
                            ["metadata"] = new JsonObject { ["name"] = pod.Name },
                            ["target"] = new JsonObject { ["kind"] = "Node", ["name"] = node.Name },
                        });
                        await Eventually.IsTrueAsync("the binding is seen", () => Task.FromResult(!alive.ContainsKey(pod.Name) || record.Look(c => c.NodeOf(pod.Name) is not null)));
                    }
                }

                lock (waiting)
                {
                    waiting.RemoveAll(w => record.Look(c => c.NodeOf(w.Name) is not null));
                }

                await Task.Delay(5, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        static NodeFacts? Best(PlannedPod pod, NodeFacts[] able, NodeFilter filter) => pod.Kind == PodKind.Predict
            ? able.MinBy(n => ClusterAt.LatencyMs(n, pod.Location!) ?? double.MaxValue)
            : able.OrderByDescending(n => n.Label(Objects.Tier) == "cloud").ThenByDescending(n => filter.FreeOn(n).CpuMilli).FirstOrDefault();
    }
}

/// <summary>What was recorded of a run.</summary>
/// <param name="Events">Every event of nodes and pods.</param>
/// <param name="Created">What was created, and when the request was sent.</param>
/// <param name="Alive">The pods that were not deleted.</param>
sealed record Recording(Seen[] Events, Dictionary<string, (PlannedPod Pod, long CreatedAt)> Created, PlannedPod[] Alive);
