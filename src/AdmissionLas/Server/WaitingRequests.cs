using System.Buffers;
using System.IO.Pipelines;
using System.Numerics;
using System.Runtime.InteropServices;
using AdmissionLas.Configuration;
using Microsoft.Extensions.ObjectPool;

namespace AdmissionLas.Server;

/// <summary>
/// The requests that wait for their callers, over all connections: for the rest of a body, or until the answer is taken. Neither they nor the bytes that
/// they hold can be more than the limits: beyond, the one that has waited longest gives way. A caller that sends little and waits so displaces others like
/// it and not an API server, which sends a review within milliseconds. A review that is complete is answered at once, so it never waits here.
/// </summary>
sealed class WaitingRequests(IOptions<ServerOptions> options, TimeProvider time)
{
    readonly ServerOptions limits = options.Value;
    readonly ObjectPool<CancellationTokenSource> timers =
        new DefaultObjectPoolProvider { MaximumRetained = options.Value.WaitingRequests }.Create(new Timers(time));
    readonly Lock gate = new();
    // The longest wait first.
    readonly LinkedList<Waiting> requests = new();
    long bytes;

    /// <summary>How many requests wait.</summary>
    internal int Count
    {
        get
        {
            lock (gate)
            {
                return requests.Count;
            }
        }
    }

    /// <summary>How many bytes they hold.</summary>
    internal long Bytes => Interlocked.Read(ref bytes);

    /// <summary>A body has not arrived whole.</summary>
    /// <param name="reader">What is read of it is cancelled when the request gives way, or waits longer than the budget.</param>
    internal WaitingBody ForBody(PipeReader reader)
    {
        var body = new WaitingBody(this, reader, timers.Get(), TimeSpan.FromMilliseconds(limits.BudgetMilliseconds));
        Begin(body);
        return body;
    }

    /// <summary>Sends an answer, and waits until it is taken. A request that gives way meanwhile is aborted.</summary>
    internal Task SendAsync(HttpContext http, ReadOnlyMemory<byte> answer)
    {
        // Its length known and in one piece, an answer leaves in one packet.
        http.Response.ContentLength = answer.Length;
        var sending = http.Response.BodyWriter.WriteAsync(answer, http.RequestAborted);
        return sending.IsCompletedSuccessfully ? Task.CompletedTask : UntilTakenAsync(http, sending, answer.Length);
    }

    /// <summary>The same with a line of text.</summary>
    internal Task SendAsync(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain; charset=utf-8";
        return SendAsync(http, Encoding.UTF8.GetBytes($"{text}\n"));
    }

    async Task UntilTakenAsync(HttpContext http, ValueTask<FlushResult> sending, int length)
    {
        using var answer = new WaitingAnswer(this, http);
        Begin(answer);
        Hold(answer, length);
        await sending.ConfigureAwait(false);
    }

    void Begin(Waiting request)
    {
        lock (gate)
        {
            requests.AddLast(request.Place);
            MakeRoom();
        }
    }

    void Hold(Waiting request, int more)
    {
        lock (gate)
        {
            if (request.Place.List is not null)
            {
                request.HeldBytes += more;
                bytes += more;
                MakeRoom();
            }
        }
    }

    void MakeRoom()
    {
        while ((requests.Count > limits.WaitingRequests || bytes > limits.WaitingBytes) && requests.First is { } oldest)
        {
            Remove(oldest.Value);
            // With the lock: once a request has ended, its reader and connection are those of the next one.
            oldest.Value.GiveWay();
        }
    }

    void Remove(Waiting request)
    {
        requests.Remove(request.Place);
        bytes -= request.HeldBytes;
        request.HeldBytes = 0;
    }

    void End(Waiting request)
    {
        lock (gate)
        {
            if (request.Place.List is not null)
            {
                Remove(request);
            }
        }
    }

    /// <summary>A request that waits; to be disposed of when it waits no longer.</summary>
    internal abstract class Waiting : IDisposable
    {
        readonly WaitingRequests all;

        private protected Waiting(WaitingRequests all)
        {
            this.all = all;
            Place = new LinkedListNode<Waiting>(this);
        }

        /// <summary>Its place among those that wait.</summary>
        internal LinkedListNode<Waiting> Place { get; }

        /// <summary>How many bytes it holds, as they are counted.</summary>
        internal int HeldBytes { get; set; }

        /// <summary>Others need its room.</summary>
        internal abstract void GiveWay();

        public virtual void Dispose() => all.End(this);

        private protected void Hold(int more) => all.Hold(this, more);
    }

    /// <summary>One that waits for the rest of its body. For one thread at a time.</summary>
    internal sealed unsafe class WaitingBody : Waiting
    {
        const int FirstBytes = 16 * 1024;

        readonly ObjectPool<CancellationTokenSource> timers;
        readonly PipeReader reader;
        readonly CancellationTokenSource timer;
        readonly CancellationTokenRegistration givingUp;
        // Not the collector's memory: it would stay for long after a flood of large bodies, or cost collections of everything meanwhile.
        byte* memory;
        int capacity;
        int length;
        volatile bool hasGivenWay;

        internal WaitingBody(WaitingRequests all, PipeReader reader, CancellationTokenSource timer, TimeSpan patience) : base(all)
        {
            (timers, this.reader, this.timer) = (all.timers, reader, timer);
            givingUp = timer.Token.UnsafeRegister(static body => ((WaitingBody)body!).GiveUp(), this);
            timer.CancelAfter(patience);
        }

        /// <summary>Others needed its room. Otherwise, when what is read of it is cancelled, its time is over.</summary>
        internal bool HasGivenWay => hasGivenWay;

        /// <summary>How much of it has arrived.</summary>
        internal int Length => length;

        /// <summary>What has arrived of it.</summary>
        internal ReadOnlySpan<byte> Bytes => new(memory, length);

        /// <summary>Takes over what has arrived, so that the connection's buffers are free.</summary>
        internal void Take(in ReadOnlySequence<byte> piece)
        {
            var needed = checked(length + (int)piece.Length);
            if (needed > capacity)
            {
                var more = Math.Max(FirstBytes, (int)BitOperations.RoundUpToPowerOf2((uint)needed)) - capacity;
                Hold(more);
                capacity += more;
                memory = (byte*)NativeMemory.Realloc(memory, (nuint)capacity);
            }

            piece.CopyTo(new Span<byte>(memory + length, capacity - length));
            length = needed;
        }

        /// <inheritdoc/>
        internal override void GiveWay()
        {
            hasGivenWay = true;
            GiveUp();
        }

        /// <inheritdoc/>
        public override void Dispose()
        {
            // Waits for one that is under way: the next request on the connection may have the same reader.
            givingUp.Dispose();
            base.Dispose();
            timers.Return(timer);
            NativeMemory.Free(memory);
            memory = null;
        }

        void GiveUp()
        {
            try
            {
                reader.CancelPendingRead();
            }
            // A connection that breaks at the same time has ended the wait already; Kestrel throws here whatever broke it.
            catch (Exception)
            {
            }
        }
    }

    sealed class WaitingAnswer(WaitingRequests all, HttpContext http) : Waiting(all)
    {
        internal override void GiveWay() => http.Abort();
    }

    // A timer is not cheap to make.
    sealed class Timers(TimeProvider time) : PooledObjectPolicy<CancellationTokenSource>
    {
        public override CancellationTokenSource Create() => new(Timeout.InfiniteTimeSpan, time);

        public override bool Return(CancellationTokenSource obj) => obj.TryReset();
    }
}
