using Microsoft.Extensions.Options;

namespace AdmissionLas.Configuration;

/// <summary>
/// Compiles the options at start and after every change of the configuration. Faults stop the start; later, the last good settings stay in
/// force.
/// </summary>
sealed partial class SettingsReload : IHostedService, IDisposable
{
    readonly IOptionsMonitor<PlacementOptions> placement;
    readonly IOptionsMonitor<TrainingOptions> training;
    readonly IOptionsMonitor<StepOptions> steps;
    readonly Settings settings;
    readonly ILogger<SettingsReload> log;
    readonly List<IDisposable?> subscriptions = [];

    public SettingsReload(
        IOptionsMonitor<PlacementOptions> placement, IOptionsMonitor<TrainingOptions> training, IOptionsMonitor<StepOptions> steps,
        Settings settings, ILogger<SettingsReload> log)
    {
        (this.placement, this.training, this.steps, this.settings, this.log) = (placement, training, steps, settings, log);
        // In the constructor, so that faults are reported before a port is opened.
        settings.Current = Compile(out var faults) ?? throw new OptionsValidationException("configuration", typeof(SettingsCompiler), faults);
    }

    /// <summary>Whether the settings in force are those of the configuration; <see langword="false"/> after a refused change.</summary>
    internal bool IsCurrent { get; private set; } = true;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        subscriptions.Add(placement.OnChange((_, _) => Reload()));
        subscriptions.Add(training.OnChange((_, _) => Reload()));
        subscriptions.Add(steps.OnChange((_, _) => Reload()));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => subscriptions.ForEach(s => s?.Dispose());

    CompiledSettings? Compile(out IReadOnlyList<string> faults)
    {
        try
        {
            return SettingsCompiler.Compile(placement.CurrentValue, training.CurrentValue, steps.CurrentValue, out faults);
        }
        catch (OptionsValidationException invalid)
        {
            faults = [.. invalid.Failures];
            return null;
        }
        // The binder throws this for a value of the wrong type, such as text where a number belongs.
        catch (InvalidOperationException unbindable)
        {
            faults = [unbindable.Message];
            return null;
        }
    }

    void Reload()
    {
        if (Compile(out var faults) is { } compiled)
        {
            settings.Current = compiled;
            IsCurrent = true;
            Reloaded();
        }
        else
        {
            IsCurrent = false;
            Refused(string.Join("; ", faults));
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Configuration reloaded")]
    partial void Reloaded();

    [LoggerMessage(Level = LogLevel.Error, Message = "Configuration change refused, the last good one stays in force: {Faults}")]
    partial void Refused(string faults);
}
