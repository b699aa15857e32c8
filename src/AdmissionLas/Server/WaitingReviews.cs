using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using AdmissionLas.Configuration;
using Microsoft.Extensions.ObjectPool;

namespace AdmissionLas.Server;

/// <summary>
/// The reviews whose bodies have not arrived whole, over all connections, and the bytes that they hold. Neither they nor their bytes can be more than
/// the limits: beyond, the one that has waited longest gives way. A caller that sends little and waits so displaces others like it and not an API
/// server, whose reviews arrive within milliseconds. A review that is complete is answered at once, so it never waits here.
/// </summary>
sealed partial class WaitingReviews(IOptions<ServerOptions> options, TimeProvider time)
{
    // https://man7.org/linux/man-pages/man3/mallopt.3.html.
    const int MmapThreshold = -3;
    const int MappedBytes = 128 * 1024;

    readonly ServerOptions limits = options.Value;
    readonly ObjectPool<CancellationTokenSource> timers =
        new DefaultObjectPoolProvider { MaximumRetained = options.Value.WaitingReviews }.Create(new Timers(time));
    readonly Lock gate = new();
    // The longest wait first.
    readonly LinkedList<WaitingReview> reviews = new();
    long bytes;

    /// <summary>
    /// Has the C library give blocks of native memory that are large back to the system as soon as they are free. Left alone it learns from the first large
    /// ones to keep them.
    /// </summary>
    internal static void GiveLargeBlocksBack()
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                _ = SetMallocOption(MmapThreshold, MappedBytes);
            }
            // Another C library than glibc.
            catch (Exception fault) when (fault is DllNotFoundException or EntryPointNotFoundException)
            {
            }
        }
    }

    /// <summary>How many reviews wait.</summary>
    internal int Count
    {
        get
        {
            lock (gate)
            {
                return reviews.Count;
            }
        }
    }

    /// <summary>How many bytes they hold.</summary>
    internal long Bytes => Interlocked.Read(ref bytes);

    /// <summary>A review begins to wait.</summary>
    /// <param name="body">Its body. What is read of it is cancelled when the review gives way, or waits longer than the budget.</param>
    internal WaitingReview Begin(PipeReader body)
    {
        var review = new WaitingReview(this, body, timers.Get(), TimeSpan.FromMilliseconds(limits.BudgetMilliseconds));
        lock (gate)
        {
            reviews.AddLast(review.Place);
            MakeRoom();
        }

        return review;
    }

    void Hold(WaitingReview review, int more)
    {
        lock (gate)
        {
            if (review.Place.List is not null)
            {
                review.HeldBytes += more;
                bytes += more;
                MakeRoom();
            }
        }
    }

    void MakeRoom()
    {
        while ((reviews.Count > limits.WaitingReviews || bytes > limits.WaitingBytes) && reviews.First is { } oldest)
        {
            Remove(oldest.Value);
            oldest.Value.GiveWay();
        }
    }

    void Remove(WaitingReview review)
    {
        reviews.Remove(review.Place);
        bytes -= review.HeldBytes;
        review.HeldBytes = 0;
    }

    void End(WaitingReview review, CancellationTokenSource timer)
    {
        lock (gate)
        {
            if (review.Place.List is not null)
            {
                Remove(review);
            }
        }

        timers.Return(timer);
    }

    /// <summary>A review that waits. For one thread at a time; to be disposed of when it waits no longer.</summary>
    internal sealed unsafe class WaitingReview : IDisposable
    {
        const int FirstBytes = 16 * 1024;

        readonly WaitingReviews all;
        readonly PipeReader body;
        readonly CancellationTokenSource timer;
        readonly CancellationTokenRegistration givingUp;
        // Not the collector's memory: it would stay for long after a flood of large bodies, or cost collections of everything meanwhile.
        byte* memory;
        int capacity;
        int length;
        volatile bool hasGivenWay;

        internal WaitingReview(WaitingReviews all, PipeReader body, CancellationTokenSource timer, TimeSpan patience)
        {
            (this.all, this.body, this.timer) = (all, body, timer);
            Place = new LinkedListNode<WaitingReview>(this);
            givingUp = timer.Token.UnsafeRegister(static r => ((WaitingReview)r!).GiveUp(), this);
            timer.CancelAfter(patience);
        }

        /// <summary>Its place among those that wait.</summary>
        internal LinkedListNode<WaitingReview> Place { get; }

        /// <summary>How many bytes it holds, as they are counted.</summary>
        internal int HeldBytes { get; set; }

        /// <summary>Others needed its room. Otherwise, when what is read of its body is cancelled, its time is over.</summary>
        internal bool HasGivenWay => hasGivenWay;

        /// <summary>How much of its body has arrived.</summary>
        internal int Length => length;

        /// <summary>What has arrived of its body.</summary>
        internal ReadOnlySpan<byte> Body => new(memory, length);

        /// <summary>Takes over what has arrived, so that the connection's buffers are free.</summary>
        internal void Take(in ReadOnlySequence<byte> piece)
        {
            var needed = checked(length + (int)piece.Length);
            if (needed > capacity)
            {
                var more = Math.Max(FirstBytes, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)needed)) - capacity;
                all.Hold(this, more);
                capacity += more;
                memory = (byte*)NativeMemory.Realloc(memory, (nuint)capacity);
            }

            piece.CopyTo(new Span<byte>(memory + length, capacity - length));
            length = needed;
        }

        internal void GiveWay()
        {
            hasGivenWay = true;
            GiveUp();
        }

        void GiveUp()
        {
            try
            {
                body.CancelPendingRead();
            }
            // A connection that breaks at the same time has ended the wait already, and Kestrel says so with whatever broke it.
            catch (Exception)
            {
            }
        }

        public void Dispose()
        {
            // Waits for one that is under way: the next request on the connection may have the same reader.
            givingUp.Dispose();
            all.End(this, timer);
            NativeMemory.Free(memory);
            memory = null;
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int SetMallocOption(int option, int value);

    // A timer is not cheap to make.
    sealed class Timers(TimeProvider time) : PooledObjectPolicy<CancellationTokenSource>
    {
        public override CancellationTokenSource Create() => new(Timeout.InfiniteTimeSpan, time);

        public override bool Return(CancellationTokenSource obj) => obj.TryReset();
    }
}
