namespace AdmissionLas.Certificates;

/// <summary>The state of the certificates for an admin: the authorities, what is served, what callers trust, and the problems.</summary>
/// <param name="Lines">The state, line by line.</param>
/// <param name="Problems">What needs an admin, each with what to do; empty when all is well.</param>
public sealed record CertificateReport(IReadOnlyList<string> Lines, IReadOnlyList<string> Problems)
{
    /// <summary>How long a renewal may be overdue before the report calls it a problem.</summary>
    static readonly TimeSpan RenewalGrace = TimeSpan.FromDays(2);

    /// <summary>Reads both stores and looks at the replicas.</summary>
    public static async Task<CertificateReport> OfAsync(ICertificateStore certificates, ICaBundleStore caBundles, DateTimeOffset now, CancellationToken stop)
    {
        var found = await CertificateInventory.ReadAsync(certificates, caBundles, stop).ConfigureAwait(false);
        var report = new Writer(certificates, caBundles, found, now);
        report.WriteAuthorities();
        report.WriteServing();
        report.WriteTrust();
        report.WriteReplicas(await caBundles.ReplicasAsync(stop).ConfigureAwait(false));
        return new CertificateReport(report.Lines, report.Problems);
    }

    sealed class Writer(ICertificateStore certificates, ICaBundleStore caBundles, CertificateInventory found, DateTimeOffset now)
    {
        internal List<string> Lines { get; } = [];

        internal List<string> Problems { get; } = [.. found.Faults.Select(f => $"{f}; `certs init` makes a new one")];

        internal void WriteAuthorities()
        {
            if (found.Authorities is not { } authorities)
            {
                Line("authority", $"none in {certificates.PlaceOf(CertificateGroup.Authorities)}");
                Problems.Add("there is no authority; make one with `certs init`");
                return;
            }

            Line("authority", $"{Described(authorities.Signer.Certificate)}, signs");
            if (authorities.Next is { } next)
            {
                Line("authority", $"{Described(next.Certificate)}, signs next");
            }

            foreach (var old in authorities.Old)
            {
                Line("authority", $"{Described(old)}, signed before");
            }

            if (authorities.Next is not null || authorities.Old.Count > 0)
            {
                Line("change", "a change of authority is under way; `certs rotate` goes on with it");
            }

            CheckAge(authorities.Signer.Certificate, "the authority");
        }

        internal void WriteServing()
        {
            if (found.Serving?.Certificate is not { } serving)
            {
                Line("serving", $"none in {certificates.PlaceOf(CertificateGroup.Serving)}");
                Problems.Add("there is no serving certificate; make one with `certs init`");
                return;
            }

            Line("serving", $"{Described(serving)}, issued by {serving.Issuer}, for {string.Join(", ", serving.Names())}");
            CheckAge(serving, "the serving certificate");
            if (found.Authorities is { } authorities && !authorities.Bundle.Signed(serving))
            {
                Problems.Add("the serving certificate was signed by none of our authorities; `certs rotate` replaces it");
            }
        }

        internal void WriteTrust()
        {
            if (found.Trusted is null)
            {
                Line("trust", $"{caBundles.Place} does not exist: the API server does not call the webhook");
                return;
            }

            foreach (var (caller, bundle) in found.Trusted)
            {
                Line("trust", $"{caBundles.Place}, {caller}: {(bundle is null ? "broken" : bundle.Authorities.Count == 0 ? "no authority" : string.Join(", ", bundle.Authorities.Select(Named)))}");
                if (found.Authorities is { } authorities && !authorities.Bundle.Equals(bundle))
                {
                    Problems.Add($"{caBundles.Place}, {caller}: its bundle is not what it should be; `certs rotate` repairs it");
                }
            }
        }

        internal void WriteReplicas(IReadOnlyList<Replica>? replicas)
        {
            foreach (var replica in replicas ?? [])
            {
                Line("served", $"{replica.Name}: {(replica.Served is { } served ? $"{Named(served)}, issued by {served.Issuer}" : replica.Fault)}");
                foreach (var (caller, bundle) in found.Trusted ?? new Dictionary<string, TrustBundle?>())
                {
                    if (replica.Served is { } shown && bundle?.Signed(shown) != true)
                    {
                        Problems.Add($"{replica.Name} serves a certificate that {caller} does not trust; pods are created without a patch. `certs rotate` repairs the bundle");
                    }
                }
            }
        }

        void CheckAge(CertificateFacts certificate, string what)
        {
            var problem = certificate.NotAfter <= now ? $"expired at {certificate.NotAfter:u}; run `certs rotate`"
                : now < certificate.NotBefore ? $"is not valid before {certificate.NotBefore:u}; check this machine's clock"
                : certificate.RenewalDueAt + RenewalGrace < now
                    ? $"is due for renewal since {certificate.RenewalDueAt:u}; check the CronJob admission-las-certs-rotate, or run `certs rotate`"
                : null;
            if (problem is not null)
            {
                Problems.Add($"{what} {problem}");
            }
        }

        void Line(string what, string text) => Lines.Add($"{what,-10} {text}");

        static string Named(CertificateFacts certificate) => $"{certificate.Subject} [{certificate.Fingerprint[..12].ToLowerInvariant()}]";

        static string Described(CertificateFacts certificate) =>
            $"{Named(certificate)}, expires {certificate.NotAfter:u}, renewed from {certificate.RenewalDueAt:u} on";
    }
}
