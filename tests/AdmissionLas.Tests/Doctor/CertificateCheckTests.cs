using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;
using AdmissionLas.Doctor;
using k8s.Models;

namespace AdmissionLas.Tests.Doctor;

/// <summary>What the doctor says of the API server's trust and of the certificate that it is shown, at any time of their lives.</summary>
public sealed class CertificateCheckTests
{
    const string Host = "admission-las.admission-las.svc";

    static readonly DateTimeOffset Made = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    static readonly CertificatePolicy Policy = new()
    {
        Subject = "CN=webhook",
        AuthoritySubject = "CN=authority",
        DnsNames = [Host],
        ServingLifetime = TimeSpan.FromDays(90),
        AuthorityLifetime = TimeSpan.FromDays(900),
    };

    static readonly KeyPair Signer = Authority.Create(Policy, Made);

    [Theory]
    [InlineData(1, "Ok", "valid until")]
    [InlineData(61, "Warning", "less than a third of its life left")]
    [InlineData(91, "Failed", "expired at")]
    [InlineData(-1, "Failed", "is not valid before")]
    public void A_serving_certificate_is_judged_by_its_age(int day, string severity, string what)
    {
        // The signer is older, so that only the one certificate is in question.
        var signer = Authority.Create(Policy, Made.AddDays(-10));

        var finding = Assert.Single(Evaluate(signer.Issue(Policy, Made), signer, Made.AddDays(day)));

        Assert.Equal(severity, finding.Severity.ToString());
        Assert.Contains(what, finding.What, StringComparison.Ordinal);
        Assert.Equal(finding.Severity != Severity.Ok, finding.Remedy is not null);
    }

    [Fact]
    public void A_certificate_for_another_name_is_told_with_the_names_that_it_has()
    {
        var finding = Assert.Single(Evaluate(Signer.Issue(Policy with { DnsNames = ["localhost", "other.svc"] }, Made), Signer, Made));

        Assert.Equal(Severity.Failed, finding.Severity);
        Assert.Contains($"is not for {Host}, the name that the API server calls, but for localhost, other.svc", finding.What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_of_another_authority_is_told_with_its_issuer()
    {
        var stranger = Authority.Create(Policy with { AuthoritySubject = "CN=stranger" }, Made);

        var finding = Assert.Single(Evaluate(stranger.Issue(Policy, Made), Signer, Made));

        Assert.Equal(Severity.Failed, finding.Severity);
        Assert.Contains("but by CN=stranger", finding.What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_of_an_authority_that_has_expired_is_not_trusted()
    {
        var old = Authority.Create(Policy with { AuthorityLifetime = TimeSpan.FromDays(100) }, Made.AddDays(-99.5));
        var bundle = new TrustBundle([old.Certificate, Signer.Certificate]);

        var findings = ServedCertificateCheck.Evaluate(Served(old.Issue(Policy, Made)), bundle, Host, Made.AddDays(3));

        Assert.Contains(findings, f => f.What.Contains("was not signed by a valid authority", StringComparison.Ordinal));
    }

    [Fact]
    public void An_intermediate_that_the_server_sends_along_leads_to_the_root()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leafKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = AuthorityRequest("CN=root", rootKey).CreateSelfSigned(Made, Made.AddDays(90));
        using var middle = AuthorityRequest("CN=middle", middleKey).Create(root, Made, Made.AddDays(90), [1]).CopyWithPrivateKey(middleKey);
        var request = new CertificateRequest("CN=webhook", leafKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Host);
        request.CertificateExtensions.Add(names.Build());
        using var leaf = request.Create(middle, Made, Made.AddDays(90), [2]);
        var bundle = new TrustBundle([CertificateFacts.Of(root)]);

        Assert.Equal(Severity.Ok, Assert.Single(ServedCertificateCheck.Evaluate(new ServedChain(leaf, [middle], "the webhook"), bundle, Host, Made.AddDays(1))).Severity);
        Assert.Equal(Severity.Failed, Assert.Single(ServedCertificateCheck.Evaluate(new ServedChain(leaf, [], "the webhook"), bundle, Host, Made.AddDays(1))).Severity);
    }

    [Theory]
    [InlineData(1, "Ok", "has 1 authority, valid until")]
    [InlineData(601, "Warning", "less than a third of its life left")]
    [InlineData(901, "Failed", "every authority in the caBundle of place has expired")]
    [InlineData(-1, "Failed", "is valid yet")]
    public void A_bundle_is_judged_by_its_age(int day, string severity, string what)
    {
        var finding = Assert.Single(CaBundleCheck.Evaluate(Registration(Signer.Certificate.Pem), Made.AddDays(day)));

        Assert.Equal(severity, finding.Severity.ToString());
        Assert.Contains(what, finding.What, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_authorities_of_a_rotation_are_fine_and_an_expired_one_is_only_a_remnant()
    {
        var next = Authority.Create(Policy, Made.AddDays(600));
        var registration = Registration(Signer.Certificate.Pem + "\n" + next.Certificate.Pem);

        Assert.Equal(Severity.Ok, Assert.Single(CaBundleCheck.Evaluate(registration, Made.AddDays(700))).Severity);
        var later = CaBundleCheck.Evaluate(registration, Made.AddDays(1000));
        Assert.Equal([Severity.Ok, Severity.Warning], later.Select(f => f.Severity));
        Assert.Contains("still holds CN=authority", later[1].What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    public void A_bundle_that_cannot_be_read_has_been_overwritten(string pem) =>
        Assert.Contains("it was overwritten", Assert.Single(CaBundleCheck.Evaluate(Registration(pem), Made)).What, StringComparison.Ordinal);

    [Fact]
    public void No_bundle_is_a_fault_for_a_service_and_a_question_for_an_address()
    {
        var byAddress = Registration("");
        var byService = Registration("");
        byService.Webhooks[0].ClientConfig = new Admissionregistrationv1WebhookClientConfig { Service = new Admissionregistrationv1ServiceReference { Name = "a", NamespaceProperty = "b" } };

        Assert.Equal(Severity.Warning, Assert.Single(CaBundleCheck.Evaluate(byAddress, Made)).Severity);
        Assert.Equal(Severity.Failed, Assert.Single(CaBundleCheck.Evaluate(byService, Made)).Severity);
    }

    [Theory]
    [InlineData(30, 0)]
    [InlineData(300, 1)]
    [InlineData(-300, 1)]
    public void Clocks_that_are_minutes_apart_are_told(int secondsApart, int findings) =>
        Assert.Equal(findings, ApiServerCheck.Clock(Made, Made.AddSeconds(secondsApart)).Count());

    static IReadOnlyList<Finding> Evaluate(KeyPair serving, KeyPair signer, DateTimeOffset now) =>
        ServedCertificateCheck.Evaluate(Served(serving), new TrustBundle([signer.Certificate]), Host, now);

    static ServedChain Served(KeyPair serving) => new(X509Certificate2.CreateFromPem(serving.Certificate.Pem), [], "the webhook");

    static CertificateRequest AuthorityRequest(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request;
    }

    static V1MutatingWebhookConfiguration Registration(string pem) => new()
    {
        Metadata = new V1ObjectMeta(),
        Webhooks = [new V1MutatingWebhook { Name = "place", ClientConfig = new Admissionregistrationv1WebhookClientConfig { Url = "https://a/b", CaBundle = Encoding.ASCII.GetBytes(pem) } }],
    };
}
