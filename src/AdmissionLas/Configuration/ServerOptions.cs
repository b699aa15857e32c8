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

    /// <summary>The largest review that is read, bytes. etcd takes objects up to 1.5 MB, and a review can hold two.</summary>
    [Range(64 * 1024, 64 * 1024 * 1024)]
    public int BodyLimitBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>How long a review may take to arrive, milliseconds. The webhook registration's own timeout should be longer.</summary>
    [Range(50, 30_000)]
    public int BudgetMilliseconds { get; set; } = 1_000;

    /// <summary>The most reviews at a time; the server refuses more, and the API server creates their pods unpatched.</summary>
    [Range(1, 100_000)]
    public int ConcurrentReviews { get; set; } = 512;
}
