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
sealed class MutateEndpoint(
    ReviewHandler handler, WaitingRequests waiting, IEnumerable<IReviewObserver> observers, IOptions<ServerOptions> options, TimeProvider time)
{
    internal const string Path = "/mutate";

    /// <summary>As many answers as there are threads are written at a time, and a few more wait to be sent.</summary>
    const int KeptAnswers = 64;

    readonly ServerOptions limits = options.Value;
    readonly IReviewObserver[] observers = [.. observers];
    readonly DefaultObjectPool<AnswerBuffer> answers = new(new AnswerBuffers(), KeptAnswers);

    internal Task HandleAsync(HttpContext http) => limits.ClientCa.Length > 0 ? HandleKnownAsync(http) : HandleAnyAsync(http);

    async Task HandleKnownAsync(HttpContext http) =>
        await (await ClientCertificates.IsAllowedAsync(http).ConfigureAwait(false) ? HandleAnyAsync(http) : RefuseCallerAsync(http)).ConfigureAwait(false);

    Task HandleAnyAsync(HttpContext http)
    {
        if (!IsJson(http.Request.ContentType))
        {
            return RefuseAsync(http, StatusCodes.Status415UnsupportedMediaType, "content-type", "the content type is not application/json");
        }

        return http.Request.ContentLength > limits.BodyLimitBytes ? RefuseTooLargeAsync(http) : ReviewAsync(http);
    }

    async Task ReviewAsync(HttpContext http)
    {
        WaitingRequests.WaitingBody? wait = null;
        AnswerBuffer? answer = null;
        try
        {
            var reader = http.Request.BodyReader;
            // To the body's end. Here, because a method of its own would be a second state machine for each body that is behind its headers,
            // and with HTTP/2 that is every second or third; only those wait.
            ReadResult body;
            bool isTooLarge;
            do
            {
                var reading = reader.ReadAsync(CancellationToken.None);
                wait ??= reading.IsCompleted ? null : waiting.ForBody(reader);
                body = await reading.ConfigureAwait(false);
                isTooLarge = (wait?.Length ?? 0) + body.Buffer.Length > limits.BodyLimitBytes;
                if (body.IsCanceled || isTooLarge || (body.IsCompleted && wait is null))
                {
                    break;
                }

                wait ??= waiting.ForBody(reader);
                wait.Take(body.Buffer);
                reader.AdvanceTo(body.Buffer.End);
            }
            while (!body.IsCompleted && !wait.HasGivenWay);

            if (body.IsCanceled || isTooLarge || !body.IsCompleted)
            {
                await RefuseBodyAsync(http, isTooLarge, wait is { HasGivenWay: true }).ConfigureAwait(false);
                return;
            }

            http.Features.Get<LimitedConnection>()?.Use(time.GetTimestamp());
            answer = answers.Get();
            if (wait is not null)
            {
                Answer(http, wait.Bytes, answer);
                wait.Dispose();
                wait = null;
            }
            else
            {
                try
                {
                    Answer(http, body.Buffer, answer);
                }
                finally
                {
                    // Else Kestrel ends the connection, and with it the caller's next request.
                    reader.AdvanceTo(body.Buffer.End);
                }
            }

            http.Response.ContentType = "application/json";
            await waiting.SendAsync(http, answer.Answer.Written).ConfigureAwait(false);
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
            wait?.Dispose();
            if (answer is not null)
            {
                answers.Return(answer);
            }
        }
    }

    void Answer(HttpContext http, in ReadOnlySequence<byte> body, AnswerBuffer answer)
    {
        // The reader walks one piece of memory much faster than the pieces that came off the wire.
        byte[]? rented = null;
        try
        {
            Answer(http, body.IsSingleSegment ? body.FirstSpan : CopyTo(rented = ArrayPool<byte>.Shared.Rent((int)body.Length), body), answer);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    void Answer(HttpContext http, ReadOnlySpan<byte> body, AnswerBuffer answer)
    {
        var startedAt = time.GetTimestamp();
        var result = handler.Handle(body, answer);
        var headers = http.Request.Headers;
        var observation = new ReviewObservation(result, time.GetElapsedTime(startedAt), body.Length, headers.TraceParent, headers.TraceState);
        foreach (var observer in observers)
        {
            observer.Answered(observation);
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

    Task RefuseBodyAsync(HttpContext http, bool isTooLarge, bool hasGivenWay) =>
        isTooLarge ? RefuseTooLargeAsync(http)
        : hasGivenWay ? RefuseAsync(
            http, StatusCodes.Status503ServiceUnavailable, "busy",
            $"more than {limits.WaitingRequests} requests, or {limits.WaitingBytes} bytes of them, wait for their callers")
        : RefuseAsync(http, StatusCodes.Status408RequestTimeout, "timeout", $"the body did not arrive within {limits.BudgetMilliseconds} ms");

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

        return waiting.SendAsync(http, status, message);
    }

    sealed class AnswerBuffers : PooledObjectPolicy<AnswerBuffer>
    {
        // A long answer is no reason to keep its memory.
        const int MaxKeptBytes = 64 * 1024;

        public override AnswerBuffer Create() => new();

        public override bool Return(AnswerBuffer obj) => obj.Capacity <= MaxKeptBytes;
    }
}
