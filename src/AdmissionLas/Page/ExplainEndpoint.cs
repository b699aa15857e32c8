using System.Buffers;
using AdmissionLas.Explain;
using AdmissionLas.Observers;
using Microsoft.AspNetCore.Http.Features;

namespace AdmissionLas.Page;

/// <summary>
/// What the webhook would do with a pasted text, and what it would do now with a pod of a recent decision. Nothing counts against a node. It
/// explains one request at a time, because reviews come first.
/// </summary>
sealed class ExplainEndpoint(Settings settings, ClusterState state, NodeUsageCache usageCache, IDecisionText words, TimeProvider time) : IDisposable
{
    /// <summary>A little more than <see cref="StepInput.MaxCharacters"/>, which then gives the better message.</summary>
    internal const int LargestTextBytes = 4 * 1024 * 1024;

    // Kestrel discards a body up to this size after the answer, so that the caller reads the answer and not a broken connection.
    const int LargestBodyBytes = 32 * 1024 * 1024;

    // Each step has one row for each node.
    const int MaxRows = 30_000;

    const string PasteLess = "paste one pod or pipeline, and leave out large parts, such as managedFields or a model inside a ConfigMap";

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    readonly SemaphoreSlim turn = new(1);

    /// <summary>POST /api/explain: the text is the body.</summary>
    internal async Task ExplainTextAsync(HttpContext http)
    {
        if (http.Request.ContentType?.Split(';')[0].Trim() is not ("application/yaml" or "application/json"))
        {
            await RefuseAsync(
                http, StatusCodes.Status415UnsupportedMediaType,
                "the content type must be application/yaml or application/json", "send it with the header Content-Type: application/yaml").ConfigureAwait(false);
            return;
        }

        string? text;
        using var late = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        late.CancelAfter(Patience);
        try
        {
            text = await ReadAsync(http, late.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            await RefuseAsync(http, StatusCodes.Status408RequestTimeout, $"the text did not arrive within {Patience.TotalSeconds:0} s", "send it again").ConfigureAwait(false);
            return;
        }

        if (text is null)
        {
            var size = http.Request.ContentLength is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"has {bytes / 1048576.0:0.0} MB") : "is larger";
            await RefuseAsync(http, StatusCodes.Status413PayloadTooLarge, $"the text {size}, and the API server takes no more than 3 MB", PasteLess).ConfigureAwait(false);
            return;
        }

        var ns = http.Request.Query["namespace"].ToString();
        if (ns.Length > 0 && !LabelSyntax.IsName(ns))
        {
            await RefuseAsync(http, StatusCodes.Status400BadRequest, "the namespace is not a valid name", "write for example kubeflow").ConfigureAwait(false);
            return;
        }

        await TakeTurnAsync(http, view => Explain(text, ns.Length > 0 ? ns : "default", view)).ConfigureAwait(false);
    }

    /// <summary>GET /api/decisions/{id}: the pod of a decision, explained as things are now.</summary>
    internal Task ExplainDecisionAsync(HttpContext http, RecentDecision? decision) => decision switch
    {
        null => RefuseAsync(
            http, StatusCodes.Status404NotFound, "this decision is no longer kept", "the pod has it in the annotation admissionlas.io/decision"),
        { Pod: null } => RefuseAsync(
            http, StatusCodes.Status404NotFound, "the pod of this decision was not kept, because it is large or cannot be read", "paste it under Try a pod"),
        { Pod: { } pod } => TakeTurnAsync(http, view => Explain(pod, view)),
    };

    /// <inheritdoc/>
    public void Dispose() => turn.Dispose();

    byte[] Explain(string text, string @namespace, ClusterView view)
    {
        var startedAt = time.GetTimestamp();
        var inputs = StepInput.Read(text, @namespace);
        var usage = usageCache.Current;
        List<ExplainedStep> steps = [];
        List<string> notices = [];
        var rows = 0;
        foreach (var input in inputs.Steps)
        {
            if (steps.Count > 0 && (rows + view.Nodes.Count > MaxRows || time.GetElapsedTime(startedAt) > Patience))
            {
                notices.Add($"The first {steps.Count} of {inputs.Steps.Count} steps are shown; paste the others by themselves, or use: admission-las explain");
                break;
            }

            // The server may not read classes.
            steps.Add(StepExplainer.Explain(AdmissionClasses.Resolve(input, []), settings.Current, view, usage, words));
            rows += steps[^1].Explanation?.Nodes.Count ?? 0;
        }

        return Write(json => ExplanationWriter.Write(json, steps, inputs, notices));
    }

    byte[] Explain(PodFacts pod, ClusterView view)
    {
        var current = settings.Current;
        var explanation = PlacementExplainer.Explain(current.Rules.Classify(pod), pod, view, usageCache.Current, current.Policy);
        var nothing = new JsonObject();
        var step = new ExplainedStep(new InputStep("", "review", 0, nothing, []), explanation, null, null, nothing) { Text = words };
        return Write(json => ExplanationWriter.Write(json, [step], new StepInputs([], [], [])));
    }

    async Task TakeTurnAsync(HttpContext http, Func<ClusterView, byte[]> explain)
    {
        if (state.Current is not { } view)
        {
            await RefuseAsync(
                http, StatusCodes.Status503ServiceUnavailable,
                "the nodes are not known yet", "try again in a moment; /readyz on the plain port reports when they are").ConfigureAwait(false);
            return;
        }

        if (!await turn.WaitAsync(Patience, http.RequestAborted).ConfigureAwait(false))
        {
            http.Response.Headers.RetryAfter = "5";
            await RefuseAsync(http, StatusCodes.Status503ServiceUnavailable, "the server is explaining other texts", "try again in a few seconds").ConfigureAwait(false);
            return;
        }

        byte[] answer;
        try
        {
            answer = explain(view);
        }
        finally
        {
            turn.Release();
        }

        await TypedResults.Bytes(answer, "application/json").ExecuteAsync(http).ConfigureAwait(false);
    }

    /// <returns>The text, <see langword="null"/> when it is too large.</returns>
    static async Task<string?> ReadAsync(HttpContext http, CancellationToken stop)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = LargestBodyBytes;
        }

        if (http.Request.ContentLength > LargestTextBytes)
        {
            return null;
        }

        var read = await http.Request.BodyReader.ReadAtLeastAsync(LargestTextBytes + 1, stop).ConfigureAwait(false);
        return read.Buffer.Length <= LargestTextBytes ? Encoding.UTF8.GetString(read.Buffer) : null;
    }

    // Refusals have the shape of an answer, so that the page shows both in the same way.
    static Task RefuseAsync(HttpContext http, int status, string message, string advice)
    {
        http.Response.StatusCode = status;
        return TypedResults.Bytes(
            Write(json => ExplanationWriter.Write(json, [], new StepInputs([], [new InputProblem(null, message, advice)], []))), "application/json").ExecuteAsync(http);
    }

    static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>(16 * 1024);
        using (var json = new Utf8JsonWriter(bytes))
        {
            write(json);
        }

        return bytes.WrittenSpan.ToArray();
    }
}
