using System.Collections.Immutable;
using AdmissionLas.Placement;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// Keeps count of what is spoken for on each node: by pods that the watch shows, and by those that were just placed and are not seen yet.
/// </summary>
/// <remarks>
/// The sums are whole numbers that are added to and taken from, wide enough never to overflow, so they are exactly what a fresh count of the
/// same pods would give. Two kinds of claim are only believed for a while (<c>hold</c>): of a pod that no watch has shown yet, for somebody else may
/// have denied it, and of one for which the scheduler found no node, for what it waits for may never come. That one is believed at all because the
/// scheduler hears of pods and nodes later than we do, or earlier: it tries again in a moment. A pod that it has not looked at yet claims its node for as
/// long as that takes. While the API server cannot be heard no time passes here: nobody could have told us better.
/// </remarks>
public sealed class NodeUsageCache(TimeProvider time, TimeSpan assumeTimeout)
{
    /// <summary>How many claims may be believed for a while at once; more are not assumed. It bounds what a stranger who posts reviews can make us remember.</summary>
    const int MaxExpiring = 100_000;

    const int Assumed = -1;

    /// <summary>A silence that is longer than this is no outage, the pods are just not followed any more; what is assumed meanwhile must be forgotten some day.</summary>
    static readonly TimeSpan LongestStandstill = TimeSpan.FromMinutes(5);

    readonly Lock gate = new();
    readonly long holdTicks = (long)(assumeTimeout.TotalSeconds * time.TimestampFrequency);
    // By pod uid; what is only assumed by the uid of its review, as a pod under review has none.
    readonly Dictionary<string, Claim> claims = new(StringComparer.Ordinal);
    readonly Dictionary<string, NodeSum> sums = new(StringComparer.Ordinal);
    readonly ImmutableDictionary<string, NodeUsage>.Builder usages = ImmutableDictionary.CreateBuilder<string, NodeUsage>(StringComparer.Ordinal);
    readonly Queue<(long At, string Id)> expiring = new();
    ClusterUsage? current;
    long nextExpiryAt = long.MaxValue;
    long stoodStillTicks;
    long? silentSince;
    int list;
    int assumed;
    bool isFollowed;

    /// <summary>Whether the pods are followed: listed at least once and not refused since. Until then nothing is assumed either.</summary>
    public bool IsFollowed => Volatile.Read(ref isFollowed);

    /// <summary>How many claims are known.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                Expire();
                return claims.Count;
            }
        }
    }

    /// <summary>How many of them no watch has shown yet.</summary>
    public int AssumedCount
    {
        get
        {
            lock (gate)
            {
                Expire();
                return assumed;
            }
        }
    }

    /// <summary>What is spoken for now. It is put together when somebody asks, so that a storm of pods between two reviews costs no more than its sums.</summary>
    public ClusterUsage Current
    {
        get
        {
            if (Volatile.Read(ref current) is { } known && time.GetTimestamp() - Volatile.Read(ref stoodStillTicks) < Volatile.Read(ref nextExpiryAt))
            {
                return known;
            }

            lock (gate)
            {
                Expire();
                return current ??= new ClusterUsage(usages.ToImmutable());
            }
        }
    }

    /// <summary>Counts a pod against the node that a review has chosen, until the watch shows the pod or the time is over.</summary>
    /// <param name="review">The review's uid; the same review again counts once.</param>
    /// <param name="node">The chosen node.</param>
    /// <param name="request">What the pod will be counted as.</param>
    /// <param name="seen">
    /// What the decision was based on; <see langword="null"/> to count in any case.
    /// </param>
    /// <returns><see langword="false"/> when another pod has come to or gone from the node since; nothing is counted, decide again.</returns>
    public bool TryAssume(string review, string node, Resources request, ClusterUsage? seen)
    {
        lock (gate)
        {
            Expire();
            if (!isFollowed || expiring.Count >= MaxExpiring || claims.ContainsKey(review))
            {
                return true;
            }

            if (seen is not null && !ReferenceEquals(seen.On(node), usages.GetValueOrDefault(node, NodeUsage.None)))
            {
                return false;
            }

            Put(review, node, request, ExpiresAt(review), Assumed);
            return true;
        }
    }

    /// <summary>The watch, or a list, shows a pod.</summary>
    /// <param name="uid">The pod.</param>
    /// <param name="claim">What it claims; <see langword="null"/> for nothing.</param>
    public void Set(string uid, PodUsage? claim)
    {
        lock (gate)
        {
            Expire();
            if (claim is null)
            {
                Drop(uid);
                return;
            }

            var isKnown = claims.TryGetValue(uid, out var before);
            if (isKnown && before.Node == claim.Node && before.ExpiresAt is null != claim.IsUnschedulable && Same(before.Request, claim.Request))
            {
                claims[uid] = before with { List = list };
            }
            else
            {
                Drop(uid);
                Put(uid, claim.Node, claim.Request, !claim.IsUnschedulable ? null : isKnown && before.ExpiresAt is { } at ? at : ExpiresAt(uid), list);
            }

            // What was assumed has come true.
            if (claim.Review is not null && claims.TryGetValue(claim.Review, out var placed) && placed.List == Assumed)
            {
                Drop(claim.Review);
            }
        }
    }

    /// <summary>A list begins. What was known stays until it has ended.</summary>
    public void BeginList()
    {
        lock (gate)
        {
            list++;
        }
    }

    /// <summary>A list has ended: of what the watch once showed, what was not on it is gone.</summary>
    public void EndList()
    {
        lock (gate)
        {
            foreach (var gone in claims.Where(c => c.Value.List != list && c.Value.List != Assumed).Select(c => c.Key).ToArray())
            {
                Drop(gone);
            }

            Volatile.Write(ref isFollowed, true);
        }
    }

    /// <summary>The API server cannot be heard: what is only believed for a while is believed until it can be again.</summary>
    public void Interrupted()
    {
        lock (gate)
        {
            silentSince ??= time.GetTimestamp();
        }
    }

    /// <summary>The API server is heard.</summary>
    public void Heard()
    {
        lock (gate)
        {
            Volatile.Write(ref stoodStillTicks, stoodStillTicks + StandstillTicks());
            silentSince = null;
        }
    }

    /// <summary>The pods can no longer be followed: no usage is known, which is better than one that is no longer true.</summary>
    public void Forget()
    {
        lock (gate)
        {
            claims.Clear();
            sums.Clear();
            usages.Clear();
            expiring.Clear();
            assumed = 0;
            Volatile.Write(ref nextExpiryAt, long.MaxValue);
            Volatile.Write(ref current, null);
            Volatile.Write(ref isFollowed, false);
        }
    }

    long Now() => time.GetTimestamp() - stoodStillTicks - StandstillTicks();

    long StandstillTicks() => silentSince is { } since ? Math.Min(time.GetTimestamp() - since, (long)(LongestStandstill.TotalSeconds * time.TimestampFrequency)) : 0;

    long ExpiresAt(string id)
    {
        var at = Now() + holdTicks;
        expiring.Enqueue((at, id));
        Volatile.Write(ref nextExpiryAt, expiring.Peek().At);
        return at;
    }

    // All claims are held for the same time, so they expire in the order in which they came.
    void Expire()
    {
        var now = Now();
        while (expiring.TryPeek(out var next) && next.At <= now)
        {
            expiring.Dequeue();
            if (claims.TryGetValue(next.Id, out var claim) && claim.ExpiresAt == next.At)
            {
                Drop(next.Id);
                if (claim.List != Assumed)
                {
                    // Remembered with nothing, or the next event of the same waiting pod would begin a new while.
                    claims[next.Id] = claim with { Sum = null };
                }
            }
        }

        Volatile.Write(ref nextExpiryAt, expiring.TryPeek(out var first) ? first.At : long.MaxValue);
    }

    void Put(string id, string node, Resources request, long? expiresAt, int seenIn)
    {
        NodeSum? sum = null;
        if (expiresAt is not { } at || at > Now())
        {
            if (!sums.TryGetValue(node, out sum))
            {
                sums[node] = sum = new NodeSum(node);
            }

            sum.Add(request, 1);
            Changed(sum);
        }

        assumed += seenIn == Assumed ? 1 : 0;
        claims[id] = new Claim(sum, sum?.Node ?? node, request, expiresAt, seenIn);
    }

    void Drop(string id)
    {
        if (!claims.Remove(id, out var claim))
        {
            return;
        }

        assumed -= claim.List == Assumed ? 1 : 0;
        if (claim.Sum is { } sum)
        {
            sum.Add(claim.Request, -1);
            Changed(sum);
        }
    }

    void Changed(NodeSum sum)
    {
        if (sum.Pods == 0)
        {
            sums.Remove(sum.Node);
            usages.Remove(sum.Node);
        }
        else
        {
            usages[sum.Node] = sum.ToUsage();
        }

        Volatile.Write(ref current, null);
    }

    static bool Same(Resources a, Resources b) =>
        a.CpuMilli == b.CpuMilli && a.MemoryBytes == b.MemoryBytes && (a.Other ?? []).SequenceEqual(b.Other ?? []);

    /// <param name="Sum">Where it counts; <see langword="null"/> once its time is over.</param>
    /// <param name="Node">The node's name, one string for all claims on it.</param>
    /// <param name="Request">What it counts as.</param>
    /// <param name="ExpiresAt">Until when it is believed; <see langword="null"/> for as long as the pod is there.</param>
    /// <param name="List">The last list it was on or that came before it was seen; <see cref="Assumed"/> for one that no list can show.</param>
    readonly record struct Claim(NodeSum? Sum, string Node, Resources Request, long? ExpiresAt, int List);

    /// <summary>128 bits: 64 are enough for each request, for a sum of those that people make up they are not.</summary>
    sealed class NodeSum(string node)
    {
        Int128 cpuMilli;
        Int128 memoryBytes;
        SortedDictionary<string, Int128>? other;

        internal string Node => node;

        internal long Pods { get; private set; }

        internal void Add(Resources request, int sign)
        {
            Pods += sign;
            cpuMilli += (Int128)request.CpuMilliOrZero * sign;
            memoryBytes += (Int128)request.MemoryBytesOrZero * sign;
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
            new Resources(Saturated(cpuMilli), Saturated(memoryBytes), other is null or { Count: 0 } ? null : [.. other.Select(o => new ResourceAmount(o.Key, Saturated(o.Value)))]), Pods);

        static long Saturated(Int128 sum) => sum > long.MaxValue ? long.MaxValue : (long)sum;
    }
}
