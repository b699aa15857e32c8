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
