using System.Net;

namespace AdmissionLas.Configuration;

/// <summary>Checks options by the attributes of their properties; the checks are generated.</summary>
[OptionsValidator]
sealed partial class OptionsRules :
    IValidateOptions<ServerOptions>, IValidateOptions<PlacementOptions>, IValidateOptions<UsageOptions>, IValidateOptions<TrainingOptions>,
    IValidateOptions<StepOptions>, IValidateOptions<CertificateOptions>, IValidateOptions<PageOptions>
{
    /// <summary>The options of a section that was bound; their defaults when there is no such section.</summary>
    /// <exception cref="OptionsValidationException">They have faults.</exception>
    internal static T Checked<T>(T? bound) where T : class, new()
    {
        var options = bound ?? new T();
        var result = ((IValidateOptions<T>)(object)new OptionsRules()).Validate(null, options);
        return result.Failed ? throw Refused(result.Failures) : options;
    }

    /// <summary>The exception that ends the start, with a fault on each line.</summary>
    internal static OptionsValidationException Refused(params IEnumerable<string> faults) =>
        new("configuration", typeof(OptionsRules), faults);

    /// <summary>The address that a setting states.</summary>
    /// <exception cref="OptionsValidationException">It is not an IP address.</exception>
    internal static IPAddress ParseAddress(string address, string section, string examples) =>
        IPAddress.TryParse(address, out var parsed) ? parsed
        : throw Refused($"{section}.address: \"{address}\" is no IP address; write for example {examples}");
}
