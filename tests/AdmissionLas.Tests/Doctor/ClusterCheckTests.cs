using AdmissionLas.Configuration;
using AdmissionLas.Doctor;
using AdmissionLas.Registration;
using k8s;
using k8s.Models;

namespace AdmissionLas.Tests.Doctor;

/// <summary>What the doctor says of the registration, namespaces, nodes and the service, without a cluster.</summary>
public sealed class ClusterCheckTests
{
    static readonly WebhookAddress Address = new WebhookAddress.Url(new Uri("https://webhook.example.org/mutate"));

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void What_register_registers_is_found_safe(bool everyPod, bool hasConditions)
    {
        var finding = Assert.Single(RegistrationCheck.Evaluate(Filled(new() { Address = Address, IsEveryPod = everyPod, HasMatchConditions = hasConditions }), "admission-las", "admission-las"));

        Assert.Equal(Severity.Ok, finding.Severity);
    }

    [Fact]
    public void The_registration_that_an_earlier_version_left_behind_has_to_go()
    {
        var earlier = new V1MutatingWebhookConfiguration { Metadata = new() { Name = "admission-las", Labels = new Dictionary<string, string> { ["app.kubernetes.io/name"] = "admission-las" } } };

        Assert.Contains("kubectl delete mutatingwebhookconfiguration admission-las", Assert.Single(RegistrationCheck.OfEarlierVersion(earlier)).ToString(), StringComparison.Ordinal);
        Assert.Empty(RegistrationCheck.OfEarlierVersion(null));
        Assert.Empty(RegistrationCheck.OfEarlierVersion(new() { Metadata = new() { Name = "admission-las" } }));
    }

    [Fact]
    public void A_registration_for_another_home_would_take_this_ones_pods()
    {
        var findings = RegistrationCheck.Evaluate(Filled(new() { Address = Address, IsEveryPod = true, Namespace = "elsewhere" }), "admission-las", "admission-las");

        Assert.Contains("would match the pods of admission-las", Assert.Single(findings).What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_registration_that_takes_more_than_new_pods_is_found()
    {
        var registration = Filled(new() { Address = Address, IsEveryPod = true });
        registration.Webhooks[0].Rules[0].Operations = ["CREATE", "UPDATE"];
        registration.Webhooks[0].SideEffects = "Some";

        var findings = RegistrationCheck.Evaluate(registration, "admission-las", "admission-las");

        Assert.Equal([Severity.Failed, Severity.Failed], findings.Select(f => f.Severity));
    }

    [Fact]
    public void Namespaces_that_opt_in_are_told_from_those_that_only_seem_to()
    {
        var findings = NamespacesCheck.Evaluate([Namespace("team", "enabled"), Namespace("typo", "true"), Namespace("kube-system", "enabled")], "admission-las");

        Assert.Equal("1 namespace opts in: team", findings[0].What);
        Assert.Equal([Severity.Ok, Severity.Warning, Severity.Warning], findings.Select(f => f.Severity));
        Assert.Contains("typo has admissionlas.io/inject=true, which does not opt in", findings[1].What, StringComparison.Ordinal);
        Assert.Contains("kube-system is labelled, but the webhook never sees its pods", findings[2].What, StringComparison.Ordinal);
    }

    [Fact]
    public void No_namespace_that_opts_in_is_a_warning_with_the_command() =>
        Assert.Equal(
            "warning  no namespace opts in, so the webhook sees no pods  — kubectl label namespace <namespace> admissionlas.io/inject=enabled",
            Assert.Single(NamespacesCheck.Evaluate([], "admission-las")).ToString());

    [Fact]
    public void Locations_of_one_node_and_labels_that_cannot_be_read_are_named()
    {
        var view = new ClusterView(
        [
            new NodeFacts { Name = "a", Labels = new Dictionary<string, string> { ["latency.admissionlas.io/HERE"] = "1", ["latency.admissionlas.io/THERE"] = "2" } }.WithLatenciesOf(LatencyLabels.All),
            new NodeFacts { Name = "b", Labels = new Dictionary<string, string> { ["latency.admissionlas.io/HERE"] = "soon" } }.WithLatenciesOf(LatencyLabels.All),
        ]);

        var findings = NodeLabelsCheck.Evaluate(view, new PlacementPolicy());

        Assert.Equal("1 of 2 nodes have a latency to a location: HERE, THERE", findings[0].What);
        Assert.Contains(findings, f => f.What == "node b has a latency to HERE that cannot be read: \"soon\"");
        Assert.Contains(findings, f => f.What.StartsWith("only node a has a latency to THERE", StringComparison.Ordinal));
        Assert.Contains(findings, f => f.What.StartsWith("no node has admissionlas.io/tier=cloud", StringComparison.Ordinal));
        Assert.All(findings.Skip(1), f => Assert.Equal(Severity.Warning, f.Severity));
    }

    [Fact]
    public void A_node_with_more_labels_than_are_read_is_named()
    {
        var crowded = Nodes.Named("n", latencies: [.. Enumerable.Range(0, 300).Select(i => ($"L-{i}", "1"))]);

        Assert.Contains(
            NodeLabelsCheck.Evaluate(new ClusterView([crowded]), new PlacementPolicy()),
            f => f.Severity == Severity.Warning && f.What == "44 latency labels of node n are ignored: a node has at most 256");
    }

    [Theory]
    [InlineData("restricted", "admissionlas.io/tier=cloud", true)]
    [InlineData("restricted", "admissionlas.io/tier=cloud,admissionlas.io.node-restriction.kubernetes.io/tier!=edge", true)]
    [InlineData("restricted", "admissionlas.io.node-restriction.kubernetes.io/tier=cloud", false)]
    [InlineData("restricted", "", false)]
    [InlineData("all", "admissionlas.io/tier=cloud", false)]
    public void A_cloud_label_that_a_node_can_give_itself_is_a_warning_where_only_restricted_latencies_count(string labels, string selector, bool isWarned)
    {
        var policy = SettingsCompiler.FromText($"{{nodes: {{latencyLabels: {labels}}}, training: {{cloudSelector: \"{selector}\"}}}}").Policy;

        var findings = NodeLabelsCheck.Evaluate(ClusterView.Empty, policy);

        Assert.Equal(isWarned, findings.Any(f => f.Severity == Severity.Warning && f.What == $"a node can give itself {selector} and so draw training steps, though nodes.latencyLabels is Restricted"));
    }

    // https://kubernetes.io/docs/concepts/scheduling-eviction/scheduler-perf-tuning/: all of 100 nodes, a part of more.
    [Theory]
    [InlineData(100, 0, null)]
    [InlineData(101, 0, true)]
    [InlineData(101, 2, false)]
    public void Where_the_scheduler_scores_a_part_of_the_nodes_zones_are_needed(int nodes, int withoutZone, bool? isFine)
    {
        var view = new ClusterView(Enumerable.Range(0, nodes).Select(i =>
            i < withoutZone ? Nodes.At("1", $"n{i}") : Nodes.At("1", $"n{i}").Labelled("topology.kubernetes.io/zone", "a")));

        var finding = NodeLabelsCheck.Evaluate(view, new PlacementPolicy()).SingleOrDefault(f => f.What.StartsWith($"of {nodes} nodes the scheduler scores only a part", StringComparison.Ordinal));

        Assert.Equal(isFine, finding is null ? null : finding.Severity == Severity.Ok);
        Assert.Equal(withoutZone > 0, finding?.What.EndsWith("may run anywhere: 2 nodes without a zone", StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Nodes_without_a_latency_are_a_warning(int nodes) =>
        Assert.Equal(Severity.Warning, NodeLabelsCheck.Evaluate(new ClusterView(Enumerable.Range(0, nodes).Select(i => new NodeFacts { Name = $"n{i}" })), new PlacementPolicy())[0].Severity);

    // AutoscalerTests has the rules of the two.
    [Theory]
    [InlineData(null, false, "placement: { mode: Required }", true, "no autoscaler was found")]
    [InlineData("v1", false, null, true, "Karpenter can add nodes for steps that find no room near (Karpenter as of 1.5)")]
    [InlineData(null, true, "", true, "Cluster Autoscaler can add nodes for steps that find no room near; placement.mode Adaptive")]
    [InlineData("v1 v1beta1", true, "placement: { mode: preferred }", true, "Karpenter and Cluster Autoscaler can add nodes for all steps (Karpenter as of 1.5)")]
    [InlineData(null, true, "placement: { mode: Required }", false, "Cluster Autoscaler can add no node for a prediction step: placement.mode Required")]
    [InlineData("v1", false, "placement: { mode: Required }", false, "Karpenter can add no node for a prediction step: placement.mode Required")]
    [InlineData("v1beta1", false, "placement: { mode: Preferred }", false, "this Karpenter is older than 1.5")]
    [InlineData("v1alpha5", true, null, false, "this Karpenter is older than 1.5")]
    [InlineData("v1alpha5", true, "placement: { mode: 'Off' }", true, "Karpenter and Cluster Autoscaler can add nodes for all steps: placement.mode Off")]
    [InlineData("v1", false, "placement: [", false, "is not known: the webhook's configuration cannot be used")]
    [InlineData("v1", false, "placement: { mode: Sometimes }", false, "is not known: ")]
    public void A_mode_that_keeps_an_autoscaler_from_adding_nodes_is_a_warning(string? karpenter, bool hasClusterAutoscaler, string? configuration, bool isOk, string what)
    {
        var finding = AutoscalerCheck.Evaluate(karpenter?.Split(' '), hasClusterAutoscaler, configuration);

        Assert.Equal(isOk ? Severity.Ok : Severity.Warning, finding.Severity);
        Assert.Contains(what, finding.What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0, true, "no step of the last hour was placed and is bound")]
    [InlineData(24, 1, true, "24 of the 25 placements of the last hour are where it was decided, or on a standby")]
    [InlineData(19, 1, false, "5 % of the placements of the last hour went elsewhere (1 of 20)")]
    [InlineData(22, 3, false, "12 % of the placements of the last hour went elsewhere (3 of 25)")]
    public void Placements_that_the_scheduler_does_not_follow_are_a_warning(int asDecided, int elsewhere, bool isOk, string what)
    {
        var finding = PlacementsOf(
            [
                .. Enumerable.Repeat(Step("near"), asDecided), .. Enumerable.Repeat(Step("far"), elsewhere),
                // None of these counts: it waits, is old, is nobody's or of a namespace that has not opted in.
                Step(null), Step("far", minutesOld: 61), Step("far", record: "{}"), Step("far", ns: "other"),
            ])[0];

        Assert.Equal((isOk ? Severity.Ok : Severity.Warning, what), (finding.Severity, finding.What));
        Assert.Equal(isOk ? null : "see placement.scoringStrategy and placement.nodeAffinityWeight in the configuration", finding.Remedy);
    }

    [Theory]
    [InlineData(0, true, "no step of the last hour came without a decision")]
    [InlineData(1, false, "1 step of the last hour in namespaces that opt in came without a decision")]
    [InlineData(2, false, "2 steps of the last hour in namespaces that opt in came without a decision")]
    public void Steps_without_a_decision_are_a_warning(int bypassed, bool isOk, string what)
    {
        var finding = PlacementsOf(
            [
                .. Enumerable.Repeat(Step("far", record: null), bypassed),
                Step("near"), Step(null, record: null, minutesOld: 61), Step(null, record: null, ns: "other"), new JsonObject(),
            ])[1];

        Assert.Equal((isOk ? Severity.Ok : Severity.Warning, what), (finding.Severity, finding.What));
    }

    static IReadOnlyList<Finding> PlacementsOf(IEnumerable<JsonObject> pods)
    {
        var check = new PlacementsCheck(CompiledSettings.Default, ["team"], Nodes.View(Nodes.At("1", "near"), Nodes.At("9", "far")), Now);
        foreach (var pod in pods)
        {
            check.Add(YamlJson.ToElement(pod));
        }

        return check.Findings;
    }

    static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    static JsonObject Step(
        string? node, string? record = """{ "version": 1, "type": "Predict", "outcome": "Placed", "mode": "Adaptive", "node": "near", "location": "here" }""",
        string ns = "team", int minutesOld = 30)
    {
        var pod = Pods.PredictJson();
        pod["metadata"]!["namespace"] = ns;
        pod["metadata"]!["creationTimestamp"] = Now.AddMinutes(-minutesOld).ToString("o");
        pod["metadata"]!["annotations"] = record is null ? null : new JsonObject { [PodHints.RecordKey] = record };
        pod["spec"]!["nodeName"] = node;
        return pod;
    }

    [Fact]
    public void A_service_is_judged_by_its_port_and_its_pods()
    {
        var reference = new Admissionregistrationv1ServiceReference { NamespaceProperty = "las", Name = "hook", Port = 443 };
        var service = new V1Service { Spec = new V1ServiceSpec { Selector = new Dictionary<string, string> { ["app"] = "hook" }, Ports = [new V1ServicePort { Port = 443 }] } };
        var waiting = new V1Pod
        {
            Metadata = new V1ObjectMeta { Name = "hook-0" },
            Status = new V1PodStatus { ContainerStatuses = [new V1ContainerStatus { Name = "main", State = new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = "ImagePullBackOff" } } }] },
        };
        var ready = new V1Pod { Metadata = new V1ObjectMeta { Name = "hook-1" }, Status = new V1PodStatus { Conditions = [new V1PodCondition { Type = "Ready", Status = "True" }] } };

        Assert.Contains("there is no Service las/hook", ServiceCheck.Evaluate(reference, null, []).What, StringComparison.Ordinal);
        Assert.Contains("has no pods", ServiceCheck.Evaluate(reference, service, []).What, StringComparison.Ordinal);
        Assert.Contains("is ready: ImagePullBackOff", ServiceCheck.Evaluate(reference, service, [waiting]).What, StringComparison.Ordinal);
        Assert.Equal("1 of 2 pods of the Service las/hook are ready", ServiceCheck.Evaluate(reference, service, [waiting, ready]).What);
        service.Spec.Ports[0].Port = 8443;
        Assert.Contains("has no port 443", ServiceCheck.Evaluate(reference, service, [ready]).What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_is_judged_by_what_the_webhook_added_and_not_by_its_words()
    {
        Assert.Equal(Severity.Ok, Dry("a sentence", isPlaced: true).Severity);
        Assert.Equal(Severity.Warning, Dry("a sentence", isPlaced: false).Severity);
        Assert.Contains("failed calling webhook", Dry(null, isPlaced: false).Remedy, StringComparison.Ordinal);
        Assert.Equal("fix what failed above", Dry(null, isPlaced: false, isFaultKnown: true).Remedy);

        static Finding Dry(string? decision, bool isPlaced, bool isFaultKnown = false) => DryRunCheck.Evaluate(decision, isPlaced, "team", isFaultKnown);
    }

    [Theory]
    [InlineData("""{"version":1,"type":"Predict","outcome":"Placed","mode":"Preferred"}""", false, true)]
    [InlineData("""{"version":1,"type":"Predict","outcome":"NoLocation","mode":"Preferred"}""", false, false)]
    // An earlier version left no record.
    [InlineData(null, true, true)]
    [InlineData(null, false, false)]
    public void A_dry_run_was_placed_if_its_record_says_so_or_without_one_if_it_got_an_affinity(string? record, bool hasAffinity, bool isPlaced)
    {
        var annotations = record is null ? [] : new Dictionary<string, string> { [PodHints.RecordKey] = record };
        var answer = new V1Pod
        {
            Metadata = new V1ObjectMeta { Annotations = annotations },
            Spec = new V1PodSpec { Affinity = hasAffinity ? new V1Affinity() : null },
        };

        Assert.Equal(isPlaced, DryRunCheck.IsPlaced(answer));
    }

    [Theory]
    [InlineData("typeOfComponent")]
    [InlineData("example.org/step")]
    public void The_step_of_the_dry_run_meets_the_registration_whatever_the_label_is_called(string componentLabel)
    {
        var registration = Filled(new() { Address = Address, ComponentLabel = componentLabel });

        Assert.Null(DryRunCheck.NotSelected(registration, Namespace("team", "enabled"), DryRunCheck.Step(registration, null)));
    }

    [Fact]
    public void Selectors_that_pass_over_the_step_are_the_reason_given()
    {
        var registration = Filled(new() { Address = Address });
        Assert.Contains("namespace selector does not match namespace team", DryRunCheck.NotSelected(registration, Namespace("team", "no"), DryRunCheck.Step(registration, null))!.What, StringComparison.Ordinal);

        foreach (var entry in registration.Webhooks)
        {
            entry.ObjectSelector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["app"] = "other" } };
        }

        Assert.Contains("object selector does not match", DryRunCheck.NotSelected(registration, Namespace("team", "enabled"), DryRunCheck.Step(registration, null))!.What, StringComparison.Ordinal);
    }

    static V1MutatingWebhookConfiguration Filled(RegistrationChoices choices) =>
        KubernetesJson.Deserialize<V1MutatingWebhookConfiguration>(RegistrationTemplate.Fill(choices).ToJsonString());

    static V1Namespace Namespace(string name, string value) =>
        new() { Metadata = new V1ObjectMeta { Name = name, Labels = new Dictionary<string, string> { ["admissionlas.io/inject"] = value } } };
}
