using System.ComponentModel.DataAnnotations;

namespace AdmissionLas.Configuration;

/// <summary>The server's addresses, certificates and limits; section <c>server</c>. Read at start.</summary>
// Properties are settable, not init-only: the generated binder ignores init-only ones silently.
sealed class ServerOptions
{
    internal const string Section = "server";

    /// <summary>The address to listen on.</summary>
    [Required]
    public string Address { get; set; } = "0.0.0.0";

    /// <summary>The HTTPS port that the API server calls; 0 takes a free one.</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 8443;

    /// <summary>The plain HTTP port for probes; 0 takes a free one.</summary>
    [Range(0, 65535)]
    public int HealthPort { get; set; } = 8080;

    /// <summary>
    /// Whether HTTP/2 is spoken beside HTTP/1.1. An API server calls webhooks behind a Service with HTTP/1.1 only, so that its calls are spread over the
    /// replicas, and a stranger can do more harm with HTTP/2.
    /// </summary>
    public bool Http2 { get; set; }

    /// <summary>PEM file with the serving certificate and its chain.</summary>
    public string Certificate { get; set; } = "/certs/tls.crt";

    /// <summary>PEM file with the serving certificate's key.</summary>
    public string CertificateKey { get; set; } = "/certs/tls.key";

    /// <summary>The names that the certificate must be for, so that a wrong one is refused here before the API server refuses it; empty for any.</summary>
    public IList<string> CertificateNames { get; set; } = [];

    /// <summary>PEM file with the authorities of client certificates; empty to accept callers without one.</summary>
    public string ClientCa { get; set; } = "";

    /// <summary>The common or DNS names that callers may have; needed with <see cref="ClientCa"/>.</summary>
    public IList<string> AllowedClients { get; set; } = [];

    /// <summary>How often the server looks for a renewed certificate, seconds.</summary>
    [Range(1, 3600)]
    public int CertificateReloadSeconds { get; set; } = 10;

    /// <summary>How long the server still answers after SIGTERM, seconds; meanwhile its Service learns that it is not ready.</summary>
    [Range(0, 60)]
    public int DrainSeconds { get; set; } = 5;

    /// <summary>The largest review that is read, bytes. The API server takes requests up to 3 MB, and a review of one adds little.</summary>
    [Range(64 * 1024, 64 * 1024 * 1024)]
    public int BodyLimitBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>How long a review may take to arrive, milliseconds. The webhook registration's own timeout should be longer.</summary>
    [Range(50, 30_000)]
    public int BudgetMilliseconds { get; set; } = 1_000;

    /// <summary>
    /// The most requests at a time that wait for the rest of their bodies, or for their answers to be taken. Beyond, the one that waits longest is
    /// refused, and the API server creates its pod unpatched.
    /// </summary>
    [Range(1, 100_000)]
    public int WaitingRequests { get; set; } = 512;

    /// <summary>The most bytes that these requests hold together.</summary>
    [Range(1024 * 1024, 1024 * 1024 * 1024)]
    public int WaitingBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>The most connections of a port at a time. One more closes one of the address that has the most: <c>ConnectionLimit</c>.</summary>
    [Range(1, 100_000)]
    public int Connections { get; set; } = 512;
}

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

/// <summary>What is read of the nodes; section <c>nodes</c>. Read at start.</summary>
sealed class NodeOptions
{
    internal const string Section = "nodes";

    /// <summary><c>all</c>, or <c>restricted</c> to the latency labels that no kubelet can write.</summary>
    public LatencyLabelForms LatencyLabels { get; set; }
}

/// <summary>The labels that count as latencies.</summary>
enum LatencyLabelForms
{
    /// <summary>Every form.</summary>
    All,

    /// <summary>Those that the API server keeps kubelets from writing.</summary>
    Restricted,
}

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

/// <summary>Whether the webhook writes Kubernetes Events; section <c>events</c>. Read at start.</summary>
sealed class EventOptions
{
    internal const string Section = "events";

    /// <summary>Whether the owner of a prediction step gets an Event when the step could not be placed near its location.</summary>
    public bool Enabled { get; set; } = true;
}
