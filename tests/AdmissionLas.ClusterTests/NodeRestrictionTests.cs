namespace AdmissionLas.ClusterTests;

/// <summary>
/// What a node can say of its own latencies, on an API server with the Node authorizer and the admission plugin NodeRestriction
/// (https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction).
/// </summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class NodeRestrictionTests(ControlPlane cluster)
{
    [Fact]
    public async Task A_kubelet_can_write_its_plain_latency_label_and_not_the_restricted_one_which_an_admin_can()
    {
        await using var nodes = await OwnNodes.CreateAsync(cluster, ("1", "1Gi", 9), ("1", "1Gi", 9));
        var (sly, other, location) = (nodes.Names[1], nodes.Names[0], nodes.Location);
        string[] kubelet = [$"--as=system:node:{sly}", "--as-group=system:nodes", "--as-group=system:authenticated"];
        var safe = $"{LatencyLabels.RestrictedPrefix}{location}";

        var plain = await LabelAsync(sly, $"{LatencyLabels.Prefix}{location}=0.0001", kubelet);
        var restricted = await LabelAsync(sly, $"{safe}=0.0001", kubelet);
        var tier = await LabelAsync(sly, "admissionlas.io.node-restriction.kubernetes.io/tier=cloud", kubelet);
        var foreign = await LabelAsync(other, $"{LatencyLabels.Prefix}{location}=9", kubelet);

        Assert.True(plain.ExitCode == 0, plain.Errors);
        Assert.Contains($"is not allowed to modify labels: {safe}", restricted.Errors, StringComparison.Ordinal);
        Assert.Contains("is not allowed to modify labels: admissionlas.io.node-restriction.kubernetes.io/tier", tier.Errors, StringComparison.Ordinal);
        Assert.NotEqual(0, foreign.ExitCode);
        await NearestIsAsync(sly, 0.0001);

        // The admin's word wins over that, and the kubelet cannot take it away.
        Assert.Equal(0, (await LabelAsync(sly, $"{safe}=50")).ExitCode);
        await NearestIsAsync(other, 1);
        Assert.Contains($"is not allowed to modify labels: {safe}", (await LabelAsync(sly, $"{safe}-", kubelet)).Errors, StringComparison.Ordinal);

        Task NearestIsAsync(string node, double latencyMs) => Eventually.IsTrueAsync($"{node} is the nearest", () => Task.FromResult(
            cluster.State.Current!.NearestTo(location) is [var first, ..] && (first.Node.Name, first.LatencyMs) == (node, latencyMs)));
    }

    Task<ToolResult> LabelAsync(string node, string label, params string[] identity) =>
        new Kubectl(cluster.Kubeconfig).RunAsync(null, ["label", "--overwrite", "node", node, label, .. identity]);
}
