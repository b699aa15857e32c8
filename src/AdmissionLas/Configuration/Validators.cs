using System.Net;
using Microsoft.Extensions.Options;

namespace AdmissionLas.Configuration;

[OptionsValidator]
sealed partial class ServerOptionsValidator : IValidateOptions<ServerOptions>;

[OptionsValidator]
sealed partial class PlacementOptionsValidator : IValidateOptions<PlacementOptions>;

[OptionsValidator]
sealed partial class UsageOptionsValidator : IValidateOptions<UsageOptions>;

[OptionsValidator]
sealed partial class TrainingOptionsValidator : IValidateOptions<TrainingOptions>;

[OptionsValidator]
sealed partial class StepOptionsValidator : IValidateOptions<StepOptions>;

[OptionsValidator]
sealed partial class CertificateOptionsValidator : IValidateOptions<CertificateOptions>;

[OptionsValidator]
sealed partial class PageOptionsValidator : IValidateOptions<PageOptions>;

/// <summary>Turns faults in options into the exception that ends the start.</summary>
static class OptionsFaults
{
    /// <exception cref="OptionsValidationException">The options have faults.</exception>
    internal static void ThrowIfFailed(this ValidateOptionsResult result, string section)
    {
        if (result.Failed)
        {
            throw new OptionsValidationException(section, typeof(OptionsFaults), result.Failures);
        }
    }

    /// <summary>The address that a setting states.</summary>
    /// <exception cref="OptionsValidationException">It is not an IP address.</exception>
    internal static IPAddress ParseAddress(string address, string section, string examples) =>
        IPAddress.TryParse(address, out var parsed) ? parsed : throw new OptionsValidationException(
            section, typeof(OptionsFaults), [$"{section}.address: \"{address}\" is no IP address; write for example {examples}"]);
}
