using System.ComponentModel.DataAnnotations;

namespace AdmissionLas.Configuration;

/// <summary>The operator's web page; section <c>page</c>. Read at start.</summary>
sealed class PageOptions
{
    internal const string Section = "page";

    /// <summary>Whether there is a page at all.</summary>
    public bool Enabled { get; set; }

    /// <summary>The address it listens on. The pod's loopback is reached with <c>kubectl port-forward</c>, by whoever may do that.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Its HTTP port; 0 takes a free one.</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 8081;

    /// <summary>
    /// The host names by which it may be asked for, beside localhost and addresses of the loopback. Any other name is refused, or a page from
    /// elsewhere could have its name lead here and read along.
    /// </summary>
    public IList<string> Hosts { get; set; } = [];

    /// <summary>How many decisions are kept to be looked at.</summary>
    [Range(10, 5_000)]
    public int RecentDecisions { get; set; } = 200;

    /// <summary>How many may follow the decisions at once.</summary>
    [Range(1, 1_000)]
    public int Viewers { get; set; } = 16;
}
