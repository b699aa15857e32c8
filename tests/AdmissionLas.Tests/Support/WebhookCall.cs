using System.Buffers;

namespace AdmissionLas.Tests.Support;

/// <summary>What came of a review.</summary>
/// <param name="Decision">The decision, if one was made.</param>
/// <param name="Response">The answer's <c>response</c>.</param>
/// <param name="Patch">The JSON Patch, or <see langword="null"/>.</param>
/// <param name="Pod">The pod with the patch applied by the library; the pod as it came when there is none.</param>
sealed record Reviewed(Decision? Decision, JsonObject Response, string? Patch, JsonObject Pod)
{
    internal string[] Warnings => Response["warnings"] is JsonArray warnings ? [.. warnings.Select(w => w!.GetValue<string>())] : [];

    internal string? Audit(string key) => (Response["auditAnnotations"] as JsonObject)?[key]?.GetValue<string>();

    internal JsonArray Operations => Patch is null ? [] : JsonNode.Parse(Patch)!.AsArray();
}

/// <summary>The whole way: a pod in, the real handler over the review's bytes, the patch applied.</summary>
static class WebhookCall
{
    internal static Reviewed Review(JsonObject pod, ClusterView view, PlacementPolicy? policy = null, StepRules? rules = null, string @namespace = "kubeflow", ClusterUsage? usage = null) =>
        Review(pod, view, CompiledSettings.Of(rules ?? new StepRules(), policy ?? new PlacementPolicy()), @namespace, usage);

    internal static Reviewed Review(JsonObject pod, ClusterView view, CompiledSettings settings, string @namespace = "kubeflow", ClusterUsage? usage = null) =>
        Review(pod, view, Usages.UsageCache(usage), settings, @namespace);

    /// <summary>The same, with what earlier reviews left.</summary>
    internal static Reviewed Review(JsonObject pod, ClusterView view, NodeUsageCache usageCache, CompiledSettings? settings = null, string @namespace = "kubeflow", string uid = "uid-1")
    {
        var review = SampleReview.Of(pod.DeepClone().AsObject(), uid, @namespace);
        var (result, response) = Send(Encoding.UTF8.GetBytes(review.ToJsonString()), view, settings ?? CompiledSettings.Default, usageCache);
        Assert.Null(result.Fault);
        var patch = response["patch"] is { } encoded ? Encoding.UTF8.GetString(Convert.FromBase64String(encoded.GetValue<string>())) : null;
        return new Reviewed(result.Decision, response, patch, patch is null ? pod : PatchApplication.Apply(pod, patch));
    }

    /// <summary>Hands a body to the handler; the answer is checked for what holds of every answer.</summary>
    internal static (ReviewResult ReviewResult, JsonObject Response) Send(ReadOnlySpan<byte> body, ClusterView view, CompiledSettings settings, NodeUsageCache? usageCache = null, IDecisionText? text = null)
    {
        var state = new ClusterState(TimeProvider.System);
        state.Publish(view);
        var answer = new AnswerBuffer();
        var result = new ReviewHandler(new Settings(settings), state, usageCache ?? Usages.UsageCache(), text ?? EnglishDecisionText.Instance).Handle(body, answer);
        var response = JsonNode.Parse(answer.Answer.Written.Span)!["response"]!.AsObject();
        Assert.True(response["allowed"]!.GetValue<bool>());
        return (result, response);
    }
}
