using AdmissionLas.Registration;

namespace AdmissionLas.Tests.Registration;

/// <summary>What a registration says, for each choice an admin has.</summary>
public sealed class RegistrationTemplateTests
{
    static readonly WebhookAddress Url = new WebhookAddress.Url(new Uri("https://webhook.example.org:8443/mutate"));

    [Fact]
    public void Every_entry_is_harmless_whatever_is_chosen()
    {
        foreach (var (everyPod, conditions) in new[] { (false, false), (false, true), (true, false), (true, true) })
        {
            var entries = Entries(new RegistrationChoices { Address = Url, IsEveryPod = everyPod, HasMatchConditions = conditions, Namespace = "las" });

            Assert.All(entries, entry =>
            {
                Assert.Equal("Ignore", (string?)entry["failurePolicy"]);
                Assert.Equal(2, (int?)entry["timeoutSeconds"]);
                Assert.Equal("None", (string?)entry["sideEffects"]);
                Assert.Equal("IfNeeded", (string?)entry["reinvocationPolicy"]);
                Assert.Equal("Equivalent", (string?)entry["matchPolicy"]);
                Assert.Equal("""[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["pods"],"scope":"Namespaced"}]""", entry["rules"]!.ToJsonString());
                Assert.Equal(
                    """{"matchExpressions":[{"key":"admissionlas.io/inject","operator":"In","values":["enabled"]},{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["kube-system","las"]}]}""",
                    entry["namespaceSelector"]!.ToJsonString());
            });
        }
    }

    [Fact]
    public void Two_selectors_stand_for_the_or_and_no_pod_meets_both()
    {
        var entries = Entries(new RegistrationChoices { Address = Url, ComponentLabel = "example.org/step" });

        Assert.Equal(2, entries.Length);
        Assert.Equal("""{"matchExpressions":[{"key":"example.org/step","operator":"Exists"}]}""", entries[0]["objectSelector"]!.ToJsonString());
        Assert.Equal(
            """{"matchExpressions":[{"key":"admissionlas.io/component","operator":"Exists"},{"key":"example.org/step","operator":"DoesNotExist"}]}""",
            entries[1]["objectSelector"]!.ToJsonString());
        Assert.All(entries, e => Assert.Null(e["matchConditions"]));
    }

    [Fact]
    public void Where_the_server_has_conditions_one_entry_sees_labels_and_annotations()
    {
        var entry = Assert.Single(Entries(new RegistrationChoices { Address = Url, HasMatchConditions = true, ComponentLabel = "step" }));

        Assert.Null(entry["objectSelector"]);
        var condition = Assert.Single(entry["matchConditions"]!.AsArray())!;
        Assert.Equal(
            "(has(object.metadata.labels) && ('step' in object.metadata.labels || 'admissionlas.io/component' in object.metadata.labels)) || " +
            "(has(object.metadata.annotations) && 'admissionlas.io/component' in object.metadata.annotations)",
            (string?)condition["expression"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_pod_is_one_entry_that_asks_nothing_of_the_pod(bool hasConditions)
    {
        var entry = Assert.Single(Entries(new RegistrationChoices { Address = Url, IsEveryPod = true, HasMatchConditions = hasConditions }));

        Assert.Null(entry["objectSelector"]);
        Assert.Null(entry["matchConditions"]);
    }

    [Fact]
    public void A_service_and_an_address_exclude_each_other()
    {
        var byUrl = Entries(new RegistrationChoices { Address = Url, CaBundle = "pem"u8.ToArray() });
        var byService = Entries(new RegistrationChoices { Address = new WebhookAddress.Service("las", "hook", 8443) });

        Assert.All(byUrl, e => Assert.Equal("""{"url":"https://webhook.example.org:8443/mutate","caBundle":"cGVt"}""", e["clientConfig"]!.ToJsonString()));
        Assert.All(byService, e => Assert.Equal("""{"service":{"namespace":"las","name":"hook","path":"/mutate","port":8443}}""", e["clientConfig"]!.ToJsonString()));
    }

    static JsonObject[] Entries(RegistrationChoices choices) => [.. RegistrationTemplate.Fill(choices)["webhooks"]!.AsArray().Select(e => e!.AsObject())];
}
