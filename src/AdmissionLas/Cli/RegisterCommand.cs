using AdmissionLas.Server;
using System.CommandLine;
using System.Text.RegularExpressions;
using AdmissionLas.Kubernetes;
using AdmissionLas.Placement;
using AdmissionLas.Registration;
using AdmissionLas.Webhook;
using k8s;
using k8s.Models;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las register</c>: tells the API server of the webhook.</summary>
static partial class RegisterCommand
{
    const string DefaultService = "admission-las";

    static readonly Option<string?> Url = new("--url") { Description = $"A webhook outside the cluster, as https://host:port{MutateEndpoint.Path}" };
    static readonly Option<string?> Service = new("--service") { Description = $"The webhook's Service in --namespace [default: {DefaultService}]" };
    static readonly Option<int?> Port = new("--port") { Description = "The Service's port [default: 443]", CustomParser = OptionParsers.Port };
    static readonly Option<FileInfo?> CaBundle = new("--ca-bundle")
    {
        Description = "PEM file with the authority that signed the webhook's certificate. Without it the registered one stays: `admission-las certs` sees to that",
        HelpName = "file",
    };

    static readonly Option<bool> PublicRoot = new("--public-root") { Description = "With --url, instead of --ca-bundle: the certificate chains to a public root that the API server trusts" };
    static readonly Option<bool> EveryPod = new("--every-pod") { Description = "Every pod of the namespaces that opt in, for steps that are told by rules instead of labels" };
    static readonly Option<string> ComponentLabel = new("--component-label")
    {
        Description = "The label that tells a step's type: steps.componentLabel of the configuration",
        DefaultValueFactory = _ => RegistrationChoices.DefaultComponentLabel,
    };

    static readonly Option<bool> DryRun = new("--dry-run") { Description = "Print the registration as YAML and have the API server check it, if it can be reached; change nothing" };

    internal static Command Create()
    {
        var command = new Command("register", "Register the webhook with the API server, or change its registration. Only pods of namespaces that opt in ever come to it.")
        {
            Url, Service, Port, CaBundle, PublicRoot, EveryPod, ComponentLabel, DryRun,
        };
        ClusterOptions.AddTo(command);
        command.Validators.Add(result =>
        {
            var isUrl = result.GetValue(Url) is not null;
            if (isUrl && (result.GetValue(Service) is not null || result.GetValue(Port) is not null))
            {
                result.AddError("--url excludes --service and --port");
            }

            if (isUrl && result.GetValue(CaBundle) is null == !result.GetValue(PublicRoot))
            {
                result.AddError("--url needs either --ca-bundle <file>, the authority that signed the webhook's certificate, or --public-root, if that chains to a public root that the API server trusts");
            }

            if (!isUrl && result.GetValue(PublicRoot))
            {
                result.AddError("--public-root goes with --url: no public authority signs the name of a Service");
            }
        });
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        var (output, errors) = (arguments.InvocationConfiguration.Output, arguments.InvocationConfiguration.Error);
        try
        {
            var choices = Choices(arguments);
            return arguments.GetValue(DryRun)
                ? await TryAsync(arguments, choices, stop).ConfigureAwait(false)
                : await ApplyAsync(arguments, choices, output, stop).ConfigureAwait(false);
        }
        catch (InvalidDataException fault)
        {
            return ExitCodes.FailTo(errors, fault.Message);
        }
        catch (Exception fault) when (ApiFault.Is(fault) && !stop.IsCancellationRequested)
        {
            return ExitCodes.FailTo(errors, ApiFault.Message(fault));
        }
    }

    static async Task<int> ApplyAsync(ParseResult arguments, RegistrationChoices choices, TextWriter output, CancellationToken stop)
    {
        using var api = new KubeApi(ClusterOptions.Configuration(arguments), TimeProvider.System);
        var registrar = new Registrar(api, choices.Name);
        // Asked before anything is written: a stranger's registration of this name is nothing to try on.
        await registrar.ReadOursAsync(stop).ConfigureAwait(false);
        choices = await FitAsync(registrar, choices, stop).ConfigureAwait(false);
        var (registered, isChanged) = await registrar.ApplyAsync(choices, isDryRun: false, stop).ConfigureAwait(false);
        output.WriteLine($"{(isChanged ? "registered" : "registered already, nothing changed:")} {choices.Name}: {WhichPods(choices)}, in namespaces with {RegistrationKeys.OptIn}={RegistrationKeys.OptedIn}, go to {choices.Address}");
        TellNext(arguments, registered, choices, output);
        return ExitCodes.Ok;
    }

    /// <summary>What would be applied goes to the output alone, so that it can be piped on.</summary>
    static async Task<int> TryAsync(ParseResult arguments, RegistrationChoices choices, CancellationToken stop)
    {
        var (output, errors) = (arguments.InvocationConfiguration.Output, arguments.InvocationConfiguration.Error);
        var (before, notChecked) = ((V1MutatingWebhookConfiguration?)null, (string?)null);
        if (Configuration(arguments, out var noCluster) is { } configuration)
        {
            try
            {
                using var api = new KubeApi(configuration, TimeProvider.System);
                var registrar = new Registrar(api, choices.Name);
                before = await registrar.ReadOursAsync(stop).ConfigureAwait(false);
                choices = await FitAsync(registrar, choices, stop).ConfigureAwait(false);
                await registrar.ApplyAsync(choices, isDryRun: true, stop).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException or TimeoutException && !stop.IsCancellationRequested)
            {
                notChecked = ApiFault.Message(fault);
            }
        }

        notChecked ??= noCluster;
        YamlJson.Write(Registrar.Wanted(choices, before), output);
        errors.WriteLine(notChecked is null
            ? "admission-las: the API server would take this; nothing was changed"
            : $"admission-las: this was not checked, and is for a server that may not know matchConditions: {notChecked}");
        return ExitCodes.Ok;
    }

    static KubernetesClientConfiguration? Configuration(ParseResult arguments, out string? fault)
    {
        try
        {
            fault = null;
            return ClusterOptions.Configuration(arguments);
        }
        catch (InvalidDataException unusable)
        {
            fault = unusable.Message;
            return null;
        }
    }

    static async Task<RegistrationChoices> FitAsync(Registrar registrar, RegistrationChoices choices, CancellationToken stop) =>
        choices with { HasMatchConditions = !choices.IsEveryPod && await registrar.KnowsMatchConditionsAsync(choices, stop).ConfigureAwait(false) };

    static void TellNext(ParseResult arguments, V1MutatingWebhookConfiguration registered, RegistrationChoices choices, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("Next:");
        if (choices.Address is WebhookAddress.Service && registered.Webhooks.Any(w => w.ClientConfig.CaBundle is not { Length: > 0 }))
        {
            output.WriteLine("  admission-las certs init          # there is no CA bundle yet, so the API server cannot trust the webhook: pods go unplaced");
        }

        var name = choices.Name == RegistrationKeys.AppIsOurs ? "" : $" --name {choices.Name}";
        var ns = ClusterOptions.NamespaceOf(arguments) == RegistrationKeys.AppIsOurs ? "" : $" --namespace {ClusterOptions.NamespaceOf(arguments)}";
        output.WriteLine($"  kubectl label namespace <namespace> {RegistrationKeys.OptIn}={RegistrationKeys.OptedIn}");
        output.WriteLine($"  kubectl label node <node> {LatencyLabels.Prefix}<location>=<milliseconds>");
        output.WriteLine($"  admission-las doctor{ns}{name}");
    }

    static string WhichPods(RegistrationChoices choices) =>
        choices.IsEveryPod ? "all pods"
        : choices.HasMatchConditions ? $"pods with the label {choices.ComponentLabel}, or {StepRules.ComponentKey} as label or annotation"
        : $"pods with the label {choices.ComponentLabel} or {StepRules.ComponentKey}";

    static RegistrationChoices Choices(ParseResult arguments)
    {
        var ns = ClusterOptions.NamespaceOf(arguments);
        var label = arguments.GetValue(ComponentLabel)!;
        return new RegistrationChoices
        {
            Name = ClusterOptions.NameOf(arguments),
            Namespace = ns,
            Address = arguments.GetValue(Url) is { } url ? new WebhookAddress.Url(WebhookUrl(url)) : ServiceIn(ns, arguments),
            CaBundle = arguments.GetValue(CaBundle) is { } file ? CaBundleFile.Read(file.FullName, DateTimeOffset.UtcNow) : arguments.GetValue(PublicRoot) ? [] : null,
            IsEveryPod = arguments.GetValue(EveryPod),
            ComponentLabel = IsLabelKey(label) ? label : throw new InvalidDataException($"--component-label: \"{label}\" is no valid label key"),
        };
    }

    static WebhookAddress.Service ServiceIn(string ns, ParseResult arguments)
    {
        var port = arguments.GetValue(Port) ?? 443;
        return port > 0
            ? new WebhookAddress.Service(ns, arguments.GetValue(Service) ?? DefaultService, port)
            : throw new InvalidDataException("--port: 0 is no port");
    }

    // As the API server will have it.
    static Uri WebhookUrl(string text) =>
        !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttps ? throw new InvalidDataException($"--url: \"{text}\" is no https:// address, and the API server calls no other")
        : url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0 ? throw new InvalidDataException($"--url: \"{text}\" has a user, a query or a fragment, and the API server takes none")
        : url.AbsolutePath == "/" ? throw new InvalidDataException($"--url: \"{text}\" has no path; the webhook answers at {new Uri(url, MutateEndpoint.Path)}")
        : url;

    static bool IsLabelKey(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return LabelSyntax.IsName(key.AsSpan(slash + 1)) && (slash < 0 || (slash is > 0 and <= 253 && Subdomain().IsMatch(key.AsSpan(0, slash))));
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Subdomain();
}
