using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Configuration;
using AdmissionLas.Server;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace AdmissionLas.Tests.Server;

public sealed class ServingCertificateTests : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("admissionlas-tests-").FullName;
    readonly FakeTimeProvider time = new(DateTimeOffset.UtcNow);

    [Fact]
    public async Task A_renewed_certificate_is_served_without_a_restart()
    {
        var options = Issue();
        var tls = new ServingTls(Load(options));
        var before = tls.Current.SerialNumber;
        using var reload = await FollowAsync(tls, options);

        Issue();
        await LookAsync(() => tls.Current.SerialNumber != before);

        Assert.NotEqual(before, tls.Current.SerialNumber);
    }

    [Fact]
    public async Task A_swapped_symlink_as_in_a_secret_volume_is_followed()
    {
        var (first, second) = (Path.Combine(directory, "..data-1"), Path.Combine(directory, "..data-2"));
        DevelopmentCertificate.InDirectory(first, time.GetUtcNow());
        DevelopmentCertificate.InDirectory(second, time.GetUtcNow());
        var data = Path.Combine(directory, "..data");
        Directory.CreateSymbolicLink(data, first);
        var options = new ServerOptions { Certificate = Path.Combine(data, "tls.crt"), CertificateKey = Path.Combine(data, "tls.key") };
        var tls = new ServingTls(Load(options));
        var before = tls.Current.SerialNumber;
        using var reload = await FollowAsync(tls, options);

        Directory.CreateSymbolicLink(data + "-new", second);
        Directory.Delete(data);
        Directory.Move(data + "-new", data);
        await LookAsync(() => tls.Current.SerialNumber != before);

        Assert.NotEqual(before, tls.Current.SerialNumber);
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("empty")]
    [InlineData("missing")]
    [InlineData("wrong key")]
    [InlineData("expired")]
    [InlineData("not yet valid")]
    [InlineData("for another name")]
    public async Task A_certificate_that_cannot_be_used_ends_the_start_and_does_not_replace_a_good_one(string fault)
    {
        var options = Issue();
        var tls = new ServingTls(Load(options));
        var good = tls.Current;
        using var reload = await FollowAsync(tls, options);

        Break(options, fault);
        var refusal = Assert.Throws<InvalidDataException>(() => Load(options));
        for (var i = 0; i < 5; i++)
        {
            time.Advance(TimeSpan.FromSeconds(options.CertificateReloadSeconds));
            await Task.Delay(20);
        }

        Assert.Contains(directory, refusal.Message, StringComparison.Ordinal);
        Assert.Same(good, tls.Current);

        options.CertificateNames = [];
        Issue();
        await LookAsync(() => !ReferenceEquals(good, tls.Current));
        Assert.NotSame(good, tls.Current);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(-14)]
    public void A_clock_that_is_five_minutes_off_does_not_matter(int minutesFast)
    {
        // The end of its life, or ten minutes before it was made: its begin.
        var options = Issue(minutesFast > 0 ? time.GetUtcNow() - TimeSpan.FromDays(30) : time.GetUtcNow());
        time.AdjustTime(time.GetUtcNow().AddMinutes(minutesFast));

        Load(options);
    }

    [Theory]
    [InlineData(19, null)]
    [InlineData(21, LogLevel.Warning)]
    [InlineData(31, LogLevel.Error)]
    public async Task From_the_last_third_of_its_life_on_a_certificate_is_warned_of_once_an_hour(int ageDays, LogLevel? expected)
    {
        var options = Issue();
        var tls = new ServingTls(Load(options));
        time.Advance(TimeSpan.FromDays(ageDays));
        var log = new RecordedLog<ServingCertificateReload>();
        using var reload = new ServingCertificateReload(tls, Microsoft.Extensions.Options.Options.Create(options), time, log);
        await reload.StartAsync(CancellationToken.None);

        if (expected is null)
        {
            await LookAgainAsync(minutes: 150);
            Assert.Empty(log.Lines);
            return;
        }

        await Eventually.IsTrueAsync("it is warned of at start", () => Task.FromResult(log.Lines.Count == 1));
        await LookAgainAsync(minutes: 50);
        Assert.Single(log.Lines);
        await LookAgainAsync(minutes: 20);
        await Eventually.IsTrueAsync("it is warned of again", () => Task.FromResult(log.Lines.Count == 2));
        Assert.All(log.Lines, line => Assert.Equal(expected, line.Level));
        Assert.All(log.Lines, line => Assert.Contains("certs rotate", line.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void The_files_never_show_the_key_in_words()
    {
        var options = Issue();

        Assert.DoesNotContain("PRIVATE KEY", CertificateFiles.Read(options).ToString(), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    ServerOptions Issue(DateTimeOffset? at = null)
    {
        var made = Path.Combine(directory, "made");
        if (Directory.Exists(made))
        {
            Directory.Delete(made, recursive: true);
        }

        var (certificate, key) = DevelopmentCertificate.InDirectory(made, at ?? time.GetUtcNow());
        var options = new ServerOptions { Certificate = Path.Combine(directory, "tls.crt"), CertificateKey = Path.Combine(directory, "tls.key") };
        File.Copy(certificate, options.Certificate, overwrite: true);
        File.Copy(key, options.CertificateKey, overwrite: true);
        return options;
    }

    void Break(ServerOptions options, string fault)
    {
        switch (fault)
        {
            case "truncated": File.WriteAllText(options.Certificate, File.ReadAllText(options.Certificate)[..100]); break;
            case "empty": File.WriteAllText(options.Certificate, ""); break;
            case "missing": File.Delete(options.CertificateKey); break;
            case "wrong key":
                var certificate = File.ReadAllText(options.Certificate);
                Issue();
                File.WriteAllText(options.Certificate, certificate);
                break;
            case "for another name":
                options.CertificateNames = ["admission-las.admission-las.svc"];
                Issue();
                break;
            case "expired": Issue(time.GetUtcNow() - TimeSpan.FromDays(31)); break;
            default: Issue(time.GetUtcNow() + TimeSpan.FromDays(1)); break;
        }
    }

    ServingCertificate Load(ServerOptions options) => ServingCertificate.FromFiles(CertificateFiles.Read(options), options.CertificateNames, time.GetUtcNow());

    async Task<ServingCertificateReload> FollowAsync(ServingTls tls, ServerOptions options)
    {
        var reload = new ServingCertificateReload(
            tls, Microsoft.Extensions.Options.Options.Create(options), time, NullLogger<ServingCertificateReload>.Instance);
        await reload.StartAsync(CancellationToken.None);
        return reload;
    }

    async Task LookAgainAsync(int minutes)
    {
        for (var i = 0; i < minutes; i++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(1);
        }

        await Task.Delay(20);
    }

    Task LookAsync(Func<bool> condition) => Eventually.IsTrueAsync("the new certificate is in force", () =>
    {
        time.Advance(TimeSpan.FromSeconds(10));
        return Task.FromResult(condition());
    });
}
