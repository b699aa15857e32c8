namespace AdmissionLas.Tests.Webhook;

public sealed class PodReaderTests
{
    static readonly PlacementPolicy Required = new() { Mode = PlacementMode.Required };
    static readonly ClusterView View = Nodes.View(Nodes.At("1", "near"), Nodes.At("90", "far"));

    [Theory]
    [InlineData("""{ "command": ["driver"], "args": ["--type", "CONTAINER"] }""")]
    [InlineData("""{ "command": ["/bin/kfp/driver"], "args": ["--type", "DAG"] }""")]
    [InlineData("""{ "command": ["argoexec", "emissary", "--", "driver"], "args": ["--type", "ROOT_DAG"] }""")]
    [InlineData("""{ "command": ["dlv", "exec", "/bin/driver", "--"], "args": ["--pipeline_name", "p", "--type", "CONTAINER"] }""")]
    public void A_container_that_runs_KFPs_driver_makes_the_pod_no_step(string container) =>
        Assert.Equal("KFP driver", Review(container).Decision?.Step.TypeRule);

    [Theory]
    [InlineData("""{ "args": ["driver", "--type", "x"] }""")]
    [InlineData("""{ "command": ["/opt/entrypoint.sh"], "args": ["driver", "--properties-file", "f"] }""")]
    [InlineData("""{ "command": ["python", "train.py", "--role", "driver"] }""")]
    [InlineData("""{ "command": ["launch", "--pipeline_name", "driver", "--"], "args": ["--function_to_execute", "driver"] }""")]
    public void A_word_that_happens_to_be_driver_does_not(string container) => Assert.Equal(Outcome.Placed, Review(container).Decision?.Outcome);

    [Fact]
    public void A_driver_among_the_init_containers_does_not_make_the_pod_one()
    {
        var pod = Pods.PredictJson(spec: """
            {
              "initContainers": [ { "name": "plan", "command": ["driver"], "args": ["--type", "CONTAINER"] } ],
              "containers": [ { "name": "main" } ]
            }
            """);

        Assert.Equal(Outcome.Placed, WebhookCall.Review(pod, View).Decision?.Outcome);
    }

    [Theory]
    [InlineData("""{ "args": ["--executor_input", "{{$}}", "--function_to_execute", "predict_home"] }""")]
    [InlineData("""{ "command": ["sh", "--function_to_execute", "predict_home", "x"] }""")]
    public void The_function_that_KFPs_executor_runs_is_found_in_the_command_line(string container)
    {
        var rules = new StepRules(rules: [new StepRule { Name = "serve", Function = "predict_*", Kind = StepKinds.Predict, Location = "here" }]);
        var pod = Pods.Json("{}", spec: $$"""{ "containers": [ { "name": "wait", "command": ["argoexec", "wait"] }, {{container}} ] }""");

        Assert.Equal("rule serve", WebhookCall.Review(pod, View, rules: rules).Decision?.Step.TypeRule);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""[ { "weight": 10, "preference": { "weight": 7 } }, { "preference": {}, "weight": 5 } ]""", 10, 5)]
    [InlineData("""[ { "weight": -80 }, { "weight": "80" }, { "weight": null }, {} ]""", 0, 0, 0, 0)]
    public void The_authors_own_preferences_are_read_with_their_weights(string terms, params int[] weights)
    {
        var pod = Pods.PredictJson(spec: $$"""{ "containers": [ { "name": "main" } ], "affinity": { "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": {{terms}} } } }""");

        var read = CompiledSettings.Default.Reader.Read(Encoding.UTF8.GetBytes(SampleReview.Of(pod, "uid").ToJsonString()));

        Assert.Equal(weights, read.Pod!.Facts.PreferredTerms.Select(t => t.Weight));
    }

    [Theory]
    [InlineData("volumes", """[ { "name": "data", "persistentVolumeClaim": { "claimName": "c" } } ]""", SchedulerConstraint.Volumes)]
    [InlineData("volumes", """[ { "name": "data", "ephemeral": { "volumeClaimTemplate": {} } } ]""", SchedulerConstraint.Volumes)]
    [InlineData("volumes", """[ { "name": "data", "emptyDir": {} }, { "name": "disk", "iscsi": { "iqn": "iqn.2001-04.com.example:storage" } } ]""", SchedulerConstraint.Volumes)]
    [InlineData("volumes", """[ { "name": "disk", "gcePersistentDisk": { "pdName": "d" } } ]""", SchedulerConstraint.Volumes)]
    [InlineData("volumes", """[ { "name": "disk", "awsElasticBlockStore": { "volumeID": "d" } } ]""", SchedulerConstraint.Volumes)]
    [InlineData("volumes", """[ { "name": "disk", "rbd": { "image": "d" } } ]""", SchedulerConstraint.Volumes)]
    [InlineData("volumes", """[ { "name": "disk", "azureDisk": { "diskName": "d" } } ]""", SchedulerConstraint.Volumes)]
    [InlineData("volumes", """[ { "name": "disk", "cinder": { "volumeID": "d" } } ]""", SchedulerConstraint.Volumes)]
    [InlineData("hostNetwork", "true", SchedulerConstraint.HostNetwork)]
    [InlineData("resourceClaims", """[ { "name": "gpu" } ]""", SchedulerConstraint.ResourceClaims)]
    // The features for which a pod can ask: https://github.com/kubernetes/kubernetes/tree/v1.36.0/staging/src/k8s.io/component-helpers/nodedeclaredfeatures/features
    [InlineData("containers", """[ { "name": "main", "restartPolicyRules": [ { "action": "Restart" }, { "action": "RestartAllContainers", "exitCodes": { "operator": "In", "values": [88] } } ] } ]""", SchedulerConstraint.RestartRules)]
    [InlineData("containers", """[ { "name": "a", "restartPolicyRules": [ { "action": "RestartAllContainers" } ] }, { "name": "b" } ]""", SchedulerConstraint.RestartRules)]
    [InlineData("initContainers", """[ { "name": "init", "restartPolicyRules": [ { "action": "RestartAllContainers" } ] } ]""", SchedulerConstraint.RestartRules)]
    [InlineData("topologySpreadConstraints", """[ { "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule" } ]""", SchedulerConstraint.TopologySpreadConstraints)]
    [InlineData("affinity", """{ "podAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [ { "topologyKey": "zone" } ] } }""", SchedulerConstraint.PodAffinity)]
    [InlineData("affinity", """{ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [ { "topologyKey": "zone" }, {} ] } }""", SchedulerConstraint.PodAntiAffinity)]
    public void A_pod_that_only_the_scheduler_can_judge_says_what_makes_it_so(string member, string value, SchedulerConstraint constraint)
    {
        var reviewed = ReviewWith(member, value);

        Assert.Equal(new Softening(SofteningCause.SchedulerOnlyConstraint, constraint), reviewed.Decision!.Softened);
        Assert.Null(reviewed.Decision.Required);
    }

    [Theory]
    [InlineData("schedulingGates", """[ { "name": "kueue.x-k8s.io/admission" } ]""", SofteningCause.Gated)]
    [InlineData("schedulerName", "\"volcano\"", SofteningCause.OtherScheduler)]
    public void A_pod_whose_nodes_may_still_change_is_only_preferred(string member, string value, SofteningCause cause)
    {
        var reviewed = ReviewWith(member, value);

        Assert.Equal(new Softening(cause), reviewed.Decision!.Softened);
        Assert.Null(reviewed.Decision.Required);
        Assert.Equal((true, false), (reviewed.Decision.HasRoom, reviewed.Decision.ReservesCapacity));
        Assert.False(reviewed.Pod["metadata"]!["annotations"]!.AsObject().ContainsKey(PodHints.AssumedKey));
    }

    // https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
    [Theory]
    [InlineData("""{ "priority": 1000 }""", 1000, false)]
    [InlineData("""{ "priority": 2000000000, "preemptionPolicy": "PreemptLowerPriority" }""", 2_000_000_000, false)]
    [InlineData("""{ "priority": 1000, "preemptionPolicy": "Never" }""", 1000, true)]
    [InlineData("""{ "priority": -5 }""", -5, false)]
    [InlineData("{}", 0, false)]
    public void A_pod_has_a_priority_and_may_never_evict_others(string members, int priority, bool neverPreempts)
    {
        var pod = Pods.PredictJson();
        JsonNode.Parse(members)!.AsObject().ToList().ForEach(m => pod["spec"]![m.Key] = m.Value?.DeepClone());

        var facts = CompiledSettings.Default.Reader.Read(Encoding.UTF8.GetBytes(SampleReview.Of(pod, "uid").ToJsonString())).Pod!.Facts;

        Assert.Equal((priority, neverPreempts), (facts.Priority, facts.NeverPreempts));
    }

    [Theory]
    [InlineData("affinity", """{ "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [ {} ] } }""", SchedulerConstraint.PodAntiAffinity)]
    [InlineData("affinity", """{ "podAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [ {} ] } }""", SchedulerConstraint.PodAffinity)]
    [InlineData("affinity", """{ "podAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [] } }""", null)]
    [InlineData("topologySpreadConstraints", """[ { "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {} } ]""", SchedulerConstraint.TopologySpreadConstraints)]
    [InlineData("topologySpreadConstraints", """[ { "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway" } ]""", SchedulerConstraint.TopologySpreadConstraints)]
    [InlineData("topologySpreadConstraints", """[ { "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway" } ]""", SchedulerConstraint.TopologySpreadConstraints)]
    // It is about no node.
    [InlineData("topologySpreadConstraints", """[ { "maxSkew": 1, "topologyKey": "admissionlas.io/none", "whenUnsatisfiable": "ScheduleAnyway" } ]""", null)]
    [InlineData("topologySpreadConstraints", "[]", null)]
    [InlineData("topologySpreadConstraints", "null", null)]
    public void What_can_outweigh_us_is_known(string member, string value, SchedulerConstraint? constraint)
    {
        var pod = Pods.PredictJson();
        pod["spec"]![member] = JsonNode.Parse(value);

        Assert.Equal(constraint, WebhookCall.Review(pod, Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "next"))).Decision!.YieldsTo);
    }

    [Theory]
    [InlineData("schedulingGates", "[]")]
    [InlineData("schedulingGates", "null")]
    [InlineData("schedulerName", "\"default-scheduler\"")]
    [InlineData("schedulerName", "\"\"")]
    [InlineData("os", "{}")]
    [InlineData("os", """{ "name": "linux" }""")]
    public void A_pod_that_the_default_scheduler_places_at_once_is_required(string member, string value) =>
        Assert.NotNull(ReviewWith(member, value).Decision!.Required);

    [Theory]
    [InlineData("volumes", """[ { "name": "data", "emptyDir": {} }, { "name": "c", "configMap": { "name": "c" } } ]""")]
    [InlineData("volumes", """[ { "name": "data", "persistentVolumeClaim": null } ]""")]
    [InlineData("hostNetwork", "false")]
    [InlineData("resourceClaims", "[]")]
    [InlineData("containers", """[ { "name": "main", "restartPolicyRules": [ { "action": "Restart" }, {} ] }, { "name": "b", "restartPolicyRules": null } ]""")]
    [InlineData("topologySpreadConstraints", """[ { "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway" } ]""")]
    [InlineData("affinity", """{ "podAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [ { "weight": 1 } ] } }""")]
    [InlineData("affinity", """{ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [] } }""")]
    public void What_excludes_no_node_does_not_keep_a_pod_from_being_pinned(string member, string value) =>
        Assert.NotNull(ReviewWith(member, value).Decision?.Required);

    [Theory]
    [InlineData("8080", true)]
    [InlineData("0", false)]
    [InlineData("null", false)]
    public void A_host_port_is_one_when_it_is_not_zero(string port, bool isSeen)
    {
        var pod = Pods.PredictJson(spec: $$"""{ "containers": [ { "name": "main", "ports": [ { "containerPort": 80, "hostPort": {{port}} } ] } ] }""");

        Assert.Equal(isSeen, WebhookCall.Review(pod, View, Required).Decision?.Required is null);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("team-a")]
    public void The_namespace_is_that_of_the_request_which_the_pod_may_leave_out(string? own)
    {
        var rules = new StepRules(rules: [new StepRule { Name = "a", Namespace = "team-a", Kind = StepKinds.Predict, Location = "here" }]);
        var pod = Pods.Json("{}");
        pod["metadata"]!["namespace"] = own;

        Assert.Equal("rule a", WebhookCall.Review(pod, View, rules: rules, @namespace: "team-a").Decision?.Step.TypeRule);
    }

    [Fact]
    public void A_pod_of_another_namespace_than_the_request_is_none()
    {
        var pod = Pods.PredictJson();
        pod["metadata"]!["namespace"] = "kube-system";

        var reviewed = WebhookCall.Review(pod, View, @namespace: "team-a");

        Assert.Null(reviewed.Patch);
        Assert.Null(reviewed.Decision);
    }

    [Theory]
    [InlineData("name", 253)]
    [InlineData("generateName", 253)]
    [InlineData("namespace", 63)]
    public void A_name_that_is_longer_than_any_may_be_leaves_the_pod_as_it_is(string member, int longest)
    {
        Assert.Empty(Named(longest));
        Assert.Contains($"metadata.{member} is longer than {longest} characters", Assert.Single(Named(longest + 1)), StringComparison.Ordinal);
        Assert.Contains($"metadata.{member} is longer than {longest} characters", Assert.Single(Named(3 << 20)), StringComparison.Ordinal);

        string[] Named(int length)
        {
            var pod = Pods.PredictJson();
            var name = new string('a', length);
            pod["metadata"]![member] = name;
            return WebhookCall.Review(pod, View, @namespace: member == "namespace" && length <= longest ? name : "kubeflow").Warnings;
        }
    }

    [Theory]
    [InlineData("apiVersion", 253)]
    [InlineData("kind", 63)]
    [InlineData("name", 253)]
    [InlineData("uid", 128)]
    public void A_controller_with_a_longer_field_than_any_may_be_is_none(string member, int longest)
    {
        Assert.NotNull(Owned(longest));
        Assert.Null(Owned(longest + 1));

        OwnerReference? Owned(int length)
        {
            var pod = Pods.PredictJson();
            pod["metadata"]!["ownerReferences"] = new JsonArray(new JsonObject
            {
                ["apiVersion"] = "argoproj.io/v1alpha1",
                ["kind"] = "Workflow",
                ["name"] = "w",
                ["uid"] = "u",
                ["controller"] = true,
                [member] = new string('a', length),
            });
            var review = SampleReview.Of(pod, "uid", "kubeflow").ToJsonString();
            return WebhookCall.Send(Encoding.UTF8.GetBytes(review), View, CompiledSettings.Default).ReviewResult.Review.Pod!.Controller;
        }
    }

    [Theory]
    [InlineData("\"2\"")]
    [InlineData("2")]
    [InlineData("\"2000m\"")]
    public void A_quantity_may_be_a_string_or_a_number(string quantity)
    {
        var pod = Pods.PredictJson(spec: $$"""{ "containers": [ { "name": "main", "resources": { "requests": { "cpu": {{quantity}} } } } ] }""");

        Assert.Equal("far", WebhookCall.Review(pod, Nodes.View(Nodes.At("1", "near", cpu: "1"), Nodes.At("90", "far"))).Decision?.Chosen?.Name);
    }

    [Theory]
    [InlineData("containers", """{ "main": {} }""", "spec.containers is not a list")]
    [InlineData("containers", """[ "main" ]""", "an item of spec.containers is not an object")]
    [InlineData("containers", """[ { "name": 7 } ]""", "spec.containers[].name is not a string")]
    [InlineData("containers", """[ { "resources": { "requests": { "cpu": "lots" } } } ]""", "spec.containers[].resources.requests holds a value that is no quantity")]
    [InlineData("affinity", "[]", "spec.affinity is not an object")]
    [InlineData("hostNetwork", "\"yes\"", "spec.hostNetwork is not a boolean")]
    [InlineData(
        "affinity",
        """{ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [ { "matchExpressions": [ { "key": "a", "operator": "Like" } ] } ] } } }""",
        "matchExpressions[].operator is not a node selector operator")]
    [InlineData(
        "affinity",
        """{ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [ { "matchExpressions": [ { "values": ["a"] } ] } ] } } }""",
        "matchExpressions[].operator is not a node selector operator")]
    public void A_value_of_a_wrong_type_leaves_the_pod_as_it_is_and_its_author_is_told_where(string member, string value, string fault)
    {
        var reviewed = ReviewWith(member, value);

        Assert.Null(reviewed.Patch);
        Assert.Contains(fault, Assert.Single(reviewed.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"registry.example/model:1\"", true)]
    [InlineData("\"registry.example/model:2\"", false)]
    [InlineData("null", false)]
    [InlineData("7", false)]
    [InlineData("{ \"registry.example/model:1\": 1 }", false)]
    public void The_image_is_read_where_it_is_one_for_it_draws_the_pod_elsewhere(string image, bool isKnown)
    {
        var images = NodeImages.Of([(ImageId.Of("registry.example/model:1"), 4L << 30)]);
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("90", "has-it") with { Images = images }, Nodes.At("91", "next"));

        var decision = WebhookCall.Review(
            Pods.PredictJson(spec: $$"""{ "containers": [ { "name": "main", "image": {{image}} } ] }"""), view,
            new PlacementPolicy { Mode = PlacementMode.Adaptive, NodeAffinityWeight = 1 }).Decision!;

        // A third of the nodes have the image: 100 points, as soon as somebody asks for it.
        Assert.Equal(isKnown ? ["near", "next"] : ["near", "has-it", "next"], decision.Required!.Names);
    }

    [Fact]
    public void The_controller_among_the_owners_is_the_pods_controller() =>
        Assert.Equal(
            new OwnerReference("argoproj.io/v1alpha1", "Workflow", "taxi-7", "u-2"),
            Controller("""[{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"u-1"},{"controller":true,"blockOwnerDeletion":true,"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","name":"taxi-7","uid":"u-2","more":{"a":[1]}}]"""));

    // A malformed owner is for the API server to refuse: the pod is read all the same.
    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("7")]
    [InlineData("[7]")]
    [InlineData("[null]")]
    [InlineData("""[{"kind":7,"controller":true}]""")]
    [InlineData("""[{"controller":true}]""")]
    [InlineData("""[{"apiVersion":"v1","kind":"ReplicaSet","name":"\ud800","uid":"u","controller":true}]""")]
    [InlineData("""[{"apiVersion":"v1","kind":"ReplicaSet","name":"x","uid":"u","controller":true,"\ud800":1}]""")]
    [InlineData("""[{"apiVersion":"v1","kind":"ReplicaSet","name":"x","uid":"u","controller":"true"}]""")]
    [InlineData("""[{"apiVersion":"v1","kind":"ReplicaSet","name":"x","uid":"u","controller":false}]""")]
    [InlineData("""[{"apiVersion":"v1","kind":"ReplicaSet","name":"x","uid":"u"}]""")]
    public void Without_a_controller_there_is_none(string owners) => Assert.Null(Controller(owners));

    [Fact]
    public void Of_owners_that_stand_several_times_none_counts_once_they_cannot_be_read() =>
        Assert.Null(Controller("""1, "ownerReferences": [{"controller":true,"apiVersion":"v1","kind":"Job","name":"j"}]"""));

    [Fact]
    public void An_owner_field_elsewhere_is_not_the_pods()
    {
        const string trap = """[{"apiVersion":"v1","kind":"Trap","name":"x","uid":"u","controller":true}]""";

        Assert.Null(Read($$"""{ "metadata": { "labels": {} }, "spec": { "ownerReferences": {{trap}}, "containers": [] }, "ownerReferences": {{trap}} }""").Controller);
    }

    static OwnerReference? Controller(string owners) =>
        Read($$"""{ "metadata": { "ownerReferences": {{owners}}, "name": "after" }, "spec": { "containers": [] } }""") is { Name: "after" } pod ? pod.Controller : throw new InvalidOperationException();

    // As text, for a model of the pod cannot hold half a surrogate pair.
    static AdmittedPod Read(string pod)
    {
        var review = SampleReview.Of([], "uid").ToJsonString().Replace("\"object\":{}", $"\"object\":{pod}", StringComparison.Ordinal);
        return CompiledSettings.Default.Reader.Read(Encoding.UTF8.GetBytes(review)).Pod!;
    }

    static Reviewed Review(string container) => WebhookCall.Review(Pods.PredictJson(spec: $$"""{ "containers": [ {{container}} ] }"""), View);

    static Reviewed ReviewWith(string member, string value)
    {
        var pod = Pods.PredictJson();
        pod["spec"]![member] = JsonNode.Parse(value);
        return WebhookCall.Review(pod, View, Required);
    }
}
