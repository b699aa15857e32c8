using System.ComponentModel.DataAnnotations;

namespace AdmissionLas.Options;

/// <summary>How what runs on the nodes is counted; section <c>usage</c>. Read at start.</summary>
sealed class UsageOptions
{
    internal const string Section = "usage";

    /// <summary>
    /// How long a pod that was placed counts against its node without being bound to it, seconds: longer than the scheduler takes in a burst,
    /// short enough that a pod which somebody else denied is soon forgotten.
    /// </summary>
    [Range(1, 3600)]
    public int AssumeSeconds { get; set; } = 60;
}
