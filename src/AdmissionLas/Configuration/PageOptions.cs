using System.ComponentModel.DataAnnotations;

namespace AdmissionLas.Configuration;

/// <summary>The admin's web page; section <c>page</c>. Read at start.</summary>
sealed class PageOptions
{
    internal const string Section = "page";

    /// <summary>Whether the page is served.</summary>
    public bool Enabled { get; set; }

    /// <summary>The address it listens on. <c>kubectl port-forward</c> reaches the pod's loopback, for users who may port-forward.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Its HTTP port; 0 takes a free one.</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 8081;

    /// <summary>
    /// The host names that requests may use, beside localhost and loopback addresses. Any other name is refused: a foreign page could
    /// otherwise point its own name here and read the answers (DNS rebinding).
    /// </summary>
    public IList<string> Hosts { get; set; } = [];

    /// <summary>How many recent decisions the page keeps.</summary>
    [Range(10, 5_000)]
    public int RecentDecisions { get; set; } = 200;

    /// <summary>How many browsers can follow the decisions at once.</summary>
    [Range(1, 1_000)]
    public int Viewers { get; set; } = 16;
}
