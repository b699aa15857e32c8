using AdmissionLas.Observers;
using Microsoft.Extensions.DependencyInjection;

namespace AdmissionLas.Tests.Placement;

/// <summary>What a new kind of step takes: one class and one entry in a list. It is seen wherever a decision is seen.</summary>
public sealed class NewKindTests
{
    [Fact]
    public async Task A_new_kind_shows_in_the_decision_the_metric_the_pages_json_and_explain()
    {
        await using var webhook = await RunningWebhook.StartAsync(new() { ["page:enabled"] = "true", ["page:port"] = "0" });
        webhook.Services.GetRequiredService<Settings>().Current =
            CompiledSettings.Of(new StepRules(kinds: [.. StepKinds.Default, new PrepareKind()]), new PlacementPolicy());
        var pod = Pods.Json("""{ "typeOfComponent": "prep" }""");

        var response = await webhook.ReviewAsync(pod.DeepClone().AsObject());

        Assert.Equal(("Prepare", "nitos-cloud-node"), ($"{response["auditAnnotations"]!["type"]}", $"{response["auditAnnotations"]!["node"]}"));
        Assert.StartsWith("prepare: cloud nodes (admissionlas.io/tier in (cloud)) preferred", $"{response["auditAnnotations"]!["decision"]}", StringComparison.Ordinal);
        var metrics = await webhook.Client.GetStringAsync(webhook.Health("/metrics"));
        Assert.Contains("""admission_las_decisions_total{component="prepare",reason="largest"} 1""", metrics, StringComparison.Ordinal);
        Assert.True(webhook.Services.GetRequiredService<RecentDecisions>().TryFollow(null, out var viewer));
        Assert.Equal("Prepare", $"{JsonNode.Parse(Assert.Single(viewer.Missed).Summary)!["type"]}");
        using var content = new StringContent(pod.ToJsonString(), Encoding.UTF8, "application/json");
        using var explained = await webhook.Client.PostAsync(new Uri(webhook.Page!, "/api/explain"), content);
        Assert.Equal("Prepare", $"{JsonNode.Parse(await explained.Content.ReadAsStringAsync())!["steps"]![0]!["step"]!["type"]}");
    }

    [Fact]
    public void A_word_that_is_close_to_the_new_kinds_is_answered_with_it()
    {
        var step = new StepRules(kinds: [.. StepKinds.Default, new PrepareKind()]).Classify(Pods.Labelled(("typeOfComponent", "Prepaer")));

        Assert.Equal(new UnknownStepType("label typeOfComponent", "Prepaer", "Prepare"), step.Warning);
    }

    /// <summary>Steps that prefer the cloud nodes, as the contributor's guide has it.</summary>
    sealed class PrepareKind : StepKind
    {
        public override string Name => "Prepare";

        public override IReadOnlyList<string> Words { get; } = ["Prepare", "Prep"];

        public override string WhenNotPlaced(string? location) => "this preparation step may run on a small machine";

        public override Decision Place(in PlacementRequest request)
        {
            var filter = new NodeFilter(request.Pod, request.Usage);
            if (request.Policy.CloudSelector is not { } cloud ||
                request.View.Matching(cloud).Members.FirstOrDefault(n => filter.FitsNow(n) == FilterResult.CanRun) is not { } node)
            {
                return Unplaced(request, Outcome.NoCandidate, new NoNodeFits(null, filter.AllWhenEmpty(request.View.Nodes)));
            }

            return new Decision
            {
                Outcome = Outcome.Placed,
                Step = request.Step,
                Mode = request.Mode,
                Reason = new PreferredNodes(NodeClass.Cloud, cloud, []),
                Chosen = node,
                HasRoom = true,
                Request = filter.Request,
                Preferred = [new PreferredTerm(100, cloud)],
                Warnings = request.Warnings,
            };
        }
    }
}
