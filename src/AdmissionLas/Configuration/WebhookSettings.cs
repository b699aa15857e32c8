using YamlDotNet.Core;

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
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return Compile(new ConfigurationBuilder().AddYamlStream(stream));
    }

    static CompiledSettings Compile(IConfigurationBuilder builder)
    {
        try
        {
            using var configuration = (ConfigurationRoot)builder.Build();
            return SettingsCompiler.Compile(configuration);
        }
        catch (Exception fault) when (fault is FormatException or YamlException)
        {
            throw new InvalidDataException($"the webhook's configuration cannot be used: {fault.InnerException?.Message ?? fault.Message}", fault);
        }
    }
}
