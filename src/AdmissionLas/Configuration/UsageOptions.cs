using System.ComponentModel.DataAnnotations;

namespace AdmissionLas.Configuration;

/// <summary>How the webhook counts what runs on the nodes; section <c>usage</c>. Read at start.</summary>
sealed class UsageOptions
{
    internal const string Section = "usage";

    /// <summary>
    /// How long a pod counts against its chosen node before a watch shows the pod, and after the scheduler found no node for it, seconds: longer
    /// than a watch or a scheduler lags, and short enough that a pod which another admission plugin denied is soon forgotten.
    /// </summary>
    [Range(1, 3600)]
    public int AssumeSeconds { get; set; } = 60;
}
