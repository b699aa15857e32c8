using System.Numerics;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>Whatever happens to pods and to their watch, the sums are those of a fresh count.</summary>
public sealed class NodeUsageCacheProperties
{
    static readonly TimeSpan Hold = TimeSpan.FromSeconds(60);
    static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(5);
    static readonly TimeSpan MaxCreation = TimeSpan.FromSeconds(5);

    [Fact]
    public void After_any_history_the_sums_are_those_of_a_fresh_count() => Events.Sample(
        events =>
        {
            var history = new History();
            foreach (var happened in events)
            {
                history.Happens(happened);
                history.Check();
            }
        },
        iter: 3_000,
        print: events => string.Join('\n', events));

    enum Kind { Assume, Create, Bind, Delete, Again, MissedCreate, MissedBind, MissedDelete, Relist, BrokenList, Interrupt, ShowsAnother, Pass, PassLong }

    /// <param name="Kind">What.</param>
    /// <param name="Pod">Which pod or review; one review makes one pod.</param>
    /// <param name="Node">Which node.</param>
    /// <param name="Size">How large.</param>
    sealed record Event(Kind Kind, int Pod, int Node, int Size);

    static Gen<Event[]> Events => Gen.Select(Gen.Enum<Kind>(), Gen.Int[0, 6], Gen.Int[0, 2], Gen.Int[0, 4], (kind, pod, node, size) => new Event(kind, pod, node, size)).Array[1, 60];

    static Resources Size(int size) => size switch
    {
        0 => Resources.None,
        1 => Amounts.Of("250m", "64Mi"),
        2 => Amounts.Of("3", "7Gi", (Nodes.Gpu, 1)),
        3 => Amounts.Of(memory: "1", other: [("ephemeral-storage", 5), (Nodes.Gpu, 2)]),
        // What an API server takes though no machine has it: two of them are more than 64 bits hold.
        _ => Amounts.Of("9000000000000000000", "9223372036854775807", (Nodes.Gpu, long.MaxValue)),
    };

    /// <summary>The pods as they are, as the watch has shown them, and until what age one counts that waits.</summary>
    sealed class History
    {
        readonly FakeTimeProvider time = new();
        readonly NodeUsageCache usageCache;
        readonly Dictionary<int, PodUsage> truth = [];
        readonly Dictionary<int, PodUsage> shown = [];
        readonly Dictionary<int, TimeSpan> countsUntil = [];
        readonly Dictionary<int, (string Node, Resources Request, TimeSpan At, DateTimeOffset Reviewed)> assumed = [];
        TimeSpan age;
        TimeSpan? silence;

        internal History()
        {
            usageCache = new NodeUsageCache(time, Hold);
            usageCache.BeginList();
            usageCache.EndList();
        }

        internal void Happens(Event e)
        {
            var node = $"node-{e.Node}";
            switch (e.Kind)
            {
                case Kind.Assume:
                    // A review is answered once, before its pod exists.
                    if (!truth.ContainsKey(e.Pod) && !shown.ContainsKey(e.Pod))
                    {
                        Assert.True(usageCache.TryAssume(Review(e.Pod), "team", node, Size(e.Size), Size(e.Size), e.Size == 0 ? null : usageCache.For("team")));
                        if (!assumed.TryGetValue(e.Pod, out var before) || before.At + Hold <= age)
                        {
                            assumed[e.Pod] = (node, Size(e.Size), age, time.GetUtcNow());
                        }
                    }

                    break;
                case Kind.Create or Kind.MissedCreate:
                    // A uid comes once: not again for a pod whose end nobody has seen.
                    if (truth.ContainsKey(e.Pod) || !shown.ContainsKey(e.Pod))
                    {
                        truth.TryAdd(e.Pod, new PodUsage(Uid(e.Pod), node, Size(e.Size), time.GetUtcNow(), Review(e.Pod)));
                    }

                    ShowUnless(e.Kind == Kind.MissedCreate, e.Pod);
                    break;
                case Kind.Bind or Kind.MissedBind:
                    if (truth.TryGetValue(e.Pod, out var waiting))
                    {
                        truth[e.Pod] = waiting with { Node = node, WaitingSince = null };
                        ShowUnless(e.Kind == Kind.MissedBind, e.Pod);
                    }

                    break;
                case Kind.Delete or Kind.MissedDelete:
                    truth.Remove(e.Pod);
                    ShowUnless(e.Kind == Kind.MissedDelete, e.Pod);
                    break;
                case Kind.Again:
                    ShowUnless(false, e.Pod);
                    break;
                case Kind.Relist:
                    usageCache.BeginList();
                    foreach (var pod in truth.Keys)
                    {
                        Show(pod);
                    }

                    usageCache.EndList();
                    Contact();
                    foreach (var gone in shown.Keys.Except(truth.Keys).ToArray())
                    {
                        Forget(gone);
                    }

                    break;
                case Kind.BrokenList:
                    usageCache.BeginList();
                    foreach (var pod in truth.Keys.Take(e.Size))
                    {
                        Show(pod);
                    }

                    break;
                case Kind.Interrupt:
                    usageCache.Pause();
                    silence ??= TimeSpan.Zero;
                    break;
                case Kind.ShowsAnother:
                    Contact();
                    var created = time.GetUtcNow() - TimeSpan.FromSeconds(e.Size);
                    usageCache.Reached(created);
                    foreach (var never in assumed.Where(a => a.Value.Reviewed + MaxCreation <= created).Select(a => a.Key).ToArray())
                    {
                        assumed.Remove(never);
                    }

                    break;
                case Kind.Pass:
                    Pass(TimeSpan.FromSeconds(7));
                    break;
                default:
                    Pass(Hold);
                    break;
            }
        }

        // An age that stands still in silence, though not for ever.
        void Pass(TimeSpan duration)
        {
            time.Advance(duration);
            age += duration;
            if (silence is { } before)
            {
                silence = before + duration;
                age -= TimeSpan.FromTicks(Math.Clamp((MaxPause - before).Ticks, 0, duration.Ticks));
            }
        }

        void Contact()
        {
            usageCache.Resume();
            silence = null;
        }

        internal void Check()
        {
            var counted = shown.Where(p => p.Value.WaitingSince is null || age < countsUntil[p.Key]).Select(p => (p.Value.Node, p.Value.Request))
                .Concat(assumed.Values.Where(a => age < a.At + Hold).Select(a => (a.Node, a.Request)))
                .ToLookup(c => c.Node, c => c.Request);
            var usage = usageCache.For("team");

            Assert.Equal(counted.Sum(c => c.Count()), usageCache.Count);
            Assert.Empty(usage.ByNode.Keys.Except(counted.Select(c => c.Key)));
            // What is assumed concerns its own namespace alone.
            var elsewhere = usageCache.For("another");
            Assert.All(counted, node => Assert.Equal(
                shown.Count(p => p.Value.Node == node.Key && (p.Value.WaitingSince is null || age < countsUntil[p.Key])), elsewhere.On(node.Key).Pods));
            foreach (var node in counted)
            {
                var (requested, pods) = usage.On(node.Key);
                Assert.Equal(node.Count(), pods);
                Assert.Equal(Sum(node, r => r.CpuMilliOrZero), requested.CpuMilliOrZero);
                Assert.Equal(Sum(node, r => r.MemoryBytesOrZero), requested.MemoryBytesOrZero);
                foreach (var name in (string[])[Nodes.Gpu, "ephemeral-storage"])
                {
                    Assert.Equal(Sum(node, r => r.AmountOf(name)), requested.AmountOf(name));
                }
            }
        }

        void ShowUnless(bool missed, int pod)
        {
            if (!missed)
            {
                Contact();
                if (truth.ContainsKey(pod))
                {
                    Show(pod);
                }
                else
                {
                    usageCache.Set(Uid(pod), null);
                    Forget(pod);
                }
            }
        }

        void Show(int pod)
        {
            usageCache.Set(Uid(pod), truth[pod]);
            // From its creation, and no time passes while nothing is heard.
            if (truth[pod].WaitingSince is { } since && (!shown.TryGetValue(pod, out var before) || before.WaitingSince is null || before != truth[pod]))
            {
                countsUntil[pod] = age + Hold - (time.GetUtcNow() - since);
            }

            shown[pod] = truth[pod];
            assumed.Remove(pod);
        }

        void Forget(int pod)
        {
            shown.Remove(pod);
            countsUntil.Remove(pod);
        }

        static long Sum(IEnumerable<Resources> requests, Func<Resources, long> resource) =>
            (long)BigInteger.Min(long.MaxValue, requests.Aggregate(BigInteger.Zero, (sum, r) => sum + resource(r)));

        static string Uid(int pod) => $"pod-{pod}";

        static string Review(int pod) => $"review-{pod}";
    }
}
