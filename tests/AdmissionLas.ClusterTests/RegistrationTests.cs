namespace AdmissionLas.ClusterTests;

/// <summary><c>register</c> and <c>unregister</c>, as an admin types them.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class RegistrationTests(ControlPlane cluster) : IAsyncLifetime
{
    const string Name = "admission-las-by-verb";

    readonly string directory = Directory.CreateTempSubdirectory("admissionlas-cluster-tests-").FullName;

    public Task InitializeAsync() => cluster.UnregisterAsync();

    public async Task DisposeAsync()
    {
        await cluster.UnregisterAsync(Name);
        await cluster.RestoreRegistrationAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_registered_webhook_places_steps_that_say_what_they_are_and_is_not_asked_about_others()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        using var calls = new ReviewCount();
        var seesAnnotations = await KnowsMatchConditionsAsync();

        var done = await RegisterAsync(ByUrl());

        Assert.True(done.ExitCode == 0, done.Errors);
        var which = seesAnnotations ? "typeOfComponent, or admissionlas.io/component as label or annotation" : "typeOfComponent or admissionlas.io/component";
        Assert.Contains($"registered {Name}: pods with the label {which}, in namespaces with ", done.Output, StringComparison.Ordinal);
        Assert.Contains("admission-las doctor --name " + Name, done.Output, StringComparison.Ordinal);
        await IsCalledForAsync(ns, Steps.Predict("HOME-EDGE"));
        Assert.NotNull(TestNamespace.DecisionOf(await ns.CreateAsync(Prefixed())));
        Assert.Equal(0, await calls.OfAsync(() => ns.CreateAsync(Annotated().With(p => p["metadata"]!.AsObject().Remove("annotations")))));
        // Selectors cannot see annotations, conditions can.
        Assert.Equal(seesAnnotations, TestNamespace.DecisionOf(await ns.CreateAsync(Annotated())) is not null);
    }

    [Fact]
    public async Task With_every_pod_annotations_are_seen_too()
    {
        await using var ns = await cluster.CreateNamespaceAsync();

        await RegisterAsync([.. ByUrl(), "--every-pod"]);

        await IsCalledForAsync(ns, Annotated());
    }

    [Fact]
    public async Task A_namespace_that_does_not_opt_in_is_left_alone()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await RegisterAsync([.. ByUrl(), "--every-pod"]);
        await IsCalledForAsync(ns, Steps.Predict("HOME-EDGE"));

        await cluster.Api.MergePatchAsync($"/api/v1/namespaces/{ns.Name}", new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["admissionlas.io/inject"] = null } } });

        await ns.WebhookIsNotCalledAsync();
    }

    [Fact]
    public async Task Registering_twice_changes_nothing()
    {
        await RegisterAsync(ByUrl());
        var first = await ReadAsync();

        var again = await RegisterAsync(ByUrl());

        Assert.Equal(0, again.ExitCode);
        Assert.Contains("nothing changed", again.Output, StringComparison.Ordinal);
        Assert.Equal(first["metadata"]!["resourceVersion"]!.ToString(), (await ReadAsync())["metadata"]!["resourceVersion"]!.ToString());
    }

    [Fact]
    public async Task The_bundle_that_is_registered_stays_when_none_is_given()
    {
        await RegisterAsync(ByUrl());
        var before = Bundles(await ReadAsync());

        var done = await RegisterAsync("--namespace", "admission-las");

        Assert.True(done.ExitCode == 0, done.Errors);
        var registration = await ReadAsync();
        Assert.Equal("admission-las", registration["webhooks"]![0]!["clientConfig"]!["service"]!["name"]!.ToString());
        Assert.Equal(await KnowsMatchConditionsAsync() ? 1 : 2, before.Length);
        Assert.Equal(before, Bundles(registration));
        Assert.DoesNotContain("certs init", done.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_without_a_bundle_is_registered_and_the_next_step_is_told()
    {
        var done = await RegisterAsync();

        Assert.Equal(0, done.ExitCode);
        Assert.Contains("admission-las certs init", done.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_another_field_manager_holds_on_to_does_not_stay_behind()
    {
        await RegisterAsync(ByUrl());
        var registration = await ReadAsync();
        registration["webhooks"]!.AsArray()[^1]!["timeoutSeconds"] = 7;
        await cluster.Api.MergePatchAsync($"{ControlPlane.Registrations}/{Name}", new JsonObject { ["webhooks"] = registration["webhooks"]!.DeepClone() });

        var done = await RegisterAsync([.. ByUrl(), "--every-pod"]);

        Assert.True(done.ExitCode == 0, done.Errors);
        var entry = Assert.Single((await ReadAsync())["webhooks"]!.AsArray());
        Assert.Equal("place.admissionlas.io", entry!["name"]!.ToString());
        Assert.Empty(entry["objectSelector"]!.AsObject());
        Assert.Null(entry["matchConditions"]);
        Assert.NotEqual("7", entry["timeoutSeconds"]!.ToString());
    }

    [Fact]
    public async Task A_dry_run_prints_what_would_be_registered_and_registers_nothing()
    {
        var tried = await RegisterAsync([.. ByUrl(), "--dry-run"]);

        Assert.True(tried.ExitCode == 0, tried.Errors);
        Assert.Contains("the API server accepts this", tried.Errors, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(ReadAsync);
        using var text = new StringReader(tried.Output);
        await cluster.Api.CreateAsync(ControlPlane.Registrations, JsonObject.Create(YamlJson.ReadObjects(text)[0])!);
        Assert.Contains("nothing changed", (await RegisterAsync(ByUrl())).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_tells_what_the_server_would_refuse()
    {
        var tried = await Verb.RunAsync(["register", "--kubeconfig", cluster.Kubeconfig, "--name", "No Name", .. ByUrl(), "--dry-run"]);

        Assert.Equal(1, tried.ExitCode);
        Assert.Contains("No Name", tried.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unregistering_ends_the_calls_and_a_second_time_there_is_nothing_to_do()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await RegisterAsync(ByUrl());
        await IsCalledForAsync(ns, Steps.Predict("HOME-EDGE"));

        var first = await UnregisterAsync();
        var second = await UnregisterAsync();

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Contains($"unregistered {Name}", first.Output, StringComparison.Ordinal);
        Assert.Contains($"there is no registration {Name}", second.Output, StringComparison.Ordinal);
        await ns.WebhookIsNotCalledAsync();
    }

    [Fact]
    public async Task A_strangers_registration_is_neither_changed_nor_deleted()
    {
        await cluster.Api.CreateAsync(ControlPlane.Registrations, new JsonObject { ["metadata"] = new JsonObject { ["name"] = Name }, ["webhooks"] = new JsonArray() });
        var before = (await ReadAsync()).ToJsonString();

        var register = await RegisterAsync(ByUrl());
        var unregister = await UnregisterAsync();

        Assert.Equal((1, 1), (register.ExitCode, unregister.ExitCode));
        Assert.Contains("does not belong to AdmissionLas", register.Errors, StringComparison.Ordinal);
        Assert.Contains("does not belong to AdmissionLas", unregister.Errors, StringComparison.Ordinal);
        Assert.Equal(before, (await ReadAsync()).ToJsonString());
    }

    [Fact]
    public async Task An_admin_without_the_right_is_told_which_one_he_lacks()
    {
        await using var account = await RestrictedAccount.CreateAsync(cluster, await Overlay.RenderAsync("default"), "admission-las");

        var register = await Verb.RunAsync(["register", "--name", Name, "--kubeconfig", account.Kubeconfig, .. ByUrl()]);

        Assert.Equal(1, register.ExitCode);
        Assert.Contains("cannot get resource \"mutatingwebhookconfigurations\"", register.Errors, StringComparison.Ordinal);
    }

    Task<Verb> RegisterAsync(params string[] options) => Verb.RunAsync(["register", "--kubeconfig", cluster.Kubeconfig, "--name", Name, .. options]);

    Task<Verb> UnregisterAsync() => Verb.RunAsync("unregister", "--kubeconfig", cluster.Kubeconfig, "--name", Name);

    /// <summary>
    /// Whether this API server knows <c>matchConditions</c>, as those of Kubernetes 1.28 and later do: then the registration has one entry with a
    /// condition instead of two with selectors. A server drops what it does not know, and a dry run shows it.
    /// </summary>
    async Task<bool> KnowsMatchConditionsAsync()
    {
        var tried = await cluster.Api.CreateAsync($"{ControlPlane.Registrations}?dryRun=All", JsonNode.Parse("""
            {
              "metadata": { "name": "probe" },
              "webhooks": [{
                "name": "probe.admissionlas.io", "clientConfig": { "url": "https://127.0.0.1/" }, "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "matchConditions": [{ "name": "any", "expression": "true" }]
              }]
            }
            """)!.AsObject());
        return tried["webhooks"]![0]!["matchConditions"] is not null;
    }

    string[] ByUrl()
    {
        var file = Path.Combine(directory, "ca.crt");
        File.WriteAllText(file, cluster.Webhook.AuthorityPem);
        return ["--url", cluster.Webhook.Mutate.ToString(), "--ca-bundle", file];
    }

    Task<JsonObject> ReadAsync() => cluster.Api.GetAsync($"{ControlPlane.Registrations}/{Name}");

    static string[] Bundles(JsonObject registration) => [.. registration["webhooks"]!.AsArray().Select(w => w!["clientConfig"]!["caBundle"]!.ToString())];

    static JsonObject Prefixed() => Steps.Predict("HOME-EDGE").With(p => p["metadata"]!["labels"] = new JsonObject { ["admissionlas.io/component"] = "Predict" });

    static JsonObject Annotated() => Steps.Predict("HOME-EDGE").With(p =>
    {
        p["metadata"]!.AsObject().Remove("labels");
        p["metadata"]!["annotations"] = new JsonObject { ["admissionlas.io/component"] = "Predict" };
    });

    /// <summary>An API server takes a moment to notice a registration.</summary>
    static Task IsCalledForAsync(TestNamespace ns, JsonObject step) =>
        Eventually.IsTrueAsync("a step comes to the webhook", async () => TestNamespace.DecisionOf(await ns.CreateAsync(step.DeepClone().AsObject())) is not null);
}
