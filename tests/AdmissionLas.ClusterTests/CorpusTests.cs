namespace AdmissionLas.ClusterTests;

/// <summary>The real API server accepts every pod of the corpus with our patch on it.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class CorpusTests(ControlPlane cluster)
{
    public static TheoryData<string> Cases =>
        [.. Directory.GetDirectories(Checkout.PathOf("tests/Corpus")).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Cases))]
    public async Task The_api_server_accepts_the_patched_pod(string name)
    {
        var pod = Checkout.Yaml($"tests/Corpus/{name}/pod.yaml");
        var expected = Checkout.Yaml($"tests/Corpus/{name}/expected.yaml");
        await using var ns = await cluster.CreateNamespaceAsync(pod["metadata"]!["namespace"]?.GetValue<string>());

        var (status, body) = await cluster.Api.TryCreateAsync($"{ns.Pods}?dryRun=All", pod);

        if (expected["serverRejects"]?.GetValue<bool>() == true && status != HttpStatusCode.Created)
        {
            return;
        }

        Assert.True(status == HttpStatusCode.Created, $"{(int)status}: {body["message"]}");
        if (expected["component"]!.ToString() != "None")
        {
            Assert.NotNull(TestNamespace.DecisionOf(body));
        }
    }
}
