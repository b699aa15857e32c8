using Microsoft.Extensions.Options;

namespace AdmissionLas.Configuration;

/// <summary>The webhook's settings from a file, or from the ConfigMap that is mounted into the webhook.</summary>
static class WebhookSettings
{
    /// <summary>The ConfigMap, in the namespace that AdmissionLas is installed in.</summary>
    internal const string ConfigMapName = ObjectNames.Webhook;

    /// <summary>The file in it.</summary>
    internal const string ConfigMapKey = "admission-las.yaml";

    /// <summary>Reads and compiles a configuration file.</summary>
    /// <exception cref="InvalidDataException">It is missing, or it is not YAML.</exception>
    /// <exception cref="OptionsValidationException">It has faults.</exception>
    internal static CompiledSettings FromFile(string file)
    {
        var builder = new ConfigurationBuilder();
        ConfigurationFile.Add(builder, file);
        return Compile(builder);
    }

    /// <summary>Compiles a configuration's text.</summary>
    /// <exception cref="InvalidDataException">It is not YAML.</exception>
    /// <exception cref="OptionsValidationException">It has faults.</exception>
    internal static CompiledSettings FromText(string text)
    {
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
        return Compile(new ConfigurationBuilder().AddYamlStream(stream));
    }

    static CompiledSettings Compile(IConfigurationBuilder builder)
    {
        IConfigurationRoot configuration;
        try
        {
            configuration = builder.Build();
        }
        catch (Exception fault) when (fault is FormatException or YamlDotNet.Core.YamlException)
        {
            throw new InvalidDataException($"the webhook's configuration cannot be used: {fault.InnerException?.Message ?? fault.Message}", fault);
        }

        using var root = configuration as IDisposable;
        try
        {
            var placement = configuration.GetSection(PlacementOptions.Section).Get<PlacementOptions>() ?? new PlacementOptions();
            var training = configuration.GetSection(TrainingOptions.Section).Get<TrainingOptions>() ?? new TrainingOptions();
            var steps = configuration.GetSection(StepOptions.Section).Get<StepOptions>() ?? new StepOptions();
            new PlacementOptionsValidator().Validate(null, placement).ThrowIfFailed("configuration");
            new TrainingOptionsValidator().Validate(null, training).ThrowIfFailed("configuration");
            new StepOptionsValidator().Validate(null, steps).ThrowIfFailed("configuration");
            return SettingsCompiler.Compile(placement, training, steps, out var faults) ?? throw new OptionsValidationException("configuration", typeof(SettingsCompiler), faults);
        }
        // The binder throws this for a value of the wrong type.
        catch (InvalidOperationException fault)
        {
            throw new OptionsValidationException("configuration", typeof(SettingsCompiler), [fault.Message]);
        }
    }
}
