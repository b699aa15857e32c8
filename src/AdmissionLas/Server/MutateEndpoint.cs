using System.Buffers;
using System.IO.Pipelines;
using AdmissionLas.Configuration;
using AdmissionLas.Observers;
using Microsoft.Extensions.ObjectPool;

namespace AdmissionLas.Server;

/// <summary>
/// POST /mutate: reads the body within its limits, asks the handler, sends the answer, and lets the observers know. A review is answered with 200
/// whatever is in it; what is not a review gets a 4xx that says why.
/// </summary>
sealed class MutateEndpoint(ReviewHandler handler, IEnumerable<IReviewObserver> observers, IOptions<ServerOptions> options, TimeProvider time)
{
    internal const string Path = "/mutate";

    readonly ServerOptions limits = options.Value;
    readonly IReviewObserver[] observers = [.. observers];
    readonly DefaultObjectPool<AnswerBuffer> answers = new(new AnswerBuffers(), maximumRetained: options.Value.ConcurrentReviews);
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
            http.Response.ContentLength = answer.Answer.Written.Length;
            await http.Response.BodyWriter.WriteAsync(answer.Answer.Written, http.RequestAborted).ConfigureAwait(false);
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

    void Answer(HttpContext http, in ReadOnlySequence<byte> body, AnswerBuffer answer)
    {
        // The reader walks one piece of memory much faster than the pieces that came off the wire.
        byte[]? rented = null;
        try
        {
            var startedAt = time.GetTimestamp();
            var bytes = body.IsSingleSegment ? body.FirstSpan : CopyTo(rented = ArrayPool<byte>.Shared.Rent((int)body.Length), body);
            var result = handler.Handle(bytes, answer);
            var headers = http.Request.Headers;
            var observation = new ReviewObservation(result, time.GetElapsedTime(startedAt), bytes.Length, headers.TraceParent, headers.TraceState);
            foreach (var observer in observers)
            {
                observer.Answered(observation);
            }
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

    static bool IsJson(string? contentType) =>
        contentType is not null && contentType.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) &&
        (contentType.Length == "application/json".Length || contentType["application/json".Length] is ';' or ' ');

    Task RefuseTooLargeAsync(HttpContext http) =>
        RefuseAsync(http, StatusCodes.Status413PayloadTooLarge, "too-large", $"the body is larger than {limits.BodyLimitBytes} bytes");

    Task RefuseCallerAsync(HttpContext http)
    {
        var name = http.Connection.ClientCertificate is { } caller ? ClientCertificates.CommonName(caller) : "without a certificate";
        return RefuseAsync(
            http, StatusCodes.Status403Forbidden, "client", $"client {name} is not on the list server.allowedClients, or its CA is no longer trusted", throttleBy: $"client {name}");
    }

    Task RefuseAsync(HttpContext http, int status, string reason, string message, string? throttleBy = null)
    {
        var refused = new RefusedRequest(status, reason, message, throttleBy ?? reason);
        foreach (var observer in observers)
        {
            observer.Refused(refused);
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

    sealed class AnswerBuffers : PooledObjectPolicy<AnswerBuffer>
    {
        // A long answer is no reason to keep its memory.
        const int MaxKeptBytes = 64 * 1024;

        public override AnswerBuffer Create() => new();

        public override bool Return(AnswerBuffer obj) => obj.Capacity <= MaxKeptBytes;
    }
}
