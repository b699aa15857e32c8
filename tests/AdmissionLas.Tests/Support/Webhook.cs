using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using AdmissionLas.Admission;
using AdmissionLas.Kubernetes;
using AdmissionLas.Placement;

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
static class Webhook
{
    internal static Reviewed Review(JsonObject pod, ClusterView view, PlacementPolicy? policy = null, StepRules? rules = null, string @namespace = "kubeflow", ClusterUsage? usage = null) =>
        Review(pod, view, CompiledSettings.Of(rules ?? new StepRules(), policy ?? new PlacementPolicy()), @namespace, usage);

    internal static Reviewed Review(JsonObject pod, ClusterView view, CompiledSettings settings, string @namespace = "kubeflow", ClusterUsage? usage = null)
    {
        var review = SampleReview.Of(pod.DeepClone().AsObject(), "uid-1", @namespace);
        var (handled, response) = Send(Encoding.UTF8.GetBytes(review.ToJsonString()), view, settings, Usages.Ledger(usage));
        Assert.Null(handled.Fault);
        var patch = response["patch"] is { } encoded ? Encoding.UTF8.GetString(Convert.FromBase64String(encoded.GetValue<string>())) : null;
        return new Reviewed(handled.Decision, response, patch, patch is null ? pod : PatchApplication.Apply(pod, patch));
    }

    /// <summary>Hands a body to the handler; the answer is checked for what holds of every answer.</summary>
    internal static (Handled Handled, JsonObject Response) Send(ReadOnlySpan<byte> body, ClusterView view, CompiledSettings settings, UsageLedger? ledger = null)
    {
        var state = new ClusterState(TimeProvider.System);
        state.Publish(view);
        var answer = new JsonText();
        var handled = new ReviewHandler(new Settings(settings), state, ledger ?? Usages.Ledger()).Handle(body, answer);
        var response = JsonNode.Parse(answer.WrittenSpan)!["response"]!.AsObject();
        Assert.True(response["allowed"]!.GetValue<bool>());
        return (handled, response);
    }
}
