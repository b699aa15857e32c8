using Microsoft.Extensions.FileProviders;
using YamlDotNet.Core;

namespace AdmissionLas.Configuration;

/// <summary>The YAML configuration file, reloaded when it changes.</summary>
static class ConfigurationFile
{
    /// <summary>The ConfigMap that is mounted into the webhook, in the namespace that AdmissionLas is installed in.</summary>
    internal const string ConfigMapName = ObjectNames.Webhook;

    /// <summary>The file in it.</summary>
    internal const string ConfigMapKey = "admission-las.yaml";

    /// <summary>Adds the file.</summary>
    /// <exception cref="InvalidDataException">It is missing, or it is not YAML; the message names it.</exception>
    internal static IConfigurationBuilder Add(IConfigurationBuilder configuration, string file)
    {
        if (!File.Exists(file))
        {
            throw new InvalidDataException($"the configuration file {file} does not exist");
        }

        // Polling: a ConfigMap volume swaps a symlink two levels up, and file events miss that.
        var directory = new PhysicalFileProvider(Path.GetDirectoryName(Path.GetFullPath(file))!) { UsePollingFileWatcher = true, UseActivePolling = true };
        try
        {
            return configuration.AddYamlFile(directory, Path.GetFileName(file), optional: false, reloadOnChange: true);
        }
        catch (Exception fault) when (fault is FormatException or InvalidDataException or YamlException)
        {
            throw new InvalidDataException($"the configuration file {file} cannot be used: {fault.InnerException?.Message ?? fault.Message}", fault);
        }
    }
}
