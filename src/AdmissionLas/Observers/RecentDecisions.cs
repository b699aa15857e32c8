using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using AdmissionLas.Realised;

namespace AdmissionLas.Observers;

/// <summary>
/// The last decisions, and the viewers that follow them. A viewer that cannot keep up loses decisions, learns how many, and never holds up a
/// review.
/// </summary>
/// <param name="kept">How many decisions are kept.</param>
/// <param name="mostViewers">How many may follow at once.</param>
/// <param name="time">The clock.</param>
sealed class RecentDecisions(int kept, int mostViewers, TimeProvider time) : IReviewObserver
{
    const int LongestQueue = 256;

    readonly Lock gate = new();
    readonly RecentDecision?[] ring = new RecentDecision?[kept];
    readonly List<Viewer> viewers = [];
    // Another process counts from one again, and its decisions are others.
    readonly string process = Guid.NewGuid().ToString("N")[..12];
    long count;

    public void Answered(in ReviewObservation observation)
    {
        if (!RecentDecision.IsWorthShowing(observation.Result))
        {
            return;
        }

        lock (gate)
        {
            var number = ++count;
            var decision = RecentDecision.Of(Id(number), number, observation, time.GetUtcNow());
            ring[number % kept] = decision;
            foreach (var viewer in viewers)
            {
                viewer.Offer(decision);
            }
        }
    }

    /// <summary>The scheduler has bound the pod of a review. The first time counts: a copy of a pod has its annotations.</summary>
    internal void Bound(string review, string node, PlacementResult result)
    {
        lock (gate)
        {
            for (var i = 0; i < ring.Length; i++)
            {
                if (ring[i] is { RunsOn: null } decision && decision.Review == review)
                {
                    ring[i] = decision with { RunsOn = new RunsOn(node, result) };
                    foreach (var viewer in viewers)
                    {
                        viewer.Offer(ring[i]!);
                    }
                }
            }
        }
    }

    /// <summary>What the page calls it.</summary>
    internal string IdOf(RecentDecision decision) => Id(decision.Number);

    /// <summary>The decision that the page calls so; <see langword="null"/> when it is no longer kept or another process made it.</summary>
    internal RecentDecision? Find(string id)
    {
        if (!TryReadId(id, out var number))
        {
            return null;
        }

        lock (gate)
        {
            return ring[number % kept] is { } decision && decision.Number == number ? decision : null;
        }
    }

    /// <summary>Begins to follow.</summary>
    /// <param name="lastId">What the viewer saw last; <see langword="null"/> for nothing.</param>
    /// <param name="viewer">The viewer; dispose of it to end.</param>
    /// <returns><see langword="false"/> when there are too many already.</returns>
    internal bool TryFollow(string? lastId, [NotNullWhen(true)] out Viewer? viewer)
    {
        viewer = null;
        lock (gate)
        {
            if (viewers.Count >= mostViewers)
            {
                return false;
            }

            var after = lastId is not null && TryReadId(lastId, out var number) ? Math.Min(number, count) : 0;
            var missed = new List<RecentDecision>();
            for (var n = Math.Max(after + 1, count - kept + 1); n <= count; n++)
            {
                missed.Add(ring[n % kept]!);
            }

            viewer = new Viewer(this, missed, [.. ring.OfType<RecentDecision>().Where(d => d.RunsOn is not null)]);
            viewers.Add(viewer);
            return true;
        }
    }

    string Id(long number) => string.Create(CultureInfo.InvariantCulture, $"{process}-{number}");

    bool TryReadId(string id, out long number)
    {
        number = 0;
        return id.Length > process.Length && id.StartsWith(process, StringComparison.Ordinal) && id[process.Length] == '-' &&
            long.TryParse(id.AsSpan(process.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>One who follows.</summary>
    internal sealed class Viewer : IDisposable
    {
        readonly RecentDecisions decisions;
        readonly Channel<RecentDecision> queue;
        int skipped;

        internal Viewer(RecentDecisions decisions, IReadOnlyList<RecentDecision> missed, IReadOnlyList<RecentDecision> bound)
        {
            this.decisions = decisions;
            (Missed, Bound) = (missed, bound);
            queue = Channel.CreateBounded<RecentDecision>(
                new BoundedChannelOptions(LongestQueue) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
                lost => Interlocked.Add(ref skipped, lost.RunsOn is null ? 1 : 0));
        }

        /// <summary>What was decided before, as far as it is kept and the viewer has not seen it.</summary>
        internal IReadOnlyList<RecentDecision> Missed { get; }

        /// <summary>The decisions whose pods run, as far as they are kept: a viewer may have seen one before its pod was bound.</summary>
        internal IReadOnlyList<RecentDecision> Bound { get; }

        /// <summary>What is decided from now on; once more, with where it runs, when a pod is bound.</summary>
        internal ChannelReader<RecentDecision> Reader => queue.Reader;

        /// <summary>How many decisions were lost since this was last asked, because they came faster than they were read.</summary>
        internal int TakeSkipped() => Interlocked.Exchange(ref skipped, 0);

        internal void Offer(RecentDecision decision) => queue.Writer.TryWrite(decision);

        public void Dispose()
        {
            lock (decisions.gate)
            {
                decisions.viewers.Remove(this);
            }
        }
    }
}
