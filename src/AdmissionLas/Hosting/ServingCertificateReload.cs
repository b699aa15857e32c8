using AdmissionLas.Options;
using Microsoft.Extensions.Options;

namespace AdmissionLas.Hosting;

/// <summary>
/// Puts a renewed certificate in force without a restart. It reads the contents again and again: a Secret volume swaps a symlink two levels
/// up, where file events get lost, and the two files of a rotation do not change at the same moment. What cannot be used is told once, and
/// the last good certificate stays in force.
/// </summary>
sealed partial class ServingCertificateReload(
    ServingTls tls, IOptions<ServerOptions> options, TimeProvider time, ILogger<ServingCertificateReload> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.CertificateReloadSeconds), time);
        string? told = null;
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
        }
    }

    void Apply(CertificateFiles files, out string? fault)
    {
        try
        {
            tls.Current = ServingCertificate.FromFiles(files, time.GetUtcNow());
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

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}; still serving the certificate with serial {SerialNumber}, valid until {NotAfter:u}")]
    partial void Kept(string reason, string serialNumber, DateTime notAfter);
}
