using AdmissionLas.Configuration;

namespace AdmissionLas.Server;

/// <summary>
/// Loads a renewed certificate without a restart. It polls the contents: a Secret volume swaps a symlink two levels up, which file events miss, and
/// the two files of a rotation change at different moments. It logs a fault once and keeps the last good certificate.
/// </summary>
sealed partial class ServingCertificateReload(
    ServingTls tls, IOptions<ServerOptions> options, TimeProvider time, ILogger<ServingCertificateReload> log) : BackgroundService
{
    static readonly TimeSpan WarnEvery = TimeSpan.FromHours(1);

    DateTimeOffset? warnedAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.CertificateReloadSeconds), time);
        string? logged = null;
        WarnOfExpiry();
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            var fault = Reload();
            // Each poll finds the same fault; it is logged once.
            if (fault is not null && fault != logged)
            {
                Kept(fault, tls.Current.SerialNumber, tls.Current.Facts.NotAfter.UtcDateTime);
            }

            logged = fault;
            WarnOfExpiry();
        }
    }

    // The certificate should have been renewed by now. One line an hour is visible and fills no disk.
    void WarnOfExpiry()
    {
        var (facts, serial, now) = (tls.Current.Facts, tls.Current.SerialNumber, time.GetUtcNow());
        if (now < facts.RenewalDueAt || (warnedAt is { } last && now - last < WarnEvery))
        {
            return;
        }

        warnedAt = now;
        if (now > facts.NotAfter)
        {
            Expired(facts.Subject, serial, facts.NotAfter.UtcDateTime);
        }
        else
        {
            RenewalOverdue(facts.Subject, serial, facts.NotAfter.UtcDateTime, facts.RenewalDueAt);
        }
    }

    // Returns the fault, if there is one.
    string? Reload()
    {
        try
        {
            var files = CertificateFiles.Read(options.Value);
            if (files != tls.Current.Files)
            {
                tls.Current = ServingCertificate.FromFiles(files, options.Value.CertificateNames, time.GetUtcNow());
                Reloaded(tls.Current.Facts.Subject, tls.Current.SerialNumber, tls.Current.Facts.NotAfter.UtcDateTime);
            }

            return null;
        }
        catch (InvalidDataException unusable)
        {
            return unusable.Message;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Serving certificate reloaded: {Subject}, serial {SerialNumber}, valid until {NotAfter:u}")]
    partial void Reloaded(string subject, string serialNumber, DateTime notAfter);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The serving certificate {Subject}, serial {SerialNumber}, expires at {NotAfter:u} and should have been renewed since {RenewalDueAt:u}: see why the CronJob admission-las-certs-rotate does not, or run admission-las certs rotate")]
    partial void RenewalOverdue(string subject, string serialNumber, DateTime notAfter, DateTimeOffset renewalDueAt);

    [LoggerMessage(Level = LogLevel.Error, Message = "The serving certificate {Subject}, serial {SerialNumber}, expired at {NotAfter:u}: the API server cannot call the webhook, and pods are created without placement. Run admission-las certs rotate")]
    partial void Expired(string subject, string serialNumber, DateTime notAfter);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}; still serving the certificate with serial {SerialNumber}, valid until {NotAfter:u}")]
    partial void Kept(string reason, string serialNumber, DateTime notAfter);
}
