using AdmissionLas.Cli;
using AdmissionLas.Configuration;
using AdmissionLas.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AdmissionLas.ClusterTests;

/// <summary>What every overlay promises, read off what kustomize makes of it.</summary>
public sealed class ManifestTests
{
    const string Namespace = "admission-las";

    /// <summary>A ConfigMap that only the admin can have.</summary>
    const string ClientAuthorities = "admission-las-client-ca";

    public static TheoryData<string> Overlays => [.. Overlay.Names];

    [Fact]
    public void There_are_overlays_for_each_way_to_have_certificates_and_for_development() =>
        Assert.Equal(["cert-manager", "default", "dev", "mtls"], Overlay.Names);

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_registration_does_no_harm(string name)
    {
        var webhooks = (await Overlay.RenderAsync(name)).Object("MutatingWebhookConfiguration", ObjectNames.Registration)["webhooks"]!.AsArray();

        Assert.NotEmpty(webhooks);
        Assert.All(webhooks, webhook =>
        {
            Assert.Equal("Ignore", $"{webhook!["failurePolicy"]}");
            Assert.Equal(2, webhook["timeoutSeconds"]!.GetValue<long>());
            Assert.Equal("None", $"{webhook["sideEffects"]}");
            Assert.Equal("IfNeeded", $"{webhook["reinvocationPolicy"]}");
            Assert.Equal("Equivalent", $"{webhook["matchPolicy"]}");
            AssertJson("""[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["pods"],"scope":"Namespaced"}]""", webhook["rules"]);
            AssertJson("""
                {"matchExpressions":[
                  {"key":"admissionlas.io/inject","operator":"In","values":["enabled"]},
                  {"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["kube-system","admission-las"]}]}
                """, webhook["namespaceSelector"]);
        });
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Only_pods_with_a_steps_label_come_to_the_webhook(string name) =>
        AssertJson("""
            [{"matchExpressions":[{"key":"typeOfComponent","operator":"Exists"}]},
             {"matchExpressions":[{"key":"admissionlas.io/component","operator":"Exists"},{"key":"typeOfComponent","operator":"DoesNotExist"}]}]
            """, SelectorsOf(await Overlay.RenderAsync(name)));

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_web_page_is_off_but_where_things_are_tried_and_never_leaves_the_pod(string name)
    {
        var webhook = (await Overlay.RenderAsync(name)).WebhookPod.ToJsonString();

        Assert.Equal(name == "dev", webhook.Contains("ADMISSION_LAS_PAGE__ENABLED", StringComparison.Ordinal));
        Assert.DoesNotContain("ADMISSION_LAS_PAGE__ADDRESS", webhook, StringComparison.Ordinal);
        Assert.DoesNotContain("8081", webhook, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_component_monitoring_scrapes_a_port_that_the_replicas_have_and_brings_the_dashboard()
    {
        var rendered = await Overlay.RenderWithComponentAsync("default", "monitoring");

        var monitor = rendered.Object("PodMonitor", "admission-las")["spec"]!;
        var ports = rendered.WebhookPod["spec"]!["containers"]![0]!["ports"]!.AsArray().Select(p => $"{p!["name"]}");
        Assert.Contains($"{monitor["podMetricsEndpoints"]![0]!["port"]}", ports);
        Assert.All(monitor["selector"]!["matchLabels"]!.AsObject(), label => Assert.Equal($"{label.Value}", $"{rendered.WebhookPod["metadata"]!["labels"]![label.Key]}"));
        Assert.NotEmpty(rendered.Object("PrometheusRule", "admission-las")["spec"]!["groups"]!.AsArray());
        Assert.Equal("1", $"{rendered.Object("ConfigMap", "admission-las-dashboard")["metadata"]!["labels"]!["grafana_dashboard"]}");
    }

    [Fact]
    public async Task The_component_every_pod_leaves_one_entry_that_asks_for_no_label() =>
        AssertJson("[null]", SelectorsOf(await Overlay.RenderWithComponentAsync("default", "every-pod")));

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Every_pod_runs_as_nobody_and_can_change_nothing_of_itself(string name) =>
        Assert.All((await Overlay.RenderAsync(name)).Pods, pod =>
        {
            var security = pod["spec"]!["securityContext"]!;
            Assert.True(security["runAsNonRoot"]!.GetValue<bool>());
            Assert.Equal(65532, security["runAsUser"]!.GetValue<long>());
            Assert.Equal("RuntimeDefault", $"{security["seccompProfile"]!["type"]}");
            Assert.All(pod["spec"]!["containers"]!.AsArray(), container =>
            {
                AssertJson("""{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"readOnlyRootFilesystem":true}""", container!["securityContext"]);
                Assert.NotNull(container["resources"]!["requests"]!["cpu"]);
                Assert.NotNull(container["resources"]!["requests"]!["memory"]);
                Assert.NotNull(container["resources"]!["limits"]!["memory"]);
                Assert.All(container["volumeMounts"]!.AsArray(), mount => Assert.True(mount!["readOnly"]!.GetValue<bool>()));
            });
            Assert.Null(pod["spec"]!["initContainers"]);
            Assert.All((string[])["hostNetwork", "hostPID", "hostIPC"], key => Assert.Null(pod["spec"]![key]));
        });

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Everything_lives_in_one_namespace_or_has_our_name_and_says_whose_it_is(string name) =>
        Assert.All((await Overlay.RenderAsync(name)).Objects, o =>
        {
            string[] clusterScoped = ["Namespace", "ClusterRole", "ClusterRoleBinding", "MutatingWebhookConfiguration"];
            Assert.Equal(clusterScoped.Contains(Overlay.KindOf(o)) ? null : Namespace, o["metadata"]!["namespace"]?.GetValue<string>());
            Assert.StartsWith(Overlay.KindOf(o) == "MutatingWebhookConfiguration" ? ObjectNames.Registration : "admission-las", Overlay.NameOf(o), StringComparison.Ordinal);
            Assert.Equal("admission-las", $"{o["metadata"]!["labels"]!["app.kubernetes.io/name"]}");
        });

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_namespace_is_applied_first_and_the_registration_last(string name)
    {
        var overlay = await Overlay.RenderAsync(name);

        Assert.Equal("Namespace", Overlay.KindOf(overlay.Objects[0]));
        Assert.Equal("MutatingWebhookConfiguration", Overlay.KindOf(overlay.Objects[^1]));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task What_a_pod_refers_to_is_installed_with_it(string name)
    {
        var overlay = await Overlay.RenderAsync(name);
        string[] configMaps = [.. overlay.OfKind("ConfigMap").Select(Overlay.NameOf), ClientAuthorities];
        Assert.All(overlay.Pods, pod =>
        {
            overlay.Object("ServiceAccount", $"{pod["spec"]!["serviceAccountName"]}");
            Assert.All(pod["spec"]!["volumes"]!.AsArray(), volume =>
            {
                if (volume!["configMap"] is { } configMap)
                {
                    Assert.Contains($"{configMap["name"]}", configMaps);
                }
                else
                {
                    Assert.Equal("admission-las-tls", $"{volume["secret"]!["secretName"]}");
                }
            });
        });
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_service_leads_to_the_port_that_the_webhook_listens_on(string name)
    {
        var overlay = await Overlay.RenderAsync(name);
        var service = overlay.Object("Service", "admission-las")["spec"]!;
        var options = new ServerOptions();

        Assert.True(JsonNode.DeepEquals(service["selector"], overlay.WebhookPod["metadata"]!["labels"]));
        AssertJson($$"""[{"name":"https","port":443,"protocol":"TCP","targetPort":{{options.Port}}}]""", service["ports"]);
        AssertJson($$"""[{"name":"https","containerPort":{{options.Port}},"protocol":"TCP"},{"name":"probes","containerPort":{{options.HealthPort}},"protocol":"TCP"}]""", ContainerOf(overlay)["ports"]);
        var admitted = overlay.Object("NetworkPolicy", "admission-las")["spec"]!["ingress"]!.AsArray();
        Assert.Equal([options.Port, options.HealthPort], Assert.Single(admitted)!["ports"]!.AsArray().Select(p => p!["port"]!.GetValue<long>()).Select(p => (int)p));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_program_knows_the_arguments_of_every_pod(string name)
    {
        Assert.All((await Overlay.RenderAsync(name)).Pods, pod => Assert.Empty(Root.Create().Parse(ArgumentsOf(pod)).Errors));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_program_accepts_the_configuration_that_is_installed(string name)
    {
        var overlay = await Overlay.RenderAsync(name);
        var installed = overlay.Object("ConfigMap", "admission-las")["data"]!["admission-las.yaml"]!.GetValue<string>();
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, installed);
            await using var server = WebhookServer.Build(
                configuration => ConfigurationFile.Add(configuration, file), ClusterSource.Embedded(), ServingCertificate.From(DevelopmentCertificate.Create(DateTimeOffset.UtcNow)));

            // What the file states are the defaults, so that what is misspelt there shows.
            Assert.Equivalent(new PlacementOptions(), server.Services.GetRequiredService<IOptions<PlacementOptions>>().Value);
            Assert.Equivalent(new TrainingOptions(), server.Services.GetRequiredService<IOptions<TrainingOptions>>().Value);
            Assert.Equivalent(new StepOptions(), server.Services.GetRequiredService<IOptions<StepOptions>>().Value);
            Assert.Equal(
                ["logging:level", "placement:mode", "training:cloudSelector", "training:cpu", "training:memory"],
                server.Configuration.AsEnumerable().Where(c => c.Value is not null).Select(c => c.Key).Order());
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task The_certificate_jobs_read_the_policy_that_is_in_certs_and_it_names_the_service()
    {
        var overlay = await Overlay.RenderAsync("default");
        var service = overlay.Object("Service", "admission-las");
        var installed = overlay.Object("ConfigMap", "admission-las-certificate-policy")["data"]!["policy.yaml"]!.GetValue<string>();

        Assert.Equal(await File.ReadAllTextAsync(Checkout.PathOf("certs/policy.yaml")), installed);
        Assert.Contains(
            $"{Overlay.NameOf(service)}.{service["metadata"]!["namespace"]}.svc",
            Checkout.Yaml("certs/policy.yaml")["certificates"]!["dnsNames"]!.AsArray().Select(n => $"{n}"));
        Assert.Equal(
            [["certs", "init", "--policy", "/policy/policy.yaml", "--namespace", Namespace], ["certs", "rotate", "--policy", "/policy/policy.yaml", "--namespace", Namespace]],
            overlay.Pods.Where(p => $"{p["spec"]!["serviceAccountName"]}" == "admission-las-certificates").Select(ArgumentsOf).OrderBy(a => a[1]));
    }

    [Fact]
    public async Task The_webhook_may_follow_nodes_pods_and_namespaces_and_create_events_and_nothing_else() =>
        Assert.Equal(["ClusterRole: create events", "ClusterRole: list namespaces", "ClusterRole: list nodes", "ClusterRole: list pods", "ClusterRole: watch namespaces", "ClusterRole: watch nodes", "ClusterRole: watch pods"], RightsOf(await Overlay.RenderAsync("default"), "admission-las"));

    [Fact]
    public async Task The_rotation_may_write_its_own_secrets_lease_and_registration_and_nothing_else() =>
        Assert.Equal(
            [
                "ClusterRole: get mutatingwebhookconfigurations zz-admission-las",
                "ClusterRole: patch mutatingwebhookconfigurations zz-admission-las",
                "Role: create leases",
                "Role: create secrets",
                "Role: get leases admission-las-certificates",
                "Role: get secrets admission-las-ca",
                "Role: get secrets admission-las-tls",
                "Role: get services admission-las",
                "Role: list pods",
                "Role: update leases admission-las-certificates",
                "Role: update secrets admission-las-ca",
                "Role: update secrets admission-las-tls",
            ],
            RightsOf(await Overlay.RenderAsync("default"), "admission-las-certificates"));

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task There_are_no_bindings_for_anybody_else(string name)
    {
        var overlay = await Overlay.RenderAsync(name);

        Assert.All(overlay.OfKind("RoleBinding", "ClusterRoleBinding"), binding =>
        {
            var subject = Assert.Single(binding["subjects"]!.AsArray())!;
            overlay.Object("ServiceAccount", $"{subject["name"]}");
            Assert.Equal(Namespace, $"{subject["namespace"]}");
        });
    }

    [Theory]
    [InlineData("default", 2, 1)]
    [InlineData("cert-manager", 2, 1)]
    [InlineData("mtls", 2, 1)]
    [InlineData("dev", 1, 0)]
    public async Task As_many_replicas_as_can_lose_one_and_no_drain_that_waits_for_ever(string name, int replicas, int minAvailable)
    {
        var overlay = await Overlay.RenderAsync(name);
        var deployment = overlay.Object("Deployment", "admission-las")["spec"]!;
        var budget = overlay.Object("PodDisruptionBudget", "admission-las")["spec"]!;

        Assert.Equal(replicas, deployment["replicas"]!.GetValue<long>());
        Assert.Equal(0, deployment["strategy"]!["rollingUpdate"]!["maxUnavailable"]!.GetValue<long>());
        Assert.Equal(minAvailable, budget["minAvailable"]!.GetValue<long>());
        Assert.True(replicas > minAvailable);
        Assert.True(JsonNode.DeepEquals(deployment["selector"], budget["selector"]));
        Assert.All(deployment["template"]!["spec"]!["topologySpreadConstraints"]!.AsArray(), spread =>
        {
            Assert.Equal("ScheduleAnyway", $"{spread!["whenUnsatisfiable"]}");
            Assert.True(JsonNode.DeepEquals(deployment["selector"], spread["labelSelector"]));
        });
    }

    [Fact]
    public async Task Mtls_asks_callers_for_a_certificate_and_reads_its_authority_from_the_admins_config_map()
    {
        var template = (await Overlay.RenderAsync("mtls")).WebhookPod;
        var pod = template["spec"]!;
        var mount = Assert.Single(pod["containers"]![0]!["volumeMounts"]!.AsArray(), m => $"{m!["name"]}" == "client-ca")!;
        var volume = Assert.Single(pod["volumes"]!.AsArray(), v => $"{v!["name"]}" == "client-ca")!;

        Assert.Equal(["--client-ca", $"{mount["mountPath"]}/ca.crt", "--allow-client", "kube-apiserver", "--allow-client", "kube-apiserver-kubelet-client"], ArgumentsOf(template)[^6..]);
        Assert.Equal(ClientAuthorities, $"{volume["configMap"]!["name"]}");
    }

    [Fact]
    public async Task Dev_logs_all_it_does_and_shows_the_page() =>
        Assert.Equal(
            ["ADMISSION_LAS_LOGGING__LEVEL=Debug", "ADMISSION_LAS_PAGE__ENABLED=true"],
            ContainerOf(await Overlay.RenderAsync("dev"))["env"]!.AsArray().Select(v => $"{v!["name"]}={v["value"]}"));

    [Fact]
    public async Task Cert_manager_writes_the_secret_that_the_webhook_reads_and_the_trust_of_the_api_server()
    {
        var overlay = await Overlay.RenderAsync("cert-manager");
        var serving = overlay.Object("Certificate", "admission-las-tls")["spec"]!;
        var authority = overlay.Object("Certificate", "admission-las-issuer-ca")["spec"]!;
        var registration = overlay.Object("MutatingWebhookConfiguration", ObjectNames.Registration);

        Assert.Equal("admission-las/admission-las-tls", $"{registration["metadata"]!["annotations"]!["cert-manager.io/inject-ca-from"]}");
        Assert.Contains(overlay.WebhookPod["spec"]!["volumes"]!.AsArray(), v => v!["secret"] is { } secret && $"{secret["secretName"]}" == $"{serving["secretName"]}");
        Assert.Equal(["admission-las.admission-las.svc", "admission-las.admission-las.svc.cluster.local"], serving["dnsNames"]!.AsArray().Select(n => $"{n}"));
        Assert.Equal(("2160h", "720h"), ($"{serving["duration"]}", $"{serving["renewBefore"]}"));
        Assert.Equal("ECDSA 256", $"{serving["privateKey"]!["algorithm"]} {serving["privateKey"]!["size"]}");
        // The authority that signs is the one that is made here, and a new certificate of it verifies what it has signed before.
        var issuer = overlay.Object("Issuer", $"{serving["issuerRef"]!["name"]}");
        Assert.Equal($"{authority["secretName"]}", $"{issuer["spec"]!["ca"]!["secretName"]}");
        Assert.Equal("Never", $"{authority["privateKey"]!["rotationPolicy"]}");
        Assert.DoesNotContain(overlay.Objects, o => Overlay.KindOf(o) is "Job" or "CronJob" or "Role" or "RoleBinding");
    }

    static JsonNode ContainerOf(Overlay overlay) => Assert.Single(overlay.WebhookPod["spec"]!["containers"]!.AsArray())!;

    static string[] ArgumentsOf(JsonObject pod) => [.. Assert.Single(pod["spec"]!["containers"]!.AsArray())!["args"]!.AsArray().Select(a => a!.GetValue<string>())];

    static JsonArray SelectorsOf(Overlay overlay) => new([.. overlay
        .Object("MutatingWebhookConfiguration", ObjectNames.Registration)["webhooks"]!.AsArray().Select(w => w!["objectSelector"]?.DeepClone())]);

    static IEnumerable<string> RightsOf(Overlay overlay, string role) =>
        overlay.OfKind("Role", "ClusterRole").Where(r => Overlay.NameOf(r) == role).SelectMany(Right.Of).Select(r => r.ToString()).Order(StringComparer.Ordinal);

    static void AssertJson(string expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual?.ToJsonString() ?? "null")), $"{actual?.ToJsonString()}");
}
