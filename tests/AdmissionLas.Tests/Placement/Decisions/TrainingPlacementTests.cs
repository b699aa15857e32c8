namespace AdmissionLas.Tests.Placement;

/// <summary>Cases of training steps; what holds of all of them, such as who gets requests, is in <see cref="PlacementProperties"/>.</summary>
public sealed class TrainingPlacementTests
{
    const string Type = CapacityRank.InstanceTypeKey;

    static readonly NodeFacts Cloud = Nodes.Named("cloud", "8", "16Gi", labels: [("admissionlas.io/tier", "cloud"), (Type, "big")]);
    static readonly NodeFacts Edge = Nodes.Named("edge", "2", "4Gi", labels: [("admissionlas.io/tier", "edge"), (Type, "small")]);
    static readonly ClusterView View = Nodes.View(Cloud, Edge);

    [Fact]
    public void On_the_testbed_training_goes_to_the_cloud()
    {
        foreach (var view in (ClusterView[])[Testbed.View, Testbed.TwoClouds])
        {
            var decision = view.Decide(Pods.Training());

            Assert.Equal((Outcome.Placed, "nitos-cloud-node"), (decision.Outcome, decision.Chosen?.Name));
            AssertPrefers("admissionlas.io/tier", ["cloud"], decision);
            Assert.Equal([new NoLongerBestEffort()], decision.Warnings);
        }
    }

    [Fact]
    public void A_container_without_requests_gets_the_default()
    {
        Assert.Equal(["main cpu=2", "main memory=4Gi"], RequestsOf(View.Decide(Pods.Training())));
        Assert.Equal(
            ["main cpu=500m", "main memory=1Gi"],
            RequestsOf(View.Decide(Pods.Training(), new PlacementPolicy { TrainingCpuMilli = 500, TrainingMemoryBytes = 1L << 30 })));
    }

    // https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
    [Fact]
    public void The_author_of_a_pod_that_is_no_longer_best_effort_is_told()
    {
        foreach (var pod in (PodFacts[])[Pods.Training(), Pods.Training(Pods.Container(cpu: "0"))])
        {
            Assert.Equal([new NoLongerBestEffort()], View.Decide(pod).Warnings);
        }
    }

    [Fact]
    public void The_author_of_a_pod_that_is_burstable_already_or_has_a_hint_about_requests_is_not()
    {
        foreach (var pod in (PodFacts[])
            [
                Pods.Training(Pods.Container(cpu: "1")),
                Pods.Training(Pods.Container(), Pods.Container("other", limitMemory: "1Gi")),
                Pods.Training() with { InitContainers = [Pods.Container("init", cpu: "100m")] },
                Pods.Training() with { PodLimits = Amounts.Of(memory: "1Gi") },
                Pods.Training(Pods.Container("wait")),
                Pods.Training().Annotated(PodHints.RequestsKey, "on"),
                Pods.Training().Annotated(PodHints.RequestCpuKey, "1"),
                Pods.Training().Annotated(PodHints.RequestMemoryKey, "1Gi"),
            ])
        {
            Assert.Empty(View.Decide(pod).Warnings);
        }
    }

    [Fact]
    public void Without_requests_the_pod_goes_to_the_cloud_all_the_same()
    {
        var decision = View.Decide(Pods.Training(), new PlacementPolicy { TrainingRequests = TrainingRequests.Off });

        Assert.Equal((Outcome.Placed, "cloud", Resources.None), (decision.Outcome, decision.Chosen?.Name, decision.Request));
        AssertPrefers("admissionlas.io/tier", ["cloud"], decision);
        Assert.Empty(decision.Requests);
        Assert.Empty(decision.Warnings);
    }

    [Theory]
    [InlineData("wait")]
    [InlineData("istio-proxy")]
    [InlineData("linkerd-proxy")]
    [InlineData("queue-proxy")]
    [InlineData("vault-agent")]
    [InlineData("supervisor")]
    [InlineData("artifact-plugin-s3")]
    [InlineData("modelcar")]
    public void Sidecars_that_the_platform_injected_get_none(string name) =>
        Assert.Equal(["main cpu=2", "main memory=4Gi"], RequestsOf(View.Decide(Pods.Training(Pods.Container(name), Pods.Container("main")))));

    [Fact]
    public void The_admin_can_name_more_of_them()
    {
        var policy = new PlacementPolicy { PlatformContainers = ["our-*"] };

        Assert.Equal(["main cpu=2", "main memory=4Gi"], RequestsOf(View.Decide(Pods.Training(Pods.Container("our-agent"), Pods.Container()), policy)));
    }

    [Fact]
    public void A_request_that_no_node_could_ever_give_is_lowered_to_the_largest_and_said()
    {
        var decision = View.Decide(Pods.Training().Annotated(PodHints.RequestCpuKey, "32").Annotated(PodHints.RequestMemoryKey, "64Gi"));

        Assert.Equal(["main cpu=8", "main memory=16Gi"], RequestsOf(decision));
        Assert.Equal(
            [
                new RequestReduced(AddedRequest.Cpu, 8000, 32_000, "cloud", 8000, 8000, IsLargestAndEmpty: true),
                new RequestReduced(AddedRequest.Memory, 16L << 30, 64L << 30, "cloud", 16L << 30, 16L << 30, IsLargestAndEmpty: true),
            ],
            decision.Warnings);
    }

    [Fact]
    public void The_largest_node_is_one_that_could_run_the_pod_at_all()
    {
        Assert.Equal(["main cpu=2", "main memory=3Gi"], RequestsOf(View.Decide(Pods.Training().Selecting("admissionlas.io/tier", "edge").Annotated(PodHints.RequestMemoryKey, "3Gi"))));
        Assert.Equal(["main cpu=2", "main memory=4Gi"], RequestsOf(View.Decide(Pods.Training().Selecting("admissionlas.io/tier", "edge").Annotated(PodHints.RequestCpuKey, "3"))));
        Assert.Equal(["main cpu=2", "main memory=4Gi"], RequestsOf(Nodes.View(Edge, Cloud with { IsReady = false }).Decide(Pods.Training().Annotated(PodHints.RequestCpuKey, "3"))));
    }

    [Fact]
    public void What_the_others_and_the_sidecars_ask_for_is_taken_off_before_the_rest_is_shared()
    {
        var pod = Pods.Training(Pods.Container("mine", cpu: "1", memory: "1Gi"), Pods.Container("a"), Pods.Container("b")) with
        {
            InitContainers = [Pods.Sidecar("1", "1Gi"), Pods.Container("init", cpu: "6")],
            Overhead = Amounts.Of("500m"),
        };

        var decision = View.Decide(pod.Annotated(PodHints.RequestCpuKey, "4"));

        Assert.Equal(["a cpu=2750m", "a memory=4Gi", "b cpu=2750m", "b memory=4Gi"], RequestsOf(decision));
    }

    [Fact]
    public void A_request_that_no_node_could_ever_give_is_lowered_to_what_is_left_beside_the_pods_that_run()
    {
        var decision = View.Decide(Pods.Training().Annotated(PodHints.RequestCpuKey, "32"), usage: Usages.On("cloud", "1500m", "1Gi"));

        Assert.Equal(["main cpu=6500m", "main memory=4Gi"], RequestsOf(decision));
        Assert.Equal([new RequestReduced(AddedRequest.Cpu, 6500, 32_000, "cloud", 6500, 8000, IsLargestAndEmpty: false)], decision.Warnings);
        Assert.Equal(("cloud", true), (decision.Chosen?.Name, decision.HasRoom));
    }

    [Fact]
    public void It_is_lowered_for_the_node_that_has_most_to_give_which_need_not_be_the_largest()
    {
        var pod = Pods.Training().Annotated(PodHints.RequestCpuKey, "32").Annotated(PodHints.RequestMemoryKey, "1Gi");

        Assert.Equal(["main cpu=2", "main memory=1Gi"], RequestsOf(View.Decide(pod, usage: Usages.On("cloud", "7"))));
    }

    [Fact]
    public void A_step_that_waits_for_its_whole_request_asks_for_what_an_empty_node_has_when_all_are_full()
    {
        var pod = Pods.Training().Annotated(PodHints.RequestCpuKey, "32").Annotated(PodHints.RequestsKey, "full");

        Assert.Equal(["main cpu=8", "main memory=4Gi"], RequestsOf(View.Decide(pod, usage: Usages.Of(("cloud", new(Amounts.Of("8"), 1)), ("edge", new(Amounts.Of("2"), 1))))));
    }

    [Fact]
    public void A_request_that_some_node_can_give_is_not_lowered_because_the_largest_is_busy() =>
        Assert.Equal(["main cpu=2", "main memory=4Gi"], RequestsOf(View.Decide(Pods.Training(), usage: Usages.On("cloud", "7", "15Gi"))));

    // Without a request the pod would run at once.
    [Theory]
    [InlineData(TrainingRequests.On, false, true)]
    [InlineData(TrainingRequests.On, true, true)]
    [InlineData(TrainingRequests.Full, true, true)]
    [InlineData(TrainingRequests.Full, false, false)]
    public void It_is_lowered_to_what_is_free_now_unless_the_step_should_wait_and_would_evict_nobody(TrainingRequests requests, bool canPreempt, bool isLowered)
    {
        var pod = Pods.Training() with { Priority = canPreempt ? 1 : 0 };
        var policy = new PlacementPolicy { TrainingRequests = requests };
        var busy = Usages.Of(("cloud", new(Amounts.Of("7", "15Gi"), 1)), ("edge", new(Amounts.Of("2", "4Gi"), 1)));
        var full = Usages.Of(("cloud", new(Amounts.Of("8", "16Gi"), 1)), ("edge", new(Amounts.Of("2", "4Gi"), 1)));

        Assert.Equal(["main cpu=2", "main memory=4Gi"], RequestsOf(View.Decide(pod, policy)));
        Assert.Equal(isLowered ? ["main cpu=1", "main memory=1Gi"] : ["main cpu=2", "main memory=4Gi"], RequestsOf(View.Decide(pod, policy, usage: busy)));
        Assert.Equal(isLowered ? [] : ["main cpu=2", "main memory=4Gi"], RequestsOf(View.Decide(pod, policy, usage: full)));
    }

    [Fact]
    public void It_counts_against_the_preferred_node_with_room_that_the_scheduler_will_pick()
    {
        var view = Nodes.View(Cloud, Cloud with { Name = "cloud-2" }, Edge);

        Assert.Equal(("cloud", true), View.Decide(Pods.Training()) is var first ? (first.Chosen!.Name, first.HasRoom) : default);
        Assert.Equal(("cloud-2", true), view.Decide(Pods.Training(), usage: Usages.On("cloud", "7")) is var second ? (second.Chosen!.Name, second.HasRoom) : default);
        // The emptier one, and the other where the scheduler avoids that.
        Assert.Equal("cloud-2", view.Decide(Pods.Training(), usage: Usages.On("cloud", "1", "2Gi")).Chosen!.Name);
        var avoided = Nodes.View(Cloud, Cloud with { Name = "cloud-2", Taints = [new("busy", "", TaintEffect.PreferNoSchedule)] }, Edge);
        Assert.Equal("cloud", avoided.Decide(Pods.Training(), usage: Usages.On("cloud", "1", "2Gi")).Chosen!.Name);
        Assert.Equal(Amounts.Of("2", "4Gi"), View.Decide(Pods.Training()).Request);
    }

    [Fact]
    public void Cloud_nodes_are_preferred_by_the_admins_selector()
    {
        var tier = Pods.Term("tier", SelectorOperator.In, "core", "cloud");
        var view = Nodes.View(Cloud.Labelled("tier", "core"), Edge.Labelled("tier", "edge"));

        var decision = view.Decide(Pods.Training(), new PlacementPolicy { CloudSelector = tier });

        AssertPrefers("tier", ["core", "cloud"], decision);
        AssertReason(NodeClass.Cloud, tier, [], decision);
    }

    [Fact]
    public void One_cloud_node_that_is_too_small_makes_the_others_be_named()
    {
        var small = Nodes.Named("cloud-small", "1", "2Gi", labels: [("admissionlas.io/tier", "cloud")]);

        var decision = Nodes.View(Cloud, small, Edge).Decide(Pods.Training());

        AssertPrefers(NodeSelectorTerm.HostnameKey, ["cloud"], decision);
        AssertReason(NodeClass.Cloud, null, ["cloud"], decision);
        AssertPrefers("admissionlas.io/tier", ["cloud"], Nodes.View(Cloud, small with { IsCordoned = true }, Edge).Decide(Pods.Training()));
    }

    [Fact]
    public void No_more_cloud_nodes_are_named_than_the_policy_allows()
    {
        var clouds = Enumerable.Range(0, 40).Select(i => Cloud with { Name = $"c{i:00}", Labels = new Dictionary<string, string> { ["admissionlas.io/tier"] = "cloud", [NodeSelectorTerm.HostnameKey] = $"c{i:00}" } });
        var small = Nodes.Named("cloud-small", "1", "2Gi", labels: [("admissionlas.io/tier", "cloud")]);

        var decision = Nodes.View([.. clouds, small]).Decide(Pods.Training(), new PlacementPolicy { NamedNodes = 3 });

        AssertPrefers(NodeSelectorTerm.HostnameKey, ["c00", "c01", "c02"], decision);
    }

    [Fact]
    public void Where_no_cloud_node_can_hold_the_pod_the_largest_others_are_preferred()
    {
        var view = Nodes.View(Cloud, Edge, Nodes.Named("workstation", "32", "64Gi"));

        AssertPrefers(NodeSelectorTerm.HostnameKey, ["workstation"], view.Decide(Pods.Training(Pods.Container(cpu: "16"))));
    }

    [Fact]
    public void Without_a_cloud_label_the_top_capacity_class_is_preferred_by_instance_type()
    {
        var decision = Unlabelled().Decide(Pods.Training());

        AssertPrefers(Type, ["big"], decision);
        Assert.Equal("cloud", decision.Chosen?.Name);
        AssertReason(NodeClass.TopCapacity, Assert.Single(decision.Preferred).Preference, [], decision);
    }

    [Fact]
    public void Instance_types_of_nearly_the_same_size_are_preferred_together()
    {
        var view = Unlabelled(Nodes.Named("cloud-2", "7", "14Gi", labels: [(Type, "nearly-as-big")]));

        AssertPrefers(Type, ["big", "nearly-as-big"], view.Decide(Pods.Training()));
        AssertPrefers(Type, ["big"], view.Decide(Pods.Training(), new PlacementPolicy { TopClassShare = 1 }));
    }

    [Fact]
    public void Without_instance_types_the_top_class_is_named()
    {
        var view = Nodes.View(Nodes.Named("b", "8"), Nodes.Named("a", "8"), Nodes.Named("small", "1", "2Gi"));

        AssertPrefers(NodeSelectorTerm.HostnameKey, ["a", "b"], view.Decide(Pods.Training()));
        AssertReason(NodeClass.TopCapacity, null, ["a", "b"], view.Decide(Pods.Training()));
        AssertPrefers(NodeSelectorTerm.HostnameKey, ["a"], view.Decide(Pods.Training(), new PlacementPolicy { NamedNodes = 1 }));
    }

    [Fact]
    public void A_top_class_node_without_a_host_name_of_its_own_is_named_by_field()
    {
        var view = Nodes.View(Nodes.Named("big", "8").Without(NodeSelectorTerm.HostnameKey), Nodes.Named("small", "1", "2Gi"));

        var term = Assert.Single(view.Decide(Pods.Training()).Preferred).Preference;
        Assert.Equal(["big"], Assert.Single(term.MatchFields).Values);
    }

    [Fact]
    public void Where_all_nodes_are_of_one_class_nothing_is_preferred()
    {
        var decision = Nodes.View(Nodes.Named("a"), Nodes.Named("b")).Decide(Pods.Training());

        Assert.Equal(Outcome.Placed, decision.Outcome);
        Assert.Empty(decision.Preferred);
        Assert.Equal(["main cpu=2", "main memory=4Gi"], RequestsOf(decision));
        AssertReason(NodeClass.EveryNodeAlike, null, [], decision);
    }

    [Fact]
    public void A_pod_that_asks_for_a_gpu_prefers_the_nodes_that_are_large_in_gpus()
    {
        var view = Nodes.View(
            Nodes.Named("cpu-box", "64", "256Gi", labels: [(Type, "cpu")]),
            Nodes.Named("gpu-4", "32", "128Gi", labels: [(Type, "gpu-4")], gpus: 4),
            Nodes.Named("gpu-1", "16", "64Gi", labels: [(Type, "gpu-1")], gpus: 1));
        var pod = Pods.Training(new ContainerFacts("main", default, Amounts.Of(other: (Nodes.Gpu, 1))));

        var decision = view.Decide(pod);

        Assert.Equal("gpu-4", decision.Chosen?.Name);
        AssertPrefers(Type, ["gpu-4"], decision);
        AssertPrefers(Type, ["cpu"], view.Decide(Pods.Training()));
    }

    [Fact]
    public void A_node_that_the_pod_may_not_use_is_neither_chosen_nor_the_measure()
    {
        var view = Nodes.View(Cloud with { Taints = [new("dedicated", "", TaintEffect.NoSchedule)] }, Edge, Nodes.Named("tiny", "1", "1Gi", labels: [(Type, "tiny")]));

        var decision = view.Decide(Pods.Training(Pods.Container(cpu: "1", memory: "1Gi")));

        Assert.Equal("edge", decision.Chosen?.Name);
        AssertPrefers(Type, ["small"], decision);
    }

    [Fact]
    public void Where_no_node_could_ever_run_the_pod_it_is_left_to_the_scheduler_and_the_author_told_why()
    {
        foreach (var (view, results) in ((ClusterView, FilterResult[])[])[(View, [FilterResult.Cpu, FilterResult.Cpu]), (ClusterView.Empty, [])])
        {
            var decision = view.Decide(Pods.Training(Pods.Container(cpu: "24")));

            var reason = Assert.IsType<NoNodeFits>(decision.Reason);
            Assert.Equal((Outcome.NoCandidate, null), (decision.Outcome, reason.Location));
            Assert.Equal(results, reason.Results);
            Assert.Equal([new NotPlaced(reason)], decision.Warnings);
            Assert.Empty(decision.Requests);
        }
    }

    static ClusterView Unlabelled(params NodeFacts[] more) => Nodes.View([Cloud.Without("admissionlas.io/tier"), Edge.Without("admissionlas.io/tier"), .. more]);

    static string[] RequestsOf(Decision decision) => [.. decision.Requests.Select(r => $"{r.ContainerName} {r.Resource}={r.Quantity}")];

    static void AssertReason(NodeClass nodeClass, NodeSelectorTerm? selector, string[] named, Decision decision)
    {
        var reason = Assert.IsType<PreferredNodes>(decision.Reason);
        Assert.Equal((nodeClass, selector), (reason.Class, reason.Selector));
        Assert.Equal(named, reason.Named.Select(n => n.Name));
    }

    static void AssertPrefers(string key, string[] values, Decision decision)
    {
        var term = Assert.Single(decision.Preferred);
        var requirement = Assert.Single(term.Preference.MatchExpressions);
        Assert.Equal((100, key, SelectorOperator.In), (term.Weight, requirement.Key, requirement.Operator));
        Assert.Equal(values, requirement.Values);
        Assert.Empty(term.Preference.MatchFields);
    }
}
