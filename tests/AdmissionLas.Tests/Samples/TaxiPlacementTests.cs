using AdmissionLas.Server;

namespace AdmissionLas.Tests.Samples;

/// <summary>The thesis's application, each step's pod through the real handler: on every platform the same steps go to the same places.</summary>
public sealed class TaxiPlacementTests
{
    const string Workflow = "chicago-taxi-x7k2p";

    public static TheoryData<string, string?> Steps => new()
    {
        { "fetch-train", null },
        { "fetch-test", null },
        { "train", "nitos-cloud-node" },
        { "prepare", null },
        { "predict", "home-edge-node" },
        { "evaluate", null },
    };

    [Theory, MemberData(nameof(Steps))]
    public void A_step_of_kfp_v1_goes_where_it_belongs(string step, string? node) =>
        AssertPlaced(PlatformPods.OfArgoTemplate(TaxiFiles.ArgoTemplate(step), Workflow), node, "label typeOfComponent");

    [Theory, MemberData(nameof(Steps))]
    public void A_step_of_kfp_v2_goes_where_it_belongs(string step, string? node) =>
        AssertPlaced(PlatformPods.OfKfp2Task(step, TaxiFiles.Container(step), TaxiFiles.PodLabels(step), Workflow), node, "label typeOfComponent");

    [Theory, MemberData(nameof(Steps))]
    public void Where_kfp_drops_the_labels_the_rules_tell_the_same_steps(string step, string? node) =>
        AssertPlaced(PlatformPods.OfKfp2Task(step, TaxiFiles.Container(step), labels: null, Workflow), node,
            $"rule taxi-{step}", TaxiFiles.Rules.Value);

    [Theory]
    [InlineData("train")]
    [InlineData("predict")]
    public void Kfps_driver_of_a_step_is_left_alone_by_labels_and_rules(string step) =>
        AssertPlaced(PlatformPods.OfKfp2Driver(step, TaxiFiles.PodLabels(step), Workflow), null, "", TaxiFiles.Rules.Value);

    [Fact]
    public void The_predictor_of_KServe_goes_where_it_belongs() =>
        AssertPlaced(PlatformPods.OfPredictor(TaxiFiles.Object("predictor.yaml")), "home-edge-node", "label typeOfComponent");

    [Fact]
    public void The_plain_job_goes_where_it_belongs() =>
        AssertPlaced(PlatformPods.OfJob(TaxiFiles.Object("job.yaml")), "home-edge-node", "label typeOfComponent");

    static void AssertPlaced(JsonObject pod, string? node, string rule, CompiledSettings? settings = null)
    {
        var reviewed = WebhookCall.Review(pod, Testbed.View, settings ?? TaxiFiles.NoRules);

        if (node is null)
        {
            Assert.Null(reviewed.Patch);
            return;
        }

        Assert.Equal((rule, node), (reviewed.Decision!.Step.TypeRule, reviewed.Decision.Chosen?.Name));
        Assert.Contains(node, (string[])[.. Testbed.View.Nodes.Where(n => DefaultScheduler.CanRun(reviewed.Pod, n)).Select(n => n.Name)]);
        Assert.DoesNotContain(reviewed.Decision.Warnings, w => w is not NoLongerBestEffort);
    }
}
