using AdmissionLas.Server;
using AdmissionLas.Snapshots;
using Microsoft.Extensions.DependencyInjection;

namespace AdmissionLas.Tests.Explain;

/// <summary>A snapshot has what decisions depend on and nothing else, whatever the cluster's objects hold.</summary>
public sealed class SnapshotTests
{
    [Fact]
    public void Of_a_pod_only_names_requests_and_our_annotations_survive() => Assert.Equal(
        [
            "apiVersion", "kind", "metadata.annotations.admissionlas.io/assumed", "metadata.annotations.admissionlas.io/decision", "metadata.name", "metadata.namespace", "metadata.uid",
            "spec.containers.name", "spec.containers.resources.limits.cpu", "spec.containers.resources.requests.cpu", "spec.containers.restartPolicy",
            "spec.initContainers.name", "spec.initContainers.resources.limits.cpu", "spec.initContainers.resources.requests.cpu", "spec.initContainers.restartPolicy",
            "spec.nodeName", "spec.overhead.cpu", "spec.resources.limits.cpu", "spec.resources.requests.cpu", "spec.schedulerName", "spec.schedulingGates.name", "status.phase",
        ],
        Surviving(ObjectReduction.Pod, FullPod));

    [Theory]
    [InlineData("resources: { requests: { cpu: 3 }, limits: { cpu: 9 } }, allocatedResources: { cpu: 1 }")]
    [InlineData("conditions: [ { type: PodResizePending, reason: Infeasible, message: m } ], resources: { requests: { cpu: 500m } }, allocatedResources: { cpu: 500m }")]
    [InlineData("phase: Running, containerStatuses: [ { name: main, image: i, resources: { requests: { cpu: 3 } }, allocatedResources: { cpu: 1 } } ], initContainerStatuses: [ { name: s, resources: { requests: { cpu: 2 } } } ]")]
    public void A_pod_that_is_resized_uses_the_same_in_a_snapshot(string status)
    {
        var pod = Text.Object($$"""
            metadata: { uid: u, name: p }
            spec:
              nodeName: n
              {{(status.Contains("containerStatuses", StringComparison.Ordinal) ? "" : "resources: { requests: { cpu: 1 } }")}}
              initContainers: [ { name: s, restartPolicy: Always, resources: { requests: { cpu: 1 } } } ]
              containers: [ { name: main, resources: { requests: { cpu: 1 } } } ]
            status: { {{status}} }
            """);
        var reduced = ObjectReduction.Pod(pod);

        Assert.NotEqual(2000, PodUsageReader.Read(YamlJson.ToElement(pod))!.Request.CpuMilli);
        Assert.Equal(PodUsageReader.Read(YamlJson.ToElement(pod)), PodUsageReader.Read(YamlJson.ToElement(reduced)));
        Assert.DoesNotContain("limits", reduced["status"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_node_only_name_labels_taints_capacity_conditions_and_large_images_survive() => Assert.Equal(
        [
            "apiVersion", "kind", "metadata.labels.HOME", "metadata.name", "spec.taints.effect", "spec.taints.key", "spec.taints.value", "spec.unschedulable",
            "status.allocatable.cpu", "status.capacity.cpu", "status.conditions.status", "status.conditions.type", "status.images.names", "status.images.sizeBytes",
        ],
        Surviving(ObjectReduction.Node, """
            kind: Node
            metadata: { name: n, uid: u, labels: { HOME: 1ms }, annotations: { admissionlas.io/x: a, csi: s }, managedFields: [ { manager: m, fieldsV1: { a: b } } ], ownerReferences: [ { name: o } ] }
            spec: { podCIDR: 10.0.0.0/24, providerID: aws, unschedulable: true, taints: [ { key: k, value: v, effect: NoSchedule, timeAdded: t } ] }
            status:
              addresses: [ { address: 10.0.0.7 } ]
              capacity: { cpu: 1 }
              allocatable: { cpu: 1 }
              conditions: [ { type: Ready, status: 'True', message: m, reason: r, lastHeartbeatTime: l }, { type: Other, status: 'True' } ]
              images: [ { names: [ registry.example/model ], sizeBytes: 2000000000, other: o }, { names: [ registry.example/small ], sizeBytes: 1000 } ]
              nodeInfo: { machineID: m }
            """));

    [Fact]
    public void Of_a_namespace_only_its_name_and_labels_survive() => Assert.Equal(
        ["apiVersion", "kind", "metadata.labels.admissionlas.io/inject", "metadata.labels.owner", "metadata.name"],
        Surviving(ObjectReduction.Namespace, "kind: Namespace\nmetadata: { name: n, labels: { admissionlas.io/inject: enabled, owner: o }, annotations: { a: b } }\nspec: { finalizers: [ f ] }"));

    [Fact]
    public void Of_a_class_only_what_it_gives_pods_survives()
    {
        Assert.Equal(
            ["apiVersion", "globalDefault", "kind", "metadata.name", "preemptionPolicy", "value"],
            Surviving(ObjectReduction.PriorityClass, "kind: PriorityClass\nmetadata: { name: n, annotations: { a: b } }\nvalue: 7\nglobalDefault: true\npreemptionPolicy: Never\ndescription: d"));
        Assert.Equal(
            ["apiVersion", "kind", "metadata.name", "overhead.podFixed.cpu", "scheduling.nodeSelector.a", "scheduling.tolerations.key"],
            Surviving(ObjectReduction.RuntimeClass, "kind: RuntimeClass\nmetadata: { name: n, labels: { a: b } }\nhandler: h\noverhead: { podFixed: { cpu: 1 } }\nscheduling: { nodeSelector: { a: b }, tolerations: [ { key: k } ] }"));
    }

    [Fact]
    public void Of_the_configuration_only_what_decisions_depend_on_survives()
    {
        var kept = ObjectReduction.Configuration(Text.Object("""
            kind: ConfigMap
            metadata: { name: admission-las, namespace: admission-las, annotations: { last-applied: x } }
            data:
              other.txt: hunter2
              admission-las.yaml: |
                server: { certificateKey: /hunter2 }
                placement: { namedNodes: 3 }
            """))!;

        Assert.Equal("placement:\n  namedNodes: 3\n", kept["data"]!["admission-las.yaml"]!.GetValue<string>().Replace("...\n", "", StringComparison.Ordinal));
        Assert.DoesNotContain("hunter2", kept.ToJsonString(), StringComparison.Ordinal);
        Assert.Null(kept["metadata"]!["annotations"]);
    }

    [Fact]
    public void A_snapshot_is_read_back_as_it_was()
    {
        var embedded = ClusterSnapshot.Embedded();
        var pod = ObjectReduction.Pod(Text.Object(FullPod));
        pod["spec"]!["nodeName"] = "home-edge-node";
        pod["status"] = new JsonObject { ["phase"] = "Running" };
        var taken = embedded with { Objects = [.. embedded.Objects, pod] };
        var file = Path.GetTempFileName();
        try
        {
            using (var writer = File.CreateText(file))
            {
                taken.Write(writer);
            }

            var read = ClusterSnapshot.FromFile(file);

            Assert.Equal(taken.View(LatencyLabels.All).Nodes, read.View(LatencyLabels.All).Nodes);
            Assert.Equal(taken.Usage().On("home-edge-node").Requested.CpuMilli, read.Usage().On("home-edge-node").Requested.CpuMilli);
            Assert.Equal(1, read.Usage().On("home-edge-node").Pods);
            Assert.Equal(0, read.Usage(except: "u").On("home-edge-node").Pods);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("team-a", true)]
    [InlineData("team-b", false)]
    // One that is not in the snapshot may have any labels.
    [InlineData("team-c", true)]
    public void Anti_affinity_is_about_the_namespaces_with_the_labels_of_the_snapshot(string name, bool isConcerned)
    {
        string[] objects =
        [
            "kind: Namespace\nmetadata: { name: team-a, labels: { kubernetes.io/metadata.name: team-a, team: a } }",
            "kind: Namespace\nmetadata: { name: team-b, labels: { kubernetes.io/metadata.name: team-b, team: b } }",
            """
            kind: Pod
            metadata: { name: p, namespace: other, uid: u }
            spec: { nodeName: n, affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: zone, labelSelector: {}, namespaceSelector: { matchLabels: { team: a } } } ] } } }
            """,
        ];

        Assert.Equal(isConcerned, new ClusterSnapshot([.. objects.Select(Text.Object)], []).Usage().AntiAffinity.AppliesTo(name));
    }

    [Theory]
    [InlineData("Running", "1 pods counted", 1)]
    [InlineData("Succeeded", "what runs on them is not known", 0)]
    public async Task A_server_counts_the_pods_of_a_snapshot_as_explain_does(string phase, string readiness, int pods)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, $$"""
                kind: List
                items:
                - kind: Node
                  metadata: { name: n }
                  status: { allocatable: { cpu: 4, memory: 8Gi, pods: 110 }, conditions: [ { type: Ready, status: 'True' } ] }
                - kind: Pod
                  metadata: { name: p, namespace: ns, uid: u }
                  spec: { nodeName: n, containers: [ { name: main, resources: { requests: { cpu: 1500m } } } ] }
                  status: { phase: {{phase}} }
                """);
            await using var webhook = await RunningWebhook.StartAsync(source: ClusterSource.FromFile(file));

            var served = webhook.Services.GetRequiredService<NodeUsageCache>().Current.On("n");

            Assert.Equal((pods, 1500 * pods), (served.Pods, served.Requested.CpuMilliOrZero));
            Assert.Equal(ClusterSnapshot.FromFile(file).Usage().On("n"), served);
            Assert.Contains(readiness, await webhook.Client.GetStringAsync(webhook.Health("/readyz")), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    const string FullPod = """
        kind: Pod
        metadata:
          name: p
          namespace: ns
          uid: u
          labels: { app: a }
          annotations: { admissionlas.io/decision: d, admissionlas.io/assumed: n/r, kubectl.kubernetes.io/last-applied-configuration: c, vault: v }
          managedFields: [ { manager: m, fieldsV1: { 'f:spec': { 'f:containers': s } } } ]
          ownerReferences: [ { name: o, uid: u } ]
        spec:
          nodeName: n
          overhead: { cpu: 1 }
          schedulerName: s
          schedulingGates: [ { name: g } ]
          resources: { requests: { cpu: 1 }, limits: { cpu: 1 }, claims: [ { name: c } ] }
          serviceAccountName: s
          imagePullSecrets: [ { name: i } ]
          volumes: [ { name: v, secret: { secretName: s } } ]
          affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [ { matchFields: [ { key: k } ] } ] } } }
          containers: [ &c { name: main, image: i, restartPolicy: Always, command: [ c ], args: [ a ], env: [ { name: e, value: v } ], envFrom: [ { secretRef: { name: s } } ],
                         resources: { requests: { cpu: 1 }, limits: { cpu: 1 }, claims: [ { name: c } ] }, lifecycle: { postStart: { exec: { command: [ c ] } } } } ]
          initContainers: [ *c ]
          ephemeralContainers: [ *c ]
        status: { phase: Pending, podIP: 10.1.2.3, message: m, conditions: [ { type: PodScheduled, status: 'True', message: m, reason: r }, { type: Ready, status: 'True' } ] }
        """;

    /// <summary>The paths, list places left out, whose values are still there, and that they are the values that were there.</summary>
    static string[] Surviving(Func<JsonObject, JsonObject> reduce, string yaml)
    {
        var reduced = Leaves(reduce(Text.Object(yaml))).ToArray();
        var known = Leaves(Text.Object(yaml)).ToHashSet();
        Assert.All(reduced.Where(l => l.Path != "apiVersion"), leaf => Assert.Contains(leaf, known));
        return [.. reduced.Select(l => l.Path).Distinct().Order(StringComparer.Ordinal)];
    }

    static IEnumerable<(string Path, string Value)> Leaves(JsonNode? node, string path = "") => node switch
    {
        JsonObject members => members.SelectMany(m => Leaves(m.Value, path.Length == 0 ? m.Key : $"{path}.{m.Key}")),
        JsonArray items => items.SelectMany(i => Leaves(i, path)),
        _ => [(path, node?.ToJsonString() ?? "null")],
    };
}
