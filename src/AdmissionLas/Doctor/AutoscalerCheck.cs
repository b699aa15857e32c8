using AdmissionLas.Configuration;

namespace AdmissionLas.Doctor;

/// <summary>Checks that the placement mode lets an autoscaler add nodes for pending steps.</summary>
/// <remarks>
/// A node that is not there yet has a host name that no pod can require. Karpenter ignores a pending pod that requires the label
/// kubernetes.io/hostname (RestrictedLabels in https://github.com/kubernetes-sigs/karpenter/blob/main/pkg/apis/v1/labels.go), and before 1.5 also
/// one that prefers it (https://github.com/kubernetes-sigs/karpenter/pull/2182). Cluster Autoscaler gives the node that it simulates a made-up name
/// (createSanitizedNode in https://github.com/kubernetes/autoscaler/blob/cluster-autoscaler-1.34.0/cluster-autoscaler/simulator/node_info_utils.go).
/// </remarks>
static class AutoscalerCheck
{
    internal static async Task<IReadOnlyList<Finding>> EvaluateAsync(KubeApi api, string ownNamespace, CancellationToken stop)
    {
        // Of its NodePools, or of the Provisioners before them; every authenticated user may read them.
        var karpenterVersions = await api.VersionsOfAsync("karpenter.sh", stop).ConfigureAwait(false);
        var status = await api.FindAsync(ObjectKinds.ConfigMaps, "kube-system", "cluster-autoscaler-status", stop).ConfigureAwait(false);
        var configMap = karpenterVersions is null && status is null
            ? null : await api.FindAsync(ObjectKinds.ConfigMaps, ownNamespace, ConfigurationFile.ConfigMapName, stop).ConfigureAwait(false);
        return [Evaluate(karpenterVersions, status is not null, configMap?.Data?.TryGetValue(ConfigurationFile.ConfigMapKey, out var text) == true ? text : null)];
    }

    /// <param name="karpenterVersions">The versions of Karpenter's API; <see langword="null"/> when it has none.</param>
    /// <param name="hasClusterAutoscaler">Whether Cluster Autoscaler has left its status.</param>
    /// <param name="configuration">The webhook's configuration; <see langword="null"/> when there is none.</param>
    internal static Finding Evaluate(IReadOnlyList<string>? karpenterVersions, bool hasClusterAutoscaler, string? configuration)
    {
        var found = (karpenterVersions, hasClusterAutoscaler) switch
        {
            (null, false) => null,
            (null, true) => "Cluster Autoscaler",
            (_, false) => "Karpenter",
            _ => "Karpenter and Cluster Autoscaler",
        };
        if (found is null)
        {
            return Finding.Ok("no autoscaler was found: neither Karpenter nor Cluster Autoscaler");
        }

        PlacementMode mode;
        try
        {
            mode = configuration is null ? new PlacementPolicy().Mode : SettingsCompiler.FromText(configuration).Policy.Mode;
        }
        catch (Exception fault) when (fault is InvalidDataException or OptionsValidationException)
        {
            return Finding.Warning($"whether {found} can add nodes for steps is not known: {fault.Message}", "correct the webhook's configuration");
        }

        var since = karpenterVersions is null ? "" : " (Karpenter as of 1.5)";
        return mode switch
        {
            PlacementMode.Off => Finding.Ok($"{found} can add nodes for all steps: placement.mode Off changes no pod"),
            // The version v1 came with Karpenter 1.0.
            _ when karpenterVersions?.Contains("v1") == false => Finding.Warning(
                "this Karpenter is older than 1.5, and adds no node for a pod that names hosts, even as a preference", "update Karpenter, or set placement.mode: Off"),
            PlacementMode.Required => Finding.Warning(
                $"{found} can add no node for a prediction step: placement.mode Required ties it to nodes that are there, even when they are full",
                "set placement.mode: Adaptive, or Preferred"),
            PlacementMode.Preferred => Finding.Ok($"{found} can add nodes for all steps{since}: placement.mode Preferred ties none to nodes that are there"),
            _ => Finding.Ok(
                $"{found} can add nodes for steps that find no room near{since}; placement.mode Adaptive ties the others to nodes that had room, Preferred would tie none"),
        };
    }
}
