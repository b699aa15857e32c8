using AdmissionLas.Configuration;
using Microsoft.Extensions.Options;

namespace AdmissionLas.Server;

/// <summary>
/// Puts a renewed certificate in force without a restart. It reads the contents again and again: a Secret volume swaps a symlink two levels
/// up, where file events get lost, and the two files of a rotation do not change at the same moment. What cannot be used is told once, and
/// the last good certificate stays in force.
/// </summary>
sealed partial class ServingCertificateReload(
    ServingTls tls, IOptions<ServerOptions> options, TimeProvider time, ILogger<ServingCertificateReload> log) : BackgroundService
{
    static readonly TimeSpan WarnEvery = TimeSpan.FromHours(1);

    DateTimeOffset? warnedAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.CertificateReloadSeconds), time);
        string? told = null;
        WarnOfExpiry();
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            var files = Read(out var fault);
            if (files is not null && files != tls.Current.Files)
            {
                Apply(files, out fault);
            }

            // The same fault is found at every look; it is news once.
            if (fault is not null && fault != told)
            {
                Kept(fault, tls.Current.SerialNumber, tls.Current.NotAfter);
            }

            told = fault;
            WarnOfExpiry();
        }
    }

    // Whoever renews should have done it by now. Once an hour is enough to be seen, and fills no disk.
    void WarnOfExpiry()
    {
        var (current, now) = (tls.Current, time.GetUtcNow());
        if (now < current.RenewalDueAt || (warnedAt is { } last && now - last < WarnEvery))
        {
            return;
        }

        warnedAt = now;
        if (now > current.NotAfter)
        {
            Expired(current.Subject, current.SerialNumber, current.NotAfter);
        }
        else
        {
            RenewalOverdue(current.Subject, current.SerialNumber, current.NotAfter, current.RenewalDueAt);
        }
    }

    void Apply(CertificateFiles files, out string? fault)
    {
        try
        {
            tls.Current = ServingCertificate.FromFiles(files, options.Value.CertificateNames, time.GetUtcNow());
            Reloaded(tls.Current.Subject, tls.Current.SerialNumber, tls.Current.NotAfter);
            fault = null;
        }
        catch (InvalidDataException unusable)
        {
            fault = unusable.Message;
        }
    }

    CertificateFiles? Read(out string? fault)
    {
        try
        {
            fault = null;
            return CertificateFiles.Read(options.Value);
        }
        catch (InvalidDataException unreadable)
        {
            fault = unreadable.Message;
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Serving certificate reloaded: {Subject}, serial {SerialNumber}, valid until {NotAfter:u}")]
    partial void Reloaded(string subject, string serialNumber, DateTime notAfter);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The serving certificate {Subject}, serial {SerialNumber}, expires at {NotAfter:u} and should have been renewed since {RenewalDueAt:u}: see why the CronJob admission-las-certs-rotate does not, or run admission-las certs rotate")]
    partial void RenewalOverdue(string subject, string serialNumber, DateTime notAfter, DateTimeOffset renewalDueAt);

    [LoggerMessage(Level = LogLevel.Error, Message = "The serving certificate {Subject}, serial {SerialNumber}, expired at {NotAfter:u}: the API server calls nobody and pods go in without a place. Run admission-las certs rotate")]
    partial void Expired(string subject, string serialNumber, DateTime notAfter);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}; still serving the certificate with serial {SerialNumber}, valid until {NotAfter:u}")]
    partial void Kept(string reason, string serialNumber, DateTime notAfter);
}
