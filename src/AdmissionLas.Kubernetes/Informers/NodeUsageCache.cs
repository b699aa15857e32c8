using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// Counts what is used of each node: by the pods that the watch has shown, and by pods that were just placed and are not seen yet (assumed).
/// </summary>
/// <remarks>
/// The sums are whole numbers, wide enough never to overflow, so they are exactly what a fresh count of the same pods gives. Two kinds of entries
/// expire after <c>assumeTimeout</c>: an assumed pod, as another webhook may have denied it, and a pod that is not bound so long after its creation,
/// as what it waits for may never come. While the API server does not answer, no time passes for entries: what would confirm them cannot arrive.
/// An assumed pod counts for its own namespace alone: somebody whose pods are refused, for a quota or as invalid, takes no room from others. It counts
/// no longer once the watch has come to pods that were created well after its review (<see cref="Reached"/>). Of its review nothing is kept but a
/// hash, which nobody makes two of.
/// </remarks>
public sealed class NodeUsageCache(TimeProvider time, TimeSpan assumeTimeout)
{
    /// <summary>
    /// How many pods may be assumed in one namespace: those of a minute of a large pipeline while the watch is interrupted. Else it is those of some
    /// seconds.
    /// </summary>
    const int MaxAssumedInNamespace = 5_000;

    /// <summary>The same of all together. A namespace may take no more than half of what is left of it.</summary>
    const int MaxAssumed = 30_000;

    /// <summary>And so many more, in equal shares of the namespaces that have opted in, which none of the others can take. All of it is some 10 MB.</summary>
    const int MaxAssumedInShares = 20_000;

    /// <summary>How long a pod may take from its review to the API server's store: other webhooks, quotas.</summary>
    static readonly TimeSpan MaxCreation = TimeSpan.FromSeconds(5);

    /// <summary>After a longer silence time passes again: the pods are no longer watched, and what is assumed must expire at some time.</summary>
    static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(5);

    readonly Lock gate = new();
    // By the pod's uid.
    readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);
    // By a hash of the review's uid, as a pod under review has none; and in the order of their reviews, with some that are gone.
    readonly Dictionary<UInt128, AssumedPod> assumed = [];
    Queue<(UInt128 Review, DateTimeOffset At, long ExpiresAt)> reviewed = new();
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>?>? namespaces;
    readonly Dictionary<string, NodeSum> sums = new(StringComparer.Ordinal);
    readonly AntiAffinityCounter antiAffinity = new();
    readonly ImmutableDictionary<string, NodeUsage>.Builder usages = ImmutableDictionary.CreateBuilder<string, NodeUsage>(StringComparer.Ordinal);
    readonly Dictionary<string, AssumedUsage> assumedIn = new(StringComparer.Ordinal);
    readonly SortedDictionary<int, int> priorities = [];
    readonly PriorityQueue<string, long> expiring = new();
    ClusterUsage? current;
    long nextExpiryAt = long.MaxValue;
    long pausedTicks;
    long? pausedSince;
    int list;
    bool isFollowed;

    /// <summary>Whether the pods are known: listed at least once and not forbidden since. Until then no pod is assumed.</summary>
    public bool IsFollowed => Volatile.Read(ref isFollowed);

    /// <summary>How many pods are counted.</summary>
    public int Count => Counted(() => entries.Count + assumed.Count);

    /// <summary>How many of them are assumed.</summary>
    public int AssumedCount => Counted(() => assumed.Count);

    /// <summary>
    /// What the pods use that the watch has shown. It is put together when it is read, so a storm of pods between two reviews costs no more than its sums.
    /// </summary>
    public ClusterUsage Current
    {
        get
        {
            if (Volatile.Read(ref current) is { } known && time.GetTimestamp() - Volatile.Read(ref pausedTicks) < Volatile.Read(ref nextExpiryAt))
            {
                return known;
            }

            lock (gate)
            {
                Expire();
                return current ??= new ClusterUsage(usages.ToImmutable(), antiAffinity.Current)
                {
                    LowestPriority = Math.Min(ClusterUsage.UsualPriority, priorities.Count == 0 ? int.MaxValue : priorities.First().Key),
                };
            }
        }
    }

    /// <summary>What is used now as a pod of the namespace should see it: with the pods that are assumed there.</summary>
    public ClusterUsage For(string @namespace)
    {
        var seen = Current;
        lock (gate)
        {
            return assumedIn.TryGetValue(@namespace, out var usage) ? usage.Beside(seen) : seen;
        }
    }

    /// <summary>
    /// Assumes that a pod uses the node that its review chose, until the watch shows the pod, or should have, or the timeout is over. In a namespace that
    /// has not opted in no pod is, nor where too many are.
    /// </summary>
    /// <param name="review">The review's uid; a repeated review counts once.</param>
    /// <param name="namespace">The pod's namespace.</param>
    /// <param name="node">The chosen node.</param>
    /// <param name="request">What the scheduler will count for the pod.</param>
    /// <param name="scored">What it will count for it in scores.</param>
    /// <param name="seen">The usage on which the decision is based (<see cref="For"/>); <see langword="null"/> to assume the pod in any case.</param>
    /// <returns><see langword="false"/> when the usage of the node has changed since: the pod is not assumed, decide again.</returns>
    public bool TryAssume(string review, string @namespace, string node, Resources request, Resources scored, ClusterUsage? seen)
    {
        var key = Key(review);
        lock (gate)
        {
            Expire();
            if (!isFollowed || namespaces?.ContainsKey(@namespace) == false || assumed.ContainsKey(key))
            {
                return true;
            }

            var there = assumedIn.GetValueOrDefault(@namespace);
            var share = namespaces is null ? 0 : MaxAssumedInShares / namespaces.Count;
            if ((there?.Pods ?? 0) >= Math.Min(MaxAssumedInNamespace, Math.Max(share, (MaxAssumed - assumed.Count) / 2)))
            {
                return true;
            }

            if (seen is not null && !ReferenceEquals(seen.On(node), there?.On(node) ?? usages.GetValueOrDefault(node, NodeUsage.None)))
            {
                return false;
            }

            if (there is null)
            {
                assumedIn[@namespace] = there = new AssumedUsage(@namespace);
            }

            var pod = new AssumedPod(there.SumOf(node), request, scored, At(assumeTimeout));
            assumed[key] = pod;
            Review(key, pod.ExpiresAt);
            CountAssumed(pod, 1);
            return true;
        }
    }

    /// <summary>Takes back what a review assumed, if the watch has not shown its pod yet: the pod is reviewed once more.</summary>
    /// <param name="review">The review's uid.</param>
    /// <returns>Whether its pod was assumed.</returns>
    public bool Release(string review)
    {
        var key = Key(review);
        lock (gate)
        {
            return RemoveAssumed(key);
        }
    }

    /// <summary>
    /// The watch has come to a pod that was created at this time. It shows pods in the order in which they were stored, so an assumed pod whose review was
    /// <see cref="MaxCreation"/> before and that it has not shown was never created. A watch that lags proves nothing too soon, as no time but that of
    /// its pods counts; nor does one that is interrupted, or shows no new pods.
    /// </summary>
    /// <param name="created">By the API server's clock. If it is ahead of ours, our own time has to be as late.</param>
    public void Reached(DateTimeOffset created)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            var proven = (created < now ? created : now) - MaxCreation;
            while (reviewed.TryPeek(out var oldest) && oldest.At <= proven)
            {
                ExpireOldest();
            }
        }
    }

    /// <summary>The watch, or a list, shows a pod.</summary>
    /// <param name="uid">The pod.</param>
    /// <param name="usage">What it uses; <see langword="null"/> for nothing.</param>
    public void Set(string uid, PodUsage? usage)
    {
        var review = usage?.Review is { } named ? Key(named) : default(UInt128?);
        lock (gate)
        {
            Expire();
            if (usage is null)
            {
                Remove(uid);
                return;
            }

            if (entries.TryGetValue(uid, out var before) && before.Sum.Node == usage.Node && before.ExpiresAt is null == usage.WaitingSince is null &&
                before.Request == usage.Request && before.Scored == usage.Scored && before.Priority == usage.Priority)
            {
                entries[uid] = before with { List = list };
            }
            else
            {
                Remove(uid);
                var left = usage.WaitingSince is { } since ? Left(since) : assumeTimeout;
                if (left > TimeSpan.Zero)
                {
                    if (!sums.TryGetValue(usage.Node, out var sum))
                    {
                        sums[usage.Node] = sum = new NodeSum(usage.Node);
                    }

                    Add(uid, sum, usage.Request, usage.Scored, usage.WaitingSince is null ? null : ExpiresAt(uid, left), usage.Repels, usage.Priority);
                }
            }

            // The pod that its review assumed.
            if (review is { } placed)
            {
                RemoveAssumed(placed);
            }
        }
    }

    /// <summary>A list has the pod, but does not say what it uses: what it used before counts.</summary>
    public void Keep(string uid)
    {
        lock (gate)
        {
            if (entries.TryGetValue(uid, out var before))
            {
                entries[uid] = before with { List = list };
            }
        }
    }

    /// <summary>
    /// The namespaces that have opted in, and the labels of those that can be kept: anti-affinity can ask for them; <see langword="null"/> where they
    /// are not known.
    /// </summary>
    public void SetNamespaces(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>?>? labels)
    {
        lock (gate)
        {
            namespaces = labels;
            antiAffinity.SetNamespaces(labels);
            Volatile.Write(ref current, null);
        }
    }

    /// <summary>A list starts. What is known stays until it is complete.</summary>
    public void BeginList()
    {
        lock (gate)
        {
            list++;
        }
    }

    /// <summary>A list is complete: pods that were seen before and are not on it are gone.</summary>
    public void EndList()
    {
        lock (gate)
        {
            foreach (var gone in entries.Where(c => c.Value.List != list).Select(c => c.Key).ToArray())
            {
                Remove(gone);
            }

            Volatile.Write(ref isFollowed, true);
        }
    }

    /// <summary>The API server does not answer: nothing expires until it does.</summary>
    public void Pause()
    {
        lock (gate)
        {
            pausedSince ??= time.GetTimestamp();
        }
    }

    /// <summary>The API server answers.</summary>
    public void Resume()
    {
        lock (gate)
        {
            Volatile.Write(ref pausedTicks, pausedTicks + PauseTicks());
            pausedSince = null;
        }
    }

    /// <summary>The pods can no longer be watched: unknown usage is better than outdated usage.</summary>
    public void Forget()
    {
        lock (gate)
        {
            entries.Clear();
            sums.Clear();
            antiAffinity.Clear();
            usages.Clear();
            assumedIn.Clear();
            priorities.Clear();
            expiring.Clear();
            assumed.Clear();
            reviewed.Clear();
            Volatile.Write(ref nextExpiryAt, long.MaxValue);
            Volatile.Write(ref current, null);
            Volatile.Write(ref isFollowed, false);
        }
    }

    int Counted(Func<int> count)
    {
        lock (gate)
        {
            Expire();
            return count();
        }
    }

    long Now() => time.GetTimestamp() - pausedTicks - PauseTicks();

    long PauseTicks() => pausedSince is { } since ? Math.Min(time.GetTimestamp() - since, (long)(MaxPause.TotalSeconds * time.TimestampFrequency)) : 0;

    // The API server's clock and ours differ a little.
    TimeSpan Left(DateTimeOffset since)
    {
        var age = time.GetUtcNow() - since;
        return age < TimeSpan.Zero ? assumeTimeout : assumeTimeout - age;
    }

    long At(TimeSpan left)
    {
        var at = Now() + (long)(left.TotalSeconds * time.TimestampFrequency);
        Volatile.Write(ref nextExpiryAt, Math.Min(at, nextExpiryAt));
        return at;
    }

    long ExpiresAt(string id, TimeSpan left)
    {
        var at = At(left);
        expiring.Enqueue(id, at);
        return at;
    }

    // Pods that are gone, as the watch has shown them, leave the queue once they are most of it.
    void Review(UInt128 key, long expiresAt)
    {
        reviewed.Enqueue((key, time.GetUtcNow(), expiresAt));
        if (reviewed.Count > 64 + (2 * assumed.Count))
        {
            reviewed = new(reviewed.Where(r => assumed.TryGetValue(r.Review, out var pod) && pod.ExpiresAt == r.ExpiresAt));
        }
    }

    void Expire()
    {
        var now = Now();
        while (expiring.TryPeek(out var id, out var at) && at <= now)
        {
            expiring.Dequeue();
            if (entries.TryGetValue(id, out var entry) && entry.ExpiresAt == at)
            {
                Remove(id);
            }
        }

        while (reviewed.TryPeek(out var oldest) && oldest.ExpiresAt <= now)
        {
            ExpireOldest();
        }

        Volatile.Write(ref nextExpiryAt, Math.Min(
            expiring.TryPeek(out _, out var first) ? first : long.MaxValue, reviewed.TryPeek(out var next) ? next.ExpiresAt : long.MaxValue));
    }

    void ExpireOldest()
    {
        var oldest = reviewed.Dequeue();
        if (assumed.TryGetValue(oldest.Review, out var pod) && pod.ExpiresAt == oldest.ExpiresAt)
        {
            RemoveAssumed(oldest.Review);
        }
    }

    bool RemoveAssumed(UInt128 key)
    {
        var wasAssumed = assumed.Remove(key, out var pod);
        if (wasAssumed)
        {
            CountAssumed(pod, -1);
        }

        return wasAssumed;
    }

    void CountAssumed(in AssumedPod pod, int sign)
    {
        pod.Sum.Add(pod.Request, pod.Scored, sign);
        pod.Sum.AssumedIn!.Pods += sign;
        Changed(pod.Sum);
    }

    // Strangers choose uids: half of SHA-256 is what they cannot make two of.
    static UInt128 Key(string review)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(review.AsSpan()), hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    void Add(string id, NodeSum sum, Resources request, Resources scored, long? expiresAt, PodAntiAffinity? repels, int priority)
    {
        sum.Add(request, scored, 1);
        Changed(sum);
        Prioritize(priority, 1);
        entries[id] = new Entry(sum, request, scored, expiresAt, list, priority, repels is null ? null : antiAffinity.Add(repels, sum.Node));
    }

    void Prioritize(int priority, int sign)
    {
        if ((priorities[priority] = priorities.GetValueOrDefault(priority) + sign) == 0)
        {
            priorities.Remove(priority);
        }
    }

    void Remove(string id)
    {
        if (!entries.Remove(id, out var entry))
        {
            return;
        }

        Prioritize(entry.Priority, -1);
        if (entry.Repels is not null)
        {
            antiAffinity.Remove(entry.Repels, entry.Sum.Node);
        }

        entry.Sum.Add(entry.Request, entry.Scored, -1);
        Changed(entry.Sum);
    }

    void Changed(NodeSum sum)
    {
        if (sum.AssumedIn is { } there)
        {
            if (!there.Update(sum.Node, usages.GetValueOrDefault(sum.Node)))
            {
                assumedIn.Remove(there.Namespace);
            }

            return;
        }

        if (sum.Pods == 0)
        {
            sums.Remove(sum.Node);
            usages.Remove(sum.Node);
        }
        else
        {
            usages[sum.Node] = sum.ToUsage();
        }

        foreach (var other in assumedIn.Values)
        {
            other.Update(sum.Node, usages.GetValueOrDefault(sum.Node));
        }

        Volatile.Write(ref current, null);
    }

    /// <param name="Sum">The sum that includes it.</param>
    /// <param name="Request">What it adds to the sum.</param>
    /// <param name="Scored">The same for scores.</param>
    /// <param name="ExpiresAt">When it expires; <see langword="null"/> for as long as the pod exists.</param>
    /// <param name="List">The last list that it was on or that started before it was seen.</param>
    /// <param name="Priority">Its priority.</param>
    /// <param name="Repels">Its required anti-affinity.</param>
    readonly record struct Entry(NodeSum Sum, Resources Request, Resources Scored, long? ExpiresAt, int List, int Priority, PodAntiAffinity? Repels);

    /// <param name="Sum">The sum of its node and namespace, which includes it.</param>
    /// <param name="Request">What it adds to the sum.</param>
    /// <param name="Scored">The same for scores.</param>
    /// <param name="ExpiresAt">When it expires.</param>
    readonly record struct AssumedPod(NodeSum Sum, Resources Request, Resources Scored, long ExpiresAt);

    /// <summary>The nodes on which pods of a namespace are assumed, with all that is used of them.</summary>
    sealed class AssumedUsage(string @namespace)
    {
        readonly Dictionary<string, NodeSum> sums = new(StringComparer.Ordinal);
        readonly ImmutableDictionary<string, NodeUsage>.Builder usages = ImmutableDictionary.CreateBuilder<string, NodeUsage>(StringComparer.Ordinal);

        internal string Namespace => @namespace;

        internal int Pods { get; set; }

        internal NodeSum SumOf(string node) => sums.TryGetValue(node, out var sum) ? sum : sums[node] = new NodeSum(node) { AssumedIn = this };

        internal NodeUsage? On(string node) => usages.GetValueOrDefault(node);

        internal ClusterUsage Beside(ClusterUsage seen) => seen.With(usages.ToImmutable());

        /// <summary>Something has changed on a node; returns whether pods are still assumed anywhere.</summary>
        internal bool Update(string node, NodeUsage? seen)
        {
            if (sums.TryGetValue(node, out var sum))
            {
                if (sum.Pods > 0)
                {
                    usages[node] = seen is null ? sum.ToUsage() : seen.Plus(sum.ToUsage());
                }
                else
                {
                    sums.Remove(node);
                    usages.Remove(node);
                }
            }

            return sums.Count > 0;
        }
    }

    /// <summary>128 bits: 64 are enough for each request, but not for the sum of invented ones.</summary>
    sealed class NodeSum(string node)
    {
        Int128 cpuMilli;
        Int128 memoryBytes;
        Int128 scoredCpuMilli;
        Int128 scoredMemoryBytes;
        SortedDictionary<string, Int128>? other;

        internal string Node => node;

        /// <summary>Where it counts, if its pods are assumed.</summary>
        internal AssumedUsage? AssumedIn { get; init; }

        internal long Pods { get; private set; }

        internal void Add(Resources request, Resources scored, int sign)
        {
            Pods += sign;
            cpuMilli += (Int128)request.CpuMilliOrZero * sign;
            memoryBytes += (Int128)request.MemoryBytesOrZero * sign;
            scoredCpuMilli += (Int128)scored.CpuMilliOrZero * sign;
            scoredMemoryBytes += (Int128)scored.MemoryBytesOrZero * sign;
            foreach (var (name, amount) in request.Other ?? [])
            {
                other ??= new SortedDictionary<string, Int128>(StringComparer.Ordinal);
                var sum = other.GetValueOrDefault(name) + ((Int128)amount * sign);
                if (sum == 0)
                {
                    other.Remove(name);
                }
                else
                {
                    other[name] = sum;
                }
            }
        }

        internal NodeUsage ToUsage() => new(
            new Resources(Saturated(cpuMilli), Saturated(memoryBytes), other is null or { Count: 0 } ? null : [.. other.Select(o => new ResourceAmount(o.Key, Saturated(o.Value)))]), Pods)
        {
            Scored = new Resources(Saturated(scoredCpuMilli), Saturated(scoredMemoryBytes)),
        };

        static long Saturated(Int128 sum) => sum > long.MaxValue ? long.MaxValue : (long)sum;
    }
}
