using Microsoft.Extensions.Primitives;
using Serilog.Core;
using Serilog.Events;

namespace AdmissionLas.Observers;

/// <summary>
/// Which log lines are written, by <c>logging.level</c>. It is followed: an admin who looks for a fault wants more lines from this process, not from
/// one that has just started.
/// </summary>
sealed partial class LogLevels : IDisposable
{
    internal const string Key = "logging:level";

    readonly IConfiguration configuration;
    readonly LogEventLevel standard;
    IDisposable? subscription;

    /// <param name="configuration">What is configured.</param>
    /// <param name="standard">The level where nothing is.</param>
    internal LogLevels(IConfiguration configuration, LogEventLevel standard)
    {
        (this.configuration, this.standard) = (configuration, standard);
        Apply(TryRead(out var level) ? level : standard);
    }

    /// <summary>For our own lines.</summary>
    internal LoggingLevelSwitch Own { get; } = new();

    /// <summary>For the framework's, which say nothing of use below Warning.</summary>
    internal LoggingLevelSwitch Framework { get; } = new();

    /// <summary>From now on does as the configuration says whenever that changes.</summary>
    internal void Follow(ILogger<LogLevels> log)
    {
        Reload(log);
        subscription = ChangeToken.OnChange(configuration.GetReloadToken, Reload, log);
    }

    /// <inheritdoc/>
    public void Dispose() => subscription?.Dispose();

    void Reload(ILogger<LogLevels> log)
    {
        if (!TryRead(out var level))
        {
            Unknown(log, configuration[Key]!, Own.MinimumLevel);
        }
        else if (level != Own.MinimumLevel)
        {
            Apply(level);
            Changed(log, level);
        }
    }

    void Apply(LogEventLevel level)
    {
        Own.MinimumLevel = level;
        Framework.MinimumLevel = level > LogEventLevel.Warning ? level : LogEventLevel.Warning;
    }

    bool TryRead(out LogEventLevel level)
    {
        level = standard;
        return configuration[Key] is not { Length: > 0 } word || (Enum.TryParse(word, ignoreCase: true, out level) && Enum.IsDefined(level));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Log lines are written from level {LogLevel} on")]
    static partial void Changed(ILogger log, LogEventLevel logLevel);

    [LoggerMessage(Level = LogLevel.Warning, Message = "logging.level: \"{Word}\" is not one of Verbose, Debug, Information, Warning, Error, Fatal; it stays {LogLevel}")]
    static partial void Unknown(ILogger log, string word, LogEventLevel logLevel);
}
