using AdmissionLas.Explain;
using CsCheck;

namespace AdmissionLas.Tests.Placement;

/// <summary>An explanation never disagrees with the server that it explains, nor with the scheduler's documents.</summary>
public sealed class ExplanationProperties
{
    const long Iterations = 3_000;

    [Fact]
    public void It_says_what_the_server_answers() => Check((situation, reviewed, explained) =>
    {
        Assert.Equal(reviewed.Decision!.Outcome, explained.Explanation!.Decision.Outcome);
        Assert.Equal(reviewed.Audit("decision") ?? "", explained.Sentence);
        Assert.Equal(reviewed.Warnings, explained.Warnings.Select(w => $"admission-las: {w}"));
        Assert.Equal(reviewed.Patch?.Replace("uid-1", StepExplainer.ReviewUid, StringComparison.Ordinal) is { } patch ? Compact(patch) : null, explained.Patch?.ToJsonString());
        Assert.True(JsonNode.DeepEquals(WithoutReview(reviewed.Pod), WithoutReview(explained.Patched)));
    });

    [Fact]
    public void Every_node_is_there_once_with_the_verdict_of_the_schedulers_filters() => Check((situation, reviewed, explained) =>
    {
        Assert.Equal(situation.Nodes.Select(n => n.Name).Order(), explained.Explanation!.Nodes.Select(n => n.Node.Name).Order());
        // With the requests that it gets, and without the pin, which is a column of its own.
        Assert.All(explained.Explanation.Nodes, node =>
        {
            var judged = situation.JudgedOn(node.Node, WithRequestsOf(situation.Pod, reviewed.Pod), reviewed.Decision!);
            Assert.Equal(situation.CanRun(judged, node.Node), node.Now == FilterResult.CanRun);
            Assert.Equal(DefaultScheduler.CouldEverRun(judged, node.Node), node.Ever == FilterResult.CanRun);
            Assert.Equal(DefaultScheduler.Avoids(situation.Pod, node.Node), node.IsAvoided);
        });
    });

    [Fact]
    public void The_chosen_node_and_the_weights_are_the_patchs() => Check((situation, reviewed, explained) =>
    {
        var decision = reviewed.Decision!;
        Assert.Equal(decision.Chosen?.Name, explained.Explanation!.Nodes.SingleOrDefault(n => n.IsChosen)?.Node.Name);
        Assert.All(explained.Explanation.Nodes, node =>
        {
            Assert.Equal(decision.Preferred.Where(p => p.Preference.Matches(node.Node)).Sum(p => p.Weight), node.Weight);
            Assert.Equal(decision.Required is { } pin ? pin.IsMetBy(node.Node) : null, node.IsRequired);
        });
        var predicted = explained.Explanation.Nodes.Where(n => decision.Step.Kind == StepKinds.Predict && n.Weight > 0).ToArray();
        Assert.All(predicted, node => Assert.Equal(FilterResult.CanRun, decision.HasRoom ? node.Now : node.Ever));
        Assert.All(predicted, node => Assert.NotNull(node.LatencyMs));
        // Nothing nearer that can run it and is not avoided was passed over.
        Assert.All(explained.Explanation.Nodes.Where(n => decision is { HasRoom: true, Step.Kind.HasLocation: true } && n.LatencyMs < decision.LatencyMs), node =>
            Assert.True(node.Now != FilterResult.CanRun || node.IsAvoided));
    });

    [Fact]
    public void The_points_for_node_affinity_are_those_of_the_scheduler_for_the_pod_as_patched() => Check((situation, reviewed, explained) =>
    {
        var running = situation.Nodes.Where(n => situation.CanRun(situation.JudgedOn(n, reviewed.Pod, reviewed.Decision!), n)).ToArray();

        Assert.Equal(running.Select(n => n.Name).Order(), explained.Explanation!.Nodes.Where(n => n.Points is not null).Select(n => n.Node.Name).Order());
        foreach (var (node, points) in running.Zip(DefaultScheduler.AffinityPoints(reviewed.Pod, running)))
        {
            var given = explained.Explanation.Nodes.Single(n => n.Node.Name == node.Name).Points!.Value;
            Assert.Equal(points * situation.Policy.NodeAffinityWeight / 2, given.NodeAffinity);
            Assert.InRange(given.TaintToleration, 0, 300);
            Assert.InRange(given.ResourcesFit, 0, 100);
            Assert.InRange(given.BalancedAllocation, 50, 100);
            Assert.InRange(given.ImageLocality, 0, 100);
            Assert.Equal(given.TaintToleration == 300, !DefaultScheduler.Avoids(reviewed.Pod, node) || running.All(n => !DefaultScheduler.Avoids(reviewed.Pod, n)));
        }
    });

    static void Check(Action<Situation, Reviewed, ExplainedStep> assert) => Situations.Any.Sample(
        situation =>
        {
            // A limit is a request long before a webhook sees it.
            ApiServerDefaults.Apply(situation.Pod, []);
            var input = new InputStep("step", "a test", 0, situation.Pod.DeepClone().AsObject(), []);
            assert(situation, situation.Review(), StepExplainer.Explain(input, CompiledSettings.Of(new StepRules(), situation.Policy), new ClusterView(situation.Nodes), situation.Usage, EnglishDecisionText.Instance));
        },
        iter: Iterations, print: s => s.ToString());

    static JsonObject WithRequestsOf(JsonObject pod, JsonObject patched)
    {
        var with = pod.DeepClone().AsObject();
        with["spec"]!["containers"] = patched["spec"]!["containers"]!.DeepClone();
        return with;
    }

    static JsonObject WithoutReview(JsonObject pod)
    {
        var without = pod.DeepClone().AsObject();
        (without["metadata"]!["annotations"] as JsonObject)?.Remove(PodHints.AssumedKey);
        return without;
    }

    static string Compact(string json) => JsonNode.Parse(json)!.ToJsonString();
}
