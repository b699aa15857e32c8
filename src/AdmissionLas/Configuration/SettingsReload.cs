using Microsoft.Extensions.Primitives;

namespace AdmissionLas.Configuration;

/// <summary>
/// Compiles the settings at start and after every change of the configuration. Faults stop the start; later, the last good settings stay in
/// force.
/// </summary>
sealed partial class SettingsReload : IDisposable
{
    readonly IConfiguration configuration;
    readonly Settings settings;
    readonly ILogger<SettingsReload> log;
    readonly IDisposable subscription;

    public SettingsReload(IConfiguration configuration, Settings settings, ILogger<SettingsReload> log)
    {
        (this.configuration, this.settings, this.log) = (configuration, settings, log);
        // In the constructor, so that faults are reported before a port is opened.
        settings.Current = SettingsCompiler.Compile(configuration);
        subscription = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>Whether the settings in force are those of the configuration; <see langword="false"/> after a refused change.</summary>
    internal bool IsCurrent { get; private set; } = true;

    /// <inheritdoc/>
    public void Dispose() => subscription.Dispose();

    void Reload()
    {
        try
        {
            settings.Current = SettingsCompiler.Compile(configuration);
            IsCurrent = true;
            Reloaded();
        }
        catch (OptionsValidationException fault)
        {
            IsCurrent = false;
            Refused(string.Join("; ", fault.Failures));
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Configuration reloaded")]
    partial void Reloaded();

    [LoggerMessage(Level = LogLevel.Error, Message = "Configuration change refused, the last good one stays in force: {Faults}")]
    partial void Refused(string faults);
}
