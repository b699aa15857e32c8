using AdmissionLas.Explain;

namespace AdmissionLas.Tests.Explain;

/// <summary>The pods of a Workflow are those that Argo's documentation says: docs/template-defaults.md, workflow-templates.md, fields.md.</summary>
public sealed class ArgoWorkflowTests
{
    const string Library = """
        apiVersion: argoproj.io/v1alpha1
        kind: WorkflowTemplate
        metadata: { name: lib, namespace: team }
        spec:
          entrypoint: main
          podMetadata: { labels: { team: x } }
          podSpecPatch: '{"priorityClassName":"low"}'
          templateDefaults:
            metadata: { labels: { typeOfComponent: Predict, OurLocation: VOLOS } }
            nodeSelector: { kubernetes.io/arch: amd64 }
          templates:
            - name: main
              nodeSelector: { pool: never }
              dag:
                tasks:
                  - { name: a, template: con }
                  - { name: b, template: scr, depends: a }
                  - { name: c, template: cset, depends: b }
                  - { name: d, template: http, depends: b }
                  - { name: e, template: wait, depends: b }
                  - { name: f, template: res, depends: b }
            - name: con
              metadata: { labels: { typeOfComponent: Training } }
              container: { image: i }
            - name: scr
              nodeSelector: { pool: fast }
              script: { image: i, resources: { requests: { cpu: 100m } } }
            - name: cset
              containerSet: { containers: [ { name: first, image: i, resources: { requests: { cpu: 1 } } }, { name: main, image: i } ] }
            - name: http
              http: { url: "http://x" }
            - name: wait
              suspend: { duration: "1" }
            - name: res
              resource: { action: get }
        """;

    static string Workflow(string spec) => $"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{ name: w }}\nspec:\n{spec}";

    [Fact]
    public void Template_defaults_are_merged_under_each_template()
    {
        var pods = Text.Pods(Library);

        Assert.Equal(["a", "b", "c", "f", "agent"], pods.Keys);
        Assert.Equal("""{"workflows.argoproj.io/workflow":"lib","team":"x","typeOfComponent":"Training","OurLocation":"VOLOS"}""", pods["a"].At("metadata.labels"));
        Assert.Equal(["\"Predict\"", "\"Predict\"", "\"Predict\""], new[] { "b", "c", "f" }.Select(p => pods[p].At("metadata.labels.typeOfComponent")));
        // The defaults are the template's own, so those of the graph around it do not count.
        Assert.Equal("""{"kubernetes.io/arch":"amd64"}""", pods["a"].At("spec.nodeSelector"));
        Assert.Equal("""{"kubernetes.io/arch":"amd64","pool":"fast"}""", pods["b"].At("spec.nodeSelector"));
        Assert.All(pods.Values, p => Assert.Equal("\"low\"", p.At("spec.priorityClassName")));
    }

    [Fact]
    public void Lists_of_the_defaults_are_merged_by_their_keys_and_what_is_of_another_type_is_left_out()
    {
        var pods = Text.Pods(Workflow("""
              entrypoint: main
              templateDefaults:
                container: { image: slow, resources: { requests: { cpu: 1, memory: 1Gi }, limits: { cpu: 2 } } }
                tolerations: [ { key: gpu, operator: Exists }, { key: spot, value: a } ]
                sidecars: [ { name: proxy, image: p } ]
                volumes: [ { name: data, persistentVolumeClaim: { claimName: data } } ]
              templates:
                - { name: main, steps: [ [ { name: one, template: one }, { name: two, template: two } ] ] }
                - name: one
                  container: { image: quick, resources: { requests: { cpu: 500m } }, volumeMounts: [ { name: data, mountPath: /data } ] }
                  tolerations: [ { key: spot, value: b } ]
                - { name: two, script: { image: s, source: pass } }
            """));

        Assert.Equal("""{"requests":{"cpu":"500m","memory":"1Gi"},"limits":{"cpu":2}}""", pods["one"].At("spec.containers.0.resources"));
        Assert.Equal("\"quick\"", pods["one"].At("spec.containers.0.image"));
        Assert.Equal("""[{"key":"gpu","operator":"Exists"},{"key":"spot","value":"b"}]""", pods["one"].At("spec.tolerations"));
        Assert.Equal("\"data\"", pods["one"].At("spec.volumes.0.name"));
        Assert.Equal(["\"s\"", null, "\"proxy\""], new[] { "0.image", "0.resources", "1.name" }.Select(m => pods["two"].At($"spec.containers.{m}")));
        Assert.Null(pods["two"].At("spec.volumes"));
    }

    [Fact]
    public void One_agent_runs_the_http_and_plugin_templates_with_what_the_workflow_says_of_all_pods()
    {
        var agent = Text.Pods(Library)["agent"];

        Assert.Equal("""{"workflows.argoproj.io/workflow":"lib","team":"x","workflows.argoproj.io/component":"agent"}""", agent.At("metadata.labels"));
        Assert.Equal("""{"requests":{"cpu":"10m","memory":"64M"}}""", agent.At("spec.containers.0.resources"));
        Assert.Null(agent.At("spec.nodeSelector"));
    }

    [Fact]
    public void A_workflow_takes_its_templates_from_a_workflow_template_in_the_same_input()
    {
        var steps = Text.Read($$"""
            {{Library}}
            ---
            apiVersion: argoproj.io/v1alpha1
            kind: Workflow
            metadata: { generateName: byref-, namespace: team }
            spec: { workflowTemplateRef: { name: lib }, podMetadata: { labels: { run: nightly } }, tolerations: [ { key: gpu, operator: Exists } ] }
            """).Steps.Where(s => s.Origin == "Workflow byref").ToDictionary(s => s.Name);

        Assert.Equal(["a", "b", "c", "f", "agent"], steps.Keys);
        Assert.Equal(
            """{"workflows.argoproj.io/workflow":"byref","team":"x","run":"nightly","typeOfComponent":"Training","OurLocation":"VOLOS"}""", steps["a"].Pod.At("metadata.labels"));
        Assert.Equal("\"byref.a\"", steps["a"].Pod.At("metadata.annotations.workflows|argoproj|io/node-name"));
        Assert.Equal("""[{"key":"gpu","operator":"Exists"}]""", steps["a"].Pod.At("spec.tolerations"));
        Assert.Equal(22, steps["a"].Line);
    }

    [Theory]
    [InlineData("Workflow", "  workflowTemplateRef: { name: gone }")]
    [InlineData("CronWorkflow", "  workflowSpec: { workflowTemplateRef: { name: gone }, entrypoint: x }")]
    public void A_workflow_template_that_is_not_in_the_input_is_told(string kind, string spec) => Assert.Equal(
        $"line 5: the {kind} takes its templates from gone, which is not in the input; put that object there too",
        Assert.Single(Text.Read($"apiVersion: argoproj.io/v1alpha1\nkind: {kind}\nmetadata: {{ name: w }}\nspec:\n{spec}\n").Problems).ToString());

    [Fact]
    public void A_template_of_another_object_runs_with_the_callers_settings()
    {
        var pod = Text.Pods("""
            apiVersion: argoproj.io/v1alpha1
            kind: Workflow
            metadata: { name: w, namespace: team-a }
            spec:
              entrypoint: main
              nodeSelector: { disk: ssd }
              templates: [ { name: main, dag: { tasks: [ { name: hello, templateRef: { name: shared, template: print, clusterScope: true } } ] } } ]
            ---
            apiVersion: argoproj.io/v1alpha1
            kind: ClusterWorkflowTemplate
            metadata: { name: shared }
            spec:
              nodeSelector: { disk: slow }
              templates:
                - { name: print, steps: [ [ { name: call, template: message } ] ] }
                - { name: message, container: { image: busybox } }
            """)["hello[0].call"];

        Assert.Equal("""{"disk":"ssd"}""", pod.At("spec.nodeSelector"));
        Assert.Equal("\"w.hello[0].call\"", pod.At("metadata.annotations.workflows|argoproj|io/node-name"));
        Assert.Equal("\"team-a\"", pod.At("metadata.namespace"));
    }

    [Fact]
    public void A_pod_has_the_node_selector_of_the_graph_that_it_stands_in_before_the_workflows()
    {
        var pods = Text.Pods(Workflow("""
              entrypoint: main
              nodeSelector: { from: workflow }
              templates:
                - { name: main, dag: { tasks: [ { name: outer, template: job }, { name: inner, template: group } ] } }
                - { name: group, nodeSelector: { from: graph }, steps: [ [ { name: one, template: job } ] ] }
                - { name: job, container: { image: a } }
            """));

        Assert.Equal(["{\"from\":\"workflow\"}", "{\"from\":\"graph\"}"], new[] { "outer", "inner[0].one" }.Select(p => pods[p].At("spec.nodeSelector")));
    }

    // addSchedulingConstraints in workflow/controller/workflowpod.go: affinity counts where it is not nil, the others where they are not empty.
    [Theory]
    [InlineData("affinity", "{}", "{}")]
    [InlineData("affinity", "null", """{"podAffinity":{}}""")]
    [InlineData("nodeSelector", "{}", """{"from":"workflow"}""")]
    [InlineData("tolerations", "[]", """[{"key":"workflow"}]""")]
    [InlineData("schedulerName", "''", "\"workflows\"")]
    [InlineData("schedulerName", "own", "\"own\"")]
    [InlineData("priorityClassName", "''", "\"workflows\"")]
    [InlineData("priorityClassName", "own", "\"own\"")]
    public void What_a_template_says_of_its_place_counts_before_what_the_workflow_says(string member, string own, string made)
    {
        var pod = Text.Pods(Workflow($$"""
              entrypoint: main
              affinity: { podAffinity: {} }
              nodeSelector: { from: workflow }
              tolerations: [ { key: workflow } ]
              schedulerName: workflows
              podPriorityClassName: workflows
              templates: [ { name: main, {{member}}: {{own}}, container: { image: a } } ]
            """))["main"];

        Assert.Equal(made, pod.At($"spec.{member}"));
    }

    [Fact]
    public void A_pod_spec_patch_is_merged_with_the_values_that_the_workflow_gives_its_parameters()
    {
        var step = Assert.Single(Text.Read(Workflow("""
              entrypoint: hello
              arguments: { parameters: [ { name: cpu-limit, value: 100m }, { name: mem-limit, value: 100Mi } ] }
              podSpecPatch: |
                containers:
                  - name: main
                    resources:
                      limits:
                        memory: "{{workflow.parameters.mem-limit}}"
              templates:
                - name: hello
                  podSpecPatch: '{"containers":[{"name":"main","resources":{"limits":{"cpu": "{{workflow.parameters.cpu-limit}}"}}},{"name":"wait","resources":{"requests":{"cpu":"1"}}}]}'
                  container: { image: busybox }
            """)).Steps);

        Assert.Equal("""{"memory":"100Mi","cpu":"100m"}""", step.Pod.At("spec.containers.0.resources.requests"));
        Assert.Equal("\"wait\"", step.Pod.At("spec.containers.1.name"));
        Assert.Empty(step.Notes);
    }

    [Fact]
    public void A_library_that_calls_itself_by_name_has_each_template_once() => Assert.Equal(["hello"], Text.Read("""
        apiVersion: argoproj.io/v1alpha1
        kind: WorkflowTemplate
        metadata: { name: lib }
        spec:
          entrypoint: graph
          templates:
            - { name: main, container: { image: a } }
            - { name: graph, dag: { tasks: [ { name: hello, templateRef: { name: lib, template: main } } ] } }
        """).Steps.Select(s => s.Name));

    [Fact]
    public void Parameters_that_grow_without_end_are_not_filled_in() => Assert.Equal(
        ["its podSpecPatch is filled in when it runs and is ignored here"],
        Text.Read(Workflow($$$"""
              entrypoint: hello
              arguments: { parameters: [ {{{string.Join(", ", Enumerable.Range(0, 40).Select(i => $"{{ name: p{i}, value: '{{{{workflow.parameters.p{i + 1}}}}}{{{{workflow.parameters.p{i + 1}}}}}' }}"))}}} ] }
              podSpecPatch: '{"priorityClassName":"{{workflow.parameters.p0}}"}'
              templates: [ { name: hello, container: { image: a } } ]
            """)).Steps.Single().Notes);

    [Fact]
    public void A_pod_spec_patch_that_is_no_patch_before_it_is_filled_in_is_told() => Assert.Equal(
        ["its podSpecPatch is filled in when it runs and is ignored here"],
        Text.Read(Workflow("""
              entrypoint: hello
              templates: [ { name: hello, podSpecPatch: '{"containers":[{"name":"main","resources":{"limits": {{inputs.parameters.resources}} }}]}', container: { image: a } } ]
            """)).Steps.Single().Notes);

    [Fact]
    public void Hooks_and_exit_handlers_have_pods_and_templates_that_nothing_calls_have_none() => Assert.Equal(
        [("step1", "w[0].step1"), ("step1.hooks.running", "w[0].step1.hooks.running"), ("onExit", "w.onExit"), ("hooks.failed", "w.hooks.failed")],
        Text.Read(Workflow("""
              entrypoint: main
              hooks: { exit: { template: tell }, failed: { expression: 'workflow.status == "Failed"', template: tell } }
              templates:
                - { name: main, steps: [ [ { name: step1, template: heads, hooks: { running: { template: tell } } } ] ] }
                - { name: heads, container: { image: alpine } }
                - { name: tell, container: { image: alpine } }
                - { name: unused, container: { image: alpine } }
            """)).Steps.Select(s => (s.Name, JsonNode.Parse(s.Pod.At("metadata.annotations.workflows|argoproj|io/node-name")!)!.GetValue<string>())));

    [Fact]
    public void What_the_scheduler_reads_comes_from_the_template_or_else_the_workflow()
    {
        var pods = Text.Pods(Workflow("""
              entrypoint: main
              schedulerName: volcano
              podPriorityClassName: low
              podResources: { requests: { cpu: 3 } }
              volumeClaimTemplates: [ { metadata: { name: workdir }, spec: {} } ]
              templates:
                - { name: main, steps: [ { name: generate, template: generate }, { name: print, template: print } ] }
                - { name: generate, container: { image: a, volumeMounts: [ { name: workdir, mountPath: /mnt } ] } }
                - { name: print, schedulerName: mine, priorityClassName: high, podResources: { requests: { cpu: 4 } }, containerSet: { containers: [ { name: main, image: a, volumeMounts: [ { name: workdir, mountPath: /mnt } ] } ] } }
            """));

        string[] paths = ["spec.schedulerName", "spec.priorityClassName", "spec.resources.requests.cpu", "spec.volumes.0.persistentVolumeClaim.claimName"];
        Assert.Equal(["\"volcano\"", "\"low\"", "3", "\"workdir\""], paths.Select(p => pods["generate"].At(p)));
        Assert.Equal(["\"mine\"", "\"high\"", "4", "\"workdir\""], paths.Select(p => pods["print"].At(p)));
    }

    [Fact]
    public void The_metadata_that_a_cron_workflow_gives_its_workflows_is_not_that_of_pods() => Assert.Equal(
        """{"workflows.argoproj.io/workflow":"nightly","typeOfComponent":"Predict"}""",
        Text.Pods("""
            apiVersion: argoproj.io/v1alpha1
            kind: CronWorkflow
            metadata: { name: nightly }
            spec:
              schedules: [ "0 1 * * *" ]
              workflowSpec: { entrypoint: p, templates: [ { name: p, metadata: { labels: { typeOfComponent: Predict } }, container: { image: i } } ] }
              workflowMetadata: { labels: { x: y } }
            """)["p"].At("metadata.labels"));
}
