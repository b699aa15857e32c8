using System.ComponentModel.DataAnnotations;

namespace AdmissionLas.Configuration;

/// <summary>How what runs on the nodes is counted; section <c>usage</c>. Read at start.</summary>
sealed class UsageOptions
{
    internal const string Section = "usage";

    /// <summary>
    /// How long a pod counts against the node chosen for it after its review while no watch has shown it, and after the scheduler has found no
    /// node for it, seconds: longer than a watch or a scheduler may lag behind, short enough that a pod which somebody else denied is soon forgotten.
    /// </summary>
    [Range(1, 3600)]
    public int AssumeSeconds { get; set; } = 60;
}
