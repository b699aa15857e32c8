using System.Buffers;
using System.IO.Pipelines;
using AdmissionLas.Configuration;
using AdmissionLas.Observers;
using AdmissionLas.Page;
using AdmissionLas.Placement;
using AdmissionLas.Server;
using Microsoft.Extensions.ObjectPool;
using Microsoft.Extensions.Options;

namespace AdmissionLas.Webhook;

/// <summary>
/// POST /mutate. Reads the body within its limits, hands it over, sends the answer. A review is answered with 200 whatever is in it; what is
/// not a review gets a 4xx that says why. Every refusal is counted, and one line a minute and reason is logged.
/// </summary>
sealed partial class MutateEndpoint(
    ReviewHandler handler, IOptions<ServerOptions> options, WebhookMetrics metrics, ReviewTraces traces, PlacementEventQueue problems, DecisionLog decisions,
    LogThrottle throttle, TimeProvider time, ILogger<MutateEndpoint> log, RecentDecisions? recent = null)
{
    internal const string Path = "/mutate";

    readonly ServerOptions limits = options.Value;
    readonly DefaultObjectPool<RawJsonWriter> answers = new(new AnswerBuffers(), maximumRetained: options.Value.ConcurrentReviews);
    readonly ObjectPool<CancellationTokenSource> waits = new DefaultObjectPoolProvider { MaximumRetained = options.Value.ConcurrentReviews }.Create(new Waits(time));
    int inFlight;

    internal Task HandleAsync(HttpContext http) => limits.ClientCa.Length > 0 ? HandleKnownAsync(http) : HandleAnyAsync(http);

    async Task HandleKnownAsync(HttpContext http) =>
        await (await ClientCertificates.IsAllowedAsync(http).ConfigureAwait(false) ? HandleAnyAsync(http) : RefuseCallerAsync(http)).ConfigureAwait(false);

    Task HandleAnyAsync(HttpContext http)
    {
        if (!IsJson(http.Request.ContentType))
        {
            return RefuseAsync(http, StatusCodes.Status415UnsupportedMediaType, "content-type", "the content type is not application/json");
        }

        if (http.Request.ContentLength > limits.BodyLimitBytes)
        {
            return RefuseTooLargeAsync(http);
        }

        if (Interlocked.Increment(ref inFlight) > limits.ConcurrentReviews)
        {
            Interlocked.Decrement(ref inFlight);
            return RefuseAsync(http, StatusCodes.Status503ServiceUnavailable, "busy", $"more than {limits.ConcurrentReviews} reviews at once");
        }

        return ReviewAsync(http);
    }

    async Task ReviewAsync(HttpContext http)
    {
        var answer = answers.Get();
        BodyWait wait = default;
        try
        {
            var reader = http.Request.BodyReader;
            // To the body's end. Here, because a method of its own would be a second state machine for each body that is behind its headers,
            // and with HTTP/2 that is every second or third; only those get a timer.
            ReadResult body;
            while (true)
            {
                var reading = reader.ReadAsync(CancellationToken.None);
                if (!reading.IsCompleted && !wait.HasBegun)
                {
                    wait = BodyWait.Begin(reader, waits, TimeSpan.FromMilliseconds(limits.BudgetMilliseconds));
                }

                body = await reading.ConfigureAwait(false);
                if (body.IsCompleted || body.IsCanceled || body.Buffer.Length > limits.BodyLimitBytes)
                {
                    break;
                }

                reader.AdvanceTo(body.Buffer.Start, body.Buffer.End);
            }

            wait.End();
            if (body.IsCanceled)
            {
                await RefuseAsync(http, StatusCodes.Status408RequestTimeout, "timeout", $"the body did not arrive within {limits.BudgetMilliseconds} ms").ConfigureAwait(false);
                return;
            }

            if (body.Buffer.Length > limits.BodyLimitBytes)
            {
                await RefuseTooLargeAsync(http).ConfigureAwait(false);
                return;
            }

            try
            {
                Answer(http, body.Buffer, answer);
            }
            finally
            {
                // Else Kestrel ends the connection, and with it the caller's next request.
                reader.AdvanceTo(body.Buffer.End);
            }

            // Its length known and in one piece, an answer leaves in one packet.
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = answer.WrittenCount;
            await http.Response.BodyWriter.WriteAsync(answer.WrittenMemory, http.RequestAborted).ConfigureAwait(false);
        }
        catch (NotAReviewException fault)
        {
            await RefuseAsync(http, StatusCodes.Status400BadRequest, "not-a-review", fault.Message).ConfigureAwait(false);
        }
        catch (BadHttpRequestException fault)
        {
            await RefuseAsync(http, fault.StatusCode, "http", fault.Message).ConfigureAwait(false);
        }
        finally
        {
            wait.End();
            Interlocked.Decrement(ref inFlight);
            answers.Return(answer);
        }
    }

    void Answer(HttpContext http, in ReadOnlySequence<byte> body, RawJsonWriter answer)
    {
        // The reader walks one piece of memory much faster than the pieces that came off the wire.
        byte[]? rented = null;
        try
        {
            var startedAt = time.GetTimestamp();
            var bytes = body.IsSingleSegment ? body.FirstSpan : CopyTo(rented = ArrayPool<byte>.Shared.Rent((int)body.Length), body);
            var result = handler.Handle(bytes, answer);
            var took = time.GetElapsedTime(startedAt);
            Note(result, took);
            traces.Answered(http, result, took);
            problems.Note(result, bytes);
            recent?.Add(result, bytes.Length, took);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    static ReadOnlySpan<byte> CopyTo(byte[] rented, in ReadOnlySequence<byte> body)
    {
        body.CopyTo(rented);
        return rented.AsSpan(0, (int)body.Length);
    }

    void Note(in ReviewResult result, TimeSpan took)
    {
        metrics.Answered(result, took);
        if (result.Fault is { } fault)
        {
            if (throttle.Allows("fault", out var suppressed))
            {
                FailedOpen(fault, result.Review.Uid, suppressed);
            }
        }
        else if (result.Review.PodIsUnreadable)
        {
            if (throttle.Allows("unreadable-pod", out var suppressed))
            {
                UnreadablePod(result.Review.Uid, result.Review.SkipReason!, suppressed);
            }
        }
        else if (result.Decision is { IsDecided: true } decision)
        {
            decisions.Write(result.Review, decision);
        }
    }

    static bool IsJson(string? contentType) =>
        contentType is not null && contentType.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) &&
        (contentType.Length == "application/json".Length || contentType["application/json".Length] is ';' or ' ');

    Task RefuseTooLargeAsync(HttpContext http) =>
        RefuseAsync(http, StatusCodes.Status413PayloadTooLarge, "too-large", $"the body is larger than {limits.BodyLimitBytes} bytes");

    Task RefuseCallerAsync(HttpContext http)
    {
        var name = http.Connection.ClientCertificate is { } caller ? ClientCertificates.CommonName(caller) : "nobody";
        return RefuseAsync(
            http, StatusCodes.Status403Forbidden, "client", $"client {name} is not on the list server.allowedClients, or its authority counts no more", throttleBy: $"client {name}");
    }

    Task RefuseAsync(HttpContext http, int status, string reason, string message, string? throttleBy = null)
    {
        metrics.Refused(reason);
        if (throttle.Allows(throttleBy ?? reason, out var suppressed))
        {
            Refused(status, message, suppressed);
        }

        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync($"{message}\n", http.RequestAborted);
    }

    // Gives up on a body that does not arrive in time: what is being read then is cancelled.
    struct BodyWait
    {
        ObjectPool<CancellationTokenSource>? pool;
        CancellationTokenSource timer;
        CancellationTokenRegistration givingUp;

        internal readonly bool HasBegun => pool is not null;

        internal static BodyWait Begin(PipeReader reader, ObjectPool<CancellationTokenSource> timers, TimeSpan patience)
        {
            var timer = timers.Get();
            var givingUp = timer.Token.UnsafeRegister(static r => ((PipeReader)r!).CancelPendingRead(), reader);
            timer.CancelAfter(patience);
            return new BodyWait { pool = timers, timer = timer, givingUp = givingUp };
        }

        internal void End()
        {
            if (pool is not null)
            {
                // Waits for one that is under way: the next request on the connection may have the same reader.
                givingUp.Dispose();
                pool.Return(timer);
                pool = null;
            }
        }
    }

    // A timer is not cheap to make.
    sealed class Waits(TimeProvider time) : PooledObjectPolicy<CancellationTokenSource>
    {
        public override CancellationTokenSource Create() => new(Timeout.InfiniteTimeSpan, time);

        public override bool Return(CancellationTokenSource obj) => obj.TryReset();
    }

    sealed class AnswerBuffers : PooledObjectPolicy<RawJsonWriter>
    {
        // An answer that was warned about at length is no reason to keep its memory.
        const int MaxKeptBytes = 64 * 1024;

        public override RawJsonWriter Create() => new();

        public override bool Return(RawJsonWriter obj)
        {
            obj.ResetWrittenCount();
            return obj.Capacity <= MaxKeptBytes;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Request refused with {Status}: {Reason} ({Suppressed} more like it since the last line)")]
    partial void Refused(int status, string reason, long suppressed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pod of review {Uid} left as it is: {Reason} ({Suppressed} more like it since the last line)")]
    partial void UnreadablePod(string uid, string reason, long suppressed);

    [LoggerMessage(Level = LogLevel.Error, Message = "Review {Uid} failed and its pod was let through ({Suppressed} more like it since the last line)")]
    partial void FailedOpen(Exception fault, string uid, long suppressed);
}
