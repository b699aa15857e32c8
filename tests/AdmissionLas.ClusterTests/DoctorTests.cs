using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;

namespace AdmissionLas.ClusterTests;

/// <summary><c>doctor</c> on a cluster that is well, and on one with each of the faults that it is there for.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class DoctorTests(ControlPlane cluster) : IDisposable
{
    static readonly CertificatePolicy Policy = new()
    {
        Subject = "CN=admission-las",
        AuthoritySubject = "CN=doctor's authority",
        DnsNames = ["localhost"],
        IpAddresses = [IPAddress.Loopback],
        ServingLifetime = TimeSpan.FromDays(90),
        AuthorityLifetime = TimeSpan.FromDays(1825),
    };

    readonly string directory = Directory.CreateTempSubdirectory("admissionlas-cluster-tests-").FullName;

    [Fact]
    public async Task A_healthy_cluster_passes_every_check()
    {
        await using var ns = await cluster.CreateNamespaceAsync();

        var doctor = await DoctorAsync(ns);

        Assert.True(doctor.ExitCode == 0, doctor.Output);
        Assert.Empty(doctor.Lines("failed"));
        Assert.Empty(doctor.Lines("warning"));
        Assert.Contains(doctor.Lines("ok"), l => l.Contains($"a prediction step in namespace {ns.Name} was placed", StringComparison.Ordinal));
        Assert.Contains(doctor.Lines("ok"), l => l.Contains("trusted", StringComparison.Ordinal));
        Assert.Contains("0 warnings, 0 failed", doctor.Output, StringComparison.Ordinal);
        Assert.Empty(await ns.ListAsync());
    }

    [Fact]
    public async Task A_bundle_of_another_authority_is_found() => await WithOwnRegistrationAsync(async ns =>
    {
        await RegisterAsync(cluster.Webhook.Mutate, Authority.Create(Policy, DateTimeOffset.UtcNow).Certificate.Pem);

        var doctor = await DoctorAsync(ns);

        Fails(doctor, "was not signed by a valid authority of the caBundle, but by CN=AdmissionLas development CA", "came back unpatched");
    });

    [Fact]
    public async Task A_bundle_that_somebody_has_overwritten_is_found() => await WithOwnRegistrationAsync(async ns =>
    {
        await RegisterAsync(cluster.Webhook.Mutate, cluster.Webhook.AuthorityPem);
        await ChangeRegistrationAsync(entry => entry["clientConfig"]!["caBundle"] = Convert.ToBase64String("-----BEGIN CERTIFICATE-----\nnot one\n-----END CERTIFICATE-----\n"u8));
        await ns.WebhookIsNotCalledAsync();

        var doctor = await DoctorAsync(ns);

        Fails(doctor, "the caBundle of place.admissionlas.io cannot be read: it was overwritten", "came back unpatched");
    });

    [Fact]
    public async Task An_expired_serving_certificate_is_found() => await WithOwnRegistrationAsync(async ns =>
    {
        var authority = Authority.Create(Policy, DateTimeOffset.UtcNow.AddDays(-100));
        await using var webhook = await ServeAsync(authority, authority.Issue(Policy, DateTimeOffset.UtcNow.AddDays(-100)));
        await RegisterAsync(webhook.Mutate, authority.Certificate.Pem);

        Fails(await DoctorAsync(ns), "expired at", "came back unpatched");
    });

    [Fact]
    public async Task A_serving_certificate_of_tomorrow_is_found_and_the_clocks_are_blamed() => await WithOwnRegistrationAsync(async ns =>
    {
        var authority = Authority.Create(Policy, DateTimeOffset.UtcNow);
        await using var webhook = await ServeAsync(authority, authority.Issue(Policy, DateTimeOffset.UtcNow.AddDays(1)));
        await RegisterAsync(webhook.Mutate, authority.Certificate.Pem);

        Fails(await DoctorAsync(ns), "is not valid before", "check the clocks", "came back unpatched");
    });

    [Fact]
    public async Task A_serving_certificate_for_another_name_is_found() => await WithOwnRegistrationAsync(async ns =>
    {
        var elsewhere = Policy with { DnsNames = ["webhook.example.org"], IpAddresses = [] };
        var authority = Authority.Create(elsewhere, DateTimeOffset.UtcNow);
        await using var webhook = await ServeAsync(authority, authority.Issue(elsewhere, DateTimeOffset.UtcNow));
        await RegisterAsync(webhook.Mutate, authority.Certificate.Pem);

        Fails(await DoctorAsync(ns), "is not for 127.0.0.1, the name that the API server calls, but for webhook.example.org", "came back unpatched");
    });

    [Fact]
    public async Task A_webhook_that_is_down_is_found()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await cluster.StopWebhookAsync();
        try
        {
            var doctor = await DoctorAsync(ns);

            Fails(doctor, "came back unpatched");
            Assert.Contains(doctor.Lines("warning"), l => l.Contains("Connection refused", StringComparison.Ordinal));
        }
        finally
        {
            await cluster.StartWebhookAsync();
            await cluster.RestoreRegistrationAsync();
        }
    }

    [Fact]
    public async Task A_missing_registration_is_found() => await WithOwnRegistrationAsync(async ns =>
    {
        var doctor = await DoctorAsync(ns);

        Fails(doctor, "the webhook is not registered", "run admission-las register");
        Assert.DoesNotContain("dry run", doctor.Output, StringComparison.Ordinal);
    });

    [Fact]
    public async Task A_registration_that_could_do_harm_is_found() => await WithOwnRegistrationAsync(async ns =>
    {
        await RegisterAsync(cluster.Webhook.Mutate, cluster.Webhook.AuthorityPem);
        await ChangeRegistrationAsync(entry =>
        {
            entry["failurePolicy"] = "Fail";
            entry["timeoutSeconds"] = 20;
            entry["namespaceSelector"] = new JsonObject();
        });
        try
        {
            Fails(await DoctorAsync(ns), "has failurePolicy Fail", "has timeoutSeconds 20", "did not opt in", "would match the pods of kube-system", "would match the pods of admission-las");
        }
        finally
        {
            await cluster.UnregisterAsync();
        }
    });

    [Fact]
    public async Task A_service_that_is_not_there_is_found() => await WithOwnRegistrationAsync(async ns =>
    {
        var file = WriteBundle(cluster.Webhook.AuthorityPem);
        await Verb.RunAsync("register", "--kubeconfig", cluster.Kubeconfig, "--ca-bundle", file);

        Fails(await DoctorAsync(ns), "there is no Service admission-las/admission-las", "came back unpatched");
    });

    [Fact]
    public async Task A_service_without_ready_pods_is_found_and_the_stored_certificate_is_looked_at() => await WithOwnRegistrationAsync(async ns =>
    {
        // In a namespace of its own, so that nothing of an installation is met.
        await using var home = await cluster.CreateNamespaceAsync();
        var authority = Authority.Create(Policy, DateTimeOffset.UtcNow);
        await home.AddAsync("services", Service());
        await home.AddAsync("pods", Steps.Predict("HOME-EDGE").With(p => p["metadata"]!["labels"] = new JsonObject { ["app"] = "admission-las" }));
        await home.AddAsync("secrets", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "admission-las-tls" },
            ["data"] = new JsonObject { ["tls.crt"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(authority.Issue(Policy, DateTimeOffset.UtcNow).Certificate.Pem)) },
        });
        await Verb.RunAsync("register", "--kubeconfig", cluster.Kubeconfig, "--namespace", home.Name, "--ca-bundle", WriteBundle(authority.Certificate.Pem));

        var doctor = await Verb.RunAsync("doctor", "--kubeconfig", cluster.Kubeconfig, "--namespace", home.Name, "--test-namespace", ns.Name);

        Fails(doctor, "none of the 1 pods of the Service", $"the certificate of Secret {home.Name}/admission-las-tls is not for admission-las.{home.Name}.svc", "came back unpatched");
        Assert.Contains(doctor.Lines("warning"), l => l.Contains("can be reached from here", StringComparison.Ordinal));
    });

    [Fact]
    public async Task A_ready_pod_is_asked_for_its_certificate() => await WithOwnRegistrationAsync(async ns =>
    {
        await using var home = await cluster.CreateNamespaceAsync();
        await home.AddAsync("services", Service(cluster.Webhook.Mutate.Port));
        var pod = await home.CreateAsync(Steps.Predict("HOME-EDGE").With(p => p["metadata"]!["labels"] = new JsonObject { ["app"] = "admission-las" }));
        await cluster.Api.MergePatchAsync($"{home.Pods}/{pod["metadata"]!["name"]}/status", new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["podIP"] = "127.0.0.1",
                ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
            },
        });
        await Verb.RunAsync("register", "--kubeconfig", cluster.Kubeconfig, "--namespace", home.Name, "--ca-bundle", WriteBundle(cluster.Webhook.AuthorityPem));

        var doctor = await Verb.RunAsync("doctor", "--kubeconfig", cluster.Kubeconfig, "--namespace", home.Name, "--test-namespace", ns.Name);

        Fails(doctor, $"the certificate of pod {pod["metadata"]!["name"]} is not for admission-las.{home.Name}.svc, the name that the API server calls, but for localhost, 127.0.0.1");
        Assert.Contains(doctor.Lines("ok"), l => l.Contains("1 of 1 pods of the Service", StringComparison.Ordinal));
    });

    [Theory]
    [InlineData("admission-las", "watch", "nodes")]
    [InlineData("admission-las", "list", "pods")]
    [InlineData("admission-las", "create", "events")]
    [InlineData("admission-las-certificates", "update", "leases")]
    [InlineData("admission-las-certificates", "patch", "mutatingwebhookconfigurations")]
    public async Task A_missing_right_is_named_by_its_verb_and_resource(string account, string verb, string resource)
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var restricted = await RestrictedAccount.CreateAsync(cluster, await Overlay.RenderAsync("default"), account);
        var whole = await DoctorAsync(ns);
        await restricted.GrantAsync(restricted.Rights.Where(r => (r.Verb, r.Resource) != (verb, resource)));

        var lacking = await DoctorAsync(ns);

        Assert.True(whole.ExitCode == 0, whole.Output);
        Assert.Contains(whole.Lines("ok"), l => l.Contains($"system:serviceaccount:admission-las:{account} has all that it needs", StringComparison.Ordinal));
        Fails(lacking, $"system:serviceaccount:admission-las:{account} cannot {verb} {resource}", $"add the verb \"{verb}\" on \"{resource}\"");
        Assert.Single(lacking.Lines("failed"));
    }

    [Fact]
    public async Task The_doctors_own_missing_rights_are_named()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var restricted = await RestrictedAccount.CreateAsync(cluster, await Overlay.RenderAsync("default"), "admission-las");

        var doctor = await Verb.RunAsync("doctor", "--kubeconfig", restricted.Kubeconfig, "--test-namespace", ns.Name);

        Fails(doctor,
            "cannot get resource \"mutatingwebhookconfigurations\"",
            "cannot get resource \"serviceaccounts\"",
            "cannot get resource \"configmaps\"",
            "grant that permission, or run doctor as a cluster admin");
        Assert.Contains(doctor.Lines("ok"), l => l.Contains("have a latency to a location", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_api_server_that_is_away_is_told_at_once()
    {
        var kubeconfig = Checkout.Yaml(cluster.Kubeconfig);
        kubeconfig["clusters"]![0]!["cluster"]!["server"] = "https://127.0.0.1:1";
        var file = Path.Combine(directory, "kubeconfig");
        await File.WriteAllTextAsync(file, kubeconfig.ToJsonString());

        var doctor = await Verb.RunAsync("doctor", "--kubeconfig", file);

        Fails(doctor, "the API server 127.0.0.1:1 does not answer", "check the address");
        Assert.Contains("0 ok, 0 warnings, 1 failed", doctor.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_namespace_that_opts_in_there_is_a_warning()
    {
        const string OptIn = "admissionlas.io/inject";
        var labelled = (await cluster.Api.GetAsync($"/api/v1/namespaces?labelSelector={OptIn}"))["items"]!.AsArray().Select(n => n!["metadata"]!["name"]!.ToString()).ToArray();
        await LabelAllAsync(null);
        try
        {
            var doctor = await Verb.RunAsync("doctor", "--kubeconfig", cluster.Kubeconfig);

            Assert.Equal(0, doctor.ExitCode);
            Assert.Contains(doctor.Lines("warning"), l => l.Contains($"no namespace opts in, so the webhook sees no pods  — kubectl label namespace <namespace> {OptIn}=enabled", StringComparison.Ordinal));
        }
        finally
        {
            await LabelAllAsync("enabled");
        }

        async Task LabelAllAsync(string? value)
        {
            foreach (var name in labelled)
            {
                await cluster.Api.MergePatchAsync($"/api/v1/namespaces/{name}", new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [OptIn] = value } } });
            }
        }
    }

    [Fact]
    public async Task A_test_namespace_that_does_not_opt_in_is_the_reason_given()
    {
        Fails(await Verb.RunAsync("doctor", "--kubeconfig", cluster.Kubeconfig, "--test-namespace", "default"), "the registration's namespace selector does not match namespace default");
    }

    [Fact]
    public async Task A_latency_label_that_cannot_be_read_is_named()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await LabelAsync("fast");
        try
        {
            var doctor = await DoctorAsync(ns);

            Assert.True(doctor.ExitCode == 0, doctor.Output);
            Assert.Contains(doctor.Lines("warning"), l => l.Contains("node nitos-cloud-node has a latency to SOMEWHERE that cannot be read: \"fast\"", StringComparison.Ordinal));
        }
        finally
        {
            await LabelAsync(null);
        }

        Task LabelAsync(string? value) => cluster.Api.MergePatchAsync(
            "/api/v1/nodes/nitos-cloud-node", new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["latency.admissionlas.io/SOMEWHERE"] = value } } });
    }

    [Fact]
    public async Task An_autoscaler_that_can_add_no_node_for_a_step_is_found()
    {
        const string CustomResources = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        const string ConfigMaps = "/api/v1/namespaces/kube-system/configmaps";
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var home = await cluster.CreateNamespaceAsync();
        try
        {
            await cluster.Api.CreateAsync(CustomResources, NodePools());
            await cluster.Api.CreateAsync(ConfigMaps, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "cluster-autoscaler-status" } });
            await Eventually.IsTrueAsync("both are seen", async () => (await DoctorAsync(ns)).Lines("ok").Any(l => l.Contains("Karpenter and Cluster Autoscaler can add nodes", StringComparison.Ordinal)));
            await home.AddAsync("configmaps", new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "admission-las" },
                ["data"] = new JsonObject { ["admission-las.yaml"] = "placement: { mode: Required }" },
            });

            var doctor = await Verb.RunAsync("doctor", "--kubeconfig", cluster.Kubeconfig, "--namespace", home.Name, "--test-namespace", ns.Name);

            Assert.Contains(doctor.Lines("warning"), l => l.Contains("Karpenter and Cluster Autoscaler can add no node for a prediction step", StringComparison.Ordinal));
        }
        finally
        {
            await cluster.Api.DeleteAsync($"{CustomResources}/nodepools.karpenter.sh");
            await cluster.Api.DeleteAsync($"{ConfigMaps}/cluster-autoscaler-status");
        }

        static JsonObject NodePools() => new()
        {
            ["metadata"] = new JsonObject { ["name"] = "nodepools.karpenter.sh" },
            ["spec"] = new JsonObject
            {
                ["group"] = "karpenter.sh",
                ["names"] = new JsonObject { ["plural"] = "nodepools", ["kind"] = "NodePool" },
                ["scope"] = "Cluster",
                ["versions"] = new JsonArray(new JsonObject
                {
                    ["name"] = "v1",
                    ["served"] = true,
                    ["storage"] = true,
                    ["schema"] = new JsonObject { ["openAPIV3Schema"] = new JsonObject { ["type"] = "object" } },
                }),
            },
        };
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    Task<Verb> DoctorAsync(TestNamespace ns) => Verb.RunAsync("doctor", "--kubeconfig", cluster.Kubeconfig, "--test-namespace", ns.Name);

    static void Fails(Verb doctor, params string[] reasons)
    {
        Assert.Equal(1, doctor.ExitCode);
        Assert.All(reasons, reason => Assert.Contains(doctor.Lines("failed"), l => l.Contains(reason, StringComparison.Ordinal)));
    }

    /// <summary>Runs a test with no registration of the others', and puts that back.</summary>
    async Task WithOwnRegistrationAsync(Func<TestNamespace, Task> test)
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await cluster.UnregisterAsync();
        await ns.WebhookIsNotCalledAsync();
        try
        {
            await test(ns);
        }
        finally
        {
            await cluster.RestoreRegistrationAsync();
        }
    }

    async Task RegisterAsync(Uri address, string authorityPem)
    {
        var done = await Verb.RunAsync(
            "register", "--kubeconfig", cluster.Kubeconfig, "--url", address.ToString(), "--ca-bundle", WriteBundle(authorityPem), "--every-pod");
        Assert.True(done.ExitCode == 0, done.Errors);
    }

    async Task ChangeRegistrationAsync(Action<JsonObject> change)
    {
        const string Path = $"{ControlPlane.Registrations}/{ControlPlane.Registration}";
        var entries = (await cluster.Api.GetAsync(Path))["webhooks"]!.DeepClone().AsArray();
        change(entries[0]!.AsObject());
        await cluster.Api.MergePatchAsync(Path, new JsonObject { ["webhooks"] = entries });
    }

    string WriteBundle(string pem)
    {
        var file = Path.Combine(directory, "ca.crt");
        File.WriteAllText(file, pem);
        return file;
    }

    /// <summary>Another webhook, with this certificate.</summary>
    Task<RunningWebhook> ServeAsync(KeyPair authority, KeyPair serving)
    {
        var leaf = X509Certificate2.CreateFromPem(serving.Certificate.Pem, serving.KeyPem);
        return RunningWebhook.FollowAsync(cluster.Kubeconfig, certificate: new(X509Certificate2.CreateFromPem(authority.Certificate.Pem), leaf));
    }

    static JsonObject Service(int targetPort = 8443) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = "admission-las" },
        ["spec"] = new JsonObject
        {
            ["selector"] = new JsonObject { ["app"] = "admission-las" },
            ["ports"] = new JsonArray(new JsonObject { ["port"] = 443, ["targetPort"] = targetPort }),
        },
    };
}
