using AdmissionLas.Doctor;

namespace AdmissionLas.Tests.Doctor;

/// <summary>What the doctor takes for the admission policy of the rotation's account, without a cluster.</summary>
public sealed class AdmissionPolicyCheckTests
{
    [Theory]
    [InlineData(true, true, "ok       admission policy of the certificates' rotation: it may change the caBundle")]
    [InlineData(null, true, "warning  admission policy of the certificates' rotation: it is not installed")]
    [InlineData(true, null, "warning  admission policy of the certificates' rotation: it is not installed")]
    [InlineData(true, false, "warning  admission policy of the certificates' rotation: it is not that of this version")]
    [InlineData(false, true, "warning  admission policy of the certificates' rotation: it is not that of this version")]
    public void A_policy_counts_with_its_binding_and_as_it_is_shipped(bool? policy, bool? binding, string expected) =>
        Assert.StartsWith(expected, AdmissionPolicyCheck.Evaluate("admission-las", policy, binding).ToString(), StringComparison.Ordinal);

    [Fact]
    public void The_defaults_that_an_API_server_adds_change_nothing()
    {
        var (shipped, installed) = Policy();
        var constraints = installed["spec"]!["matchConstraints"]!;
        (constraints["matchPolicy"], constraints["namespaceSelector"], constraints["objectSelector"]) = ("Equivalent", new JsonObject(), new JsonObject());
        constraints["resourceRules"]![0]!["scope"] = "*";
        installed["metadata"]!["generation"] = 1;

        Assert.True(AdmissionPolicyCheck.IsAsShipped(shipped, installed));
        Assert.Null(AdmissionPolicyCheck.IsAsShipped(shipped, null));
    }

    public static TheoryData<string, Action<JsonNode>> Weakened => new()
    {
        { "it fails open", spec => spec["failurePolicy"] = "Ignore" },
        { "a validation less", spec => spec["validations"]!.AsArray().RemoveAt(0) },
        { "another expression", spec => spec["validations"]![1]!["expression"] = "true" },
        { "a further condition", spec => spec["matchConditions"]!.AsArray().Add(new JsonObject { ["name"] = "never", ["expression"] = "false" }) },
        { "some namespaces", spec => spec["matchConstraints"]!["namespaceSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["a"] = "b" } } },
        { "an exception", spec => spec["matchConstraints"]!["excludeResourceRules"] = new JsonArray(new JsonObject { ["resources"] = new JsonArray("*") }) },
        { "exact versions alone", spec => spec["matchConstraints"]!["matchPolicy"] = "Exact" },
    };

    [Theory]
    [MemberData(nameof(Weakened))]
    public void A_policy_that_lets_more_through_is_not_the_shipped_one(string what, Action<JsonNode> change)
    {
        var (shipped, installed) = Policy();
        change(installed["spec"]!);

        Assert.False(AdmissionPolicyCheck.IsAsShipped(shipped, installed), what);
    }

    [Fact]
    public void In_another_namespace_it_is_about_the_account_there()
    {
        var policy = AdmissionPolicyCheck.Shipped("las")[0].ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

        Assert.Contains("system:serviceaccount:las:admission-las-certificates", policy, StringComparison.Ordinal);
        Assert.Contains("request.namespace == \\\"las\\\"", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("request.namespace == \\\"admission-las\\\"", policy, StringComparison.Ordinal);
    }

    static (JsonObject Shipped, JsonObject Installed) Policy()
    {
        var shipped = AdmissionPolicyCheck.Shipped("admission-las")[0];
        return (shipped, shipped.DeepClone().AsObject());
    }
}
