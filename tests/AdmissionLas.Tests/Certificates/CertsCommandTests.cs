using AdmissionLas.Certificates;

namespace AdmissionLas.Tests.Certificates;

/// <summary>The commands as a user types them, on a directory.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class CertsCommandTests : IDisposable
{
    readonly string directory = Path.Combine(Directory.CreateTempSubdirectory("admissionlas-tests-").FullName, "certs");

    [Fact]
    public async Task Init_makes_a_certificate_for_the_service_and_status_finds_all_well()
    {
        var (made, _, _) = await CertsAsync("init");
        var (shown, output, _) = await CertsAsync("status");

        Assert.Equal(0, made);
        Assert.Equal(0, shown);
        Assert.Contains("admission-las.admission-las.svc.cluster.local", output, StringComparison.Ordinal);
        Assert.Contains("all is well", output, StringComparison.Ordinal);
        var served = CertificateFacts.Of(File.ReadAllText(FileOf("serving/tls.crt")));
        var trusted = TrustBundle.Read(File.ReadAllText(FileOf("trust/ca.crt")))!;
        Assert.True(SimulatedCluster.Accepts(trusted, served, "admission-las.admission-las.svc", DateTimeOffset.UtcNow));
        Assert.False(SimulatedCluster.Accepts(trusted, served, "example.org", DateTimeOffset.UtcNow));
        Assert.Equal(90, (served.NotAfter - served.NotBefore).TotalDays, 0.1);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Keys_are_the_owners_alone()
    {
        await CertsAsync("init");

        foreach (var file in Directory.EnumerateFiles(directory, "*.key", SearchOption.AllDirectories))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(FileOf("authority")));
    }

    [Fact]
    public async Task A_dry_run_shows_the_plan_and_touches_nothing()
    {
        var (exitCode, output, _) = await CertsAsync("init", "--dry-run");

        Assert.Equal(0, exitCode);
        Assert.Contains("would: making an authority", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory));
    }

    [Fact]
    public async Task A_change_of_authority_in_files_waits_for_a_person_and_ends_with_revoke_old()
    {
        await CertsAsync("init");
        var before = File.ReadAllText(FileOf("trust/ca.crt"));

        var (rotated, _, _) = await CertsAsync("rotate", "--force", "authority");
        Assert.Equal(2, rotated);
        Assert.Equal(2, TrustBundle.Read(File.ReadAllText(FileOf("trust/ca.crt")))!.Authorities.Count);
        var (seen, _, _) = await CertsAsync("revoke-old");
        Assert.Equal(2, seen);
        var (revoked, _, _) = await CertsAsync("revoke-old", "--unseen");

        Assert.Equal(0, revoked);
        Assert.NotEqual(before, File.ReadAllText(FileOf("trust/ca.crt")));
        Assert.Single(TrustBundle.Read(File.ReadAllText(FileOf("trust/ca.crt")))!.Authorities);
    }

    [Fact]
    public async Task Status_of_nothing_says_what_to_do()
    {
        var (exitCode, output, _) = await CertsAsync("status");

        Assert.Equal(2, exitCode);
        Assert.Contains("`certs init`", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_names_a_bundle_that_was_overwritten()
    {
        await CertsAsync("init");
        File.WriteAllText(FileOf("trust/ca.crt"), "-----BEGIN CERTIFICATE-----");

        var (exitCode, output, _) = await CertsAsync("status");

        Assert.Equal(2, exitCode);
        Assert.Contains("its bundle is not what it should be", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_rotation_in_the_same_directory_is_refused()
    {
        await CertsAsync("init");
        await using var held = await new DirectoryCertificateStore(directory).LockAsync(CancellationToken.None);

        var (exitCode, _, errors) = await CertsAsync("rotate");

        Assert.Equal(1, exitCode);
        Assert.Contains("another rotation is running", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("certificates: { subject: nonsense, dnsNames: [a.b] }", "certificates.subject: \"nonsense\"")]
    [InlineData("certificates: { subject: CN=a, dnsNames: ['a b'] }", "certificates.dnsNames: \"a b\"")]
    [InlineData("certificates: { subject: CN=a }", "there is no name")]
    [InlineData("certificates: { subject: CN=a, ipAddresses: [here] }", "certificates.ipAddresses: \"here\"")]
    [InlineData("certificates: { subject: CN=a, dnsNames: [a.b], servingDays: 90, authorityDays: 100 }", "write at least 270")]
    [InlineData("certificates: { subject: CN=a, dnsNames: [a.b], servingDays: 0 }", "ServingDays")]
    [InlineData("certificates: { subject: CN=a, dnsNames: [a.b], keyType: Rsa512 }", "keyType")]
    [InlineData("certificates: [", "policy.yaml")]
    public async Task A_fault_in_the_policy_is_named_with_its_key(string yaml, string expected)
    {
        var file = Path.Combine(Path.GetDirectoryName(directory)!, "policy.yaml");
        File.WriteAllText(file, yaml);

        var (exitCode, _, errors) = await CertsAsync("init", "--policy", file);

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors, StringComparison.OrdinalIgnoreCase);
        Assert.False(Directory.Exists(directory));
    }

    [Fact]
    public async Task A_policy_with_another_curve_and_an_address_is_followed()
    {
        var file = Path.Combine(Path.GetDirectoryName(directory)!, "policy.yaml");
        File.WriteAllText(file, "certificates: { subject: CN=a, ipAddresses: [10.1.2.3], keyType: EcdsaP384 }");

        await CertsAsync("init", "--policy", file);

        var served = CertificateFacts.Of(File.ReadAllText(FileOf("serving/tls.crt")));
        Assert.Equal(["10.1.2.3"], served.Names());
        using var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(served.Pem);
        Assert.Equal(384, System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPublicKey(certificate)!.KeySize);
    }

    [Fact]
    public async Task An_API_server_that_does_not_answer_is_named_and_nothing_is_done()
    {
        var kubeconfig = Path.Combine(Path.GetDirectoryName(directory)!, "kubeconfig");
        File.WriteAllText(kubeconfig, """
            apiVersion: v1
            kind: Config
            clusters: [{ name: a, cluster: { server: "https://127.0.0.1:1" } }]
            users: [{ name: a, user: { token: t } }]
            contexts: [{ name: a, context: { cluster: a, user: a } }]
            current-context: a
            """);

        var (exitCode, _, errors) = await CommandLine.RunAsync("certs", "rotate", "--kubeconfig", kubeconfig);

        Assert.Equal(1, exitCode);
        Assert.Contains("the API server cannot be reached", errors, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(directory)!, recursive: true);

    string FileOf(string relative) => Path.Combine(directory, relative);

    Task<(int ExitCode, string Output, string Errors)> CertsAsync(string verb, params string[] arguments) => CommandLine.RunAsync(
        ["certs", verb, "--directory", directory, .. verb == "status" ? [] : (string[])["--trust-delay", "0"], .. arguments]);
}
