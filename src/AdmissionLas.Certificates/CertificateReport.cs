using System.Globalization;

namespace AdmissionLas.Certificates;

/// <summary>How the certificates stand, for people: who signs, what is served, who trusts whom, and what only a person can mend.</summary>
/// <param name="Lines">What there is, a line each.</param>
/// <param name="Problems">What needs somebody, each with what to do; empty when all is well.</param>
public sealed record CertificateReport(IReadOnlyList<string> Lines, IReadOnlyList<string> Problems)
{
    /// <summary>How long a renewal may be due before somebody should look why nothing renews.</summary>
    static readonly TimeSpan RenewalGrace = TimeSpan.FromDays(2);

    /// <summary>Looks at vault, trust and replicas.</summary>
    public static async Task<CertificateReport> OfAsync(ICertificateStore vault, ICaBundleStore trust, DateTimeOffset now, CancellationToken stop)
    {
        var found = await CertificateInventory.ReadAsync(vault, trust, stop).ConfigureAwait(false);
        var report = new Writer(vault, trust, found, now);
        report.WriteAuthorities();
        report.WriteServing();
        report.WriteTrust();
        report.WriteReplicas(await trust.ReplicasAsync(stop).ConfigureAwait(false));
        return new CertificateReport(report.Lines, report.Problems);
    }

    sealed class Writer(ICertificateStore vault, ICaBundleStore trust, CertificateInventory found, DateTimeOffset now)
    {
        internal List<string> Lines { get; } = [];

        internal List<string> Problems { get; } = [.. found.Faults.Select(f => $"{f}; `certs init` makes it anew")];

        internal void WriteAuthorities()
        {
            if (found.Authorities is not { } authorities)
            {
                Line("authority", $"none in {vault.PlaceOf(CertificateGroup.Authorities)}");
                Problems.Add("there is no authority; make one with `certs init`");
                return;
            }

            Line("authority", $"{Told(authorities.Signer.Certificate)}, signs");
            if (authorities.Next is { } next)
            {
                Line("authority", $"{Told(next.Certificate)}, is about to take over");
            }

            foreach (var old in authorities.Old)
            {
                Line("authority", $"{Told(old)}, signed before");
            }

            if (authorities.Next is not null || authorities.Old.Count > 0)
            {
                Line("change", "a change of authority is under way; `certs rotate` goes on with it");
            }

            WatchAge(authorities.Signer.Certificate, "the authority");
        }

        internal void WriteServing()
        {
            if (found.Serving?.Certificate is not { } serving)
            {
                Line("serving", $"none in {vault.PlaceOf(CertificateGroup.Serving)}");
                Problems.Add("there is no serving certificate; make one with `certs init`");
                return;
            }

            Line("serving", $"{Told(serving)}, issued by {serving.Issuer}, for {string.Join(", ", serving.Names())}");
            WatchAge(serving, "the serving certificate");
            if (found.Authorities is { } authorities && !authorities.Bundle.Signed(serving))
            {
                Problems.Add("the serving certificate was signed by none of our authorities; `certs rotate` replaces it");
            }
        }

        internal void WriteTrust()
        {
            if (found.Trusted is null)
            {
                Line("trust", $"{trust.Place} does not exist: nobody calls");
                return;
            }

            foreach (var (caller, bundle) in found.Trusted)
            {
                Line("trust", $"{trust.Place}, {caller}: {(bundle is null ? "broken" : bundle.Authorities.Count == 0 ? "nobody" : string.Join(", ", bundle.Authorities.Select(Named)))}");
                if (found.Authorities is { } authorities && !authorities.Bundle.Equals(bundle))
                {
                    Problems.Add($"{trust.Place}, {caller}: its bundle is not what it should be; `certs rotate` puts it right");
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
                        Problems.Add($"{replica.Name} serves a certificate that {caller} does not trust; its pods go in without a patch. `certs rotate` puts the bundle right");
                    }
                }
            }
        }

        void WatchAge(CertificateFacts certificate, string what)
        {
            if (certificate.NotAfter <= now)
            {
                Problems.Add($"{what} expired at {certificate.NotAfter:u}; run `certs rotate`");
            }
            else if (now < certificate.NotBefore)
            {
                Problems.Add($"{what} is not valid before {certificate.NotBefore:u}; look at this machine's clock");
            }
            else if (certificate.RenewalDueAt + RenewalGrace < now)
            {
                Problems.Add($"{what} should have been renewed since {certificate.RenewalDueAt:u}; see why the CronJob admission-las-certs-rotate does not, or run `certs rotate`");
            }
        }

        void Line(string what, string text) => Lines.Add($"{what,-10} {text}");

        static string Named(CertificateFacts certificate) => $"{certificate.Subject} [{certificate.ShortFingerprint}]";

        static string Told(CertificateFacts certificate) => string.Create(
            CultureInfo.InvariantCulture, $"{Named(certificate)}, expires {certificate.NotAfter:u}, renewed from {certificate.RenewalDueAt:u} on");
    }
}
