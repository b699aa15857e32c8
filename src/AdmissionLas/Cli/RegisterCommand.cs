using System.CommandLine;
using AdmissionLas.Configuration;
using AdmissionLas.Registration;
using AdmissionLas.Server;
using k8s.Models;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las register</c>: registers the webhook with the API server.</summary>
static class RegisterCommand
{
    static readonly Option<string?> Url = new("--url") { Description = $"A webhook outside the cluster, as https://host:port{MutateEndpoint.Path}" };

    static readonly Option<string?> Service = new("--service")
    {
        Description = $"The webhook's Service in --namespace [default: {ObjectNames.Webhook}]",
    };

    static readonly Option<int?> Port = new("--port") { Description = "The Service's port [default: 443]", CustomParser = OptionParsers.Port };
    static readonly Option<FileInfo?> CaBundle = new("--ca-bundle")
    {
        Description = "PEM file with the authority that signed the webhook's certificate. "
            + "Without it the registered bundle stays: `admission-las certs` keeps it up to date",
        HelpName = "file",
    };

    static readonly Option<bool> PublicRoot = new("--public-root")
    {
        Description = "With --url, instead of --ca-bundle: the certificate chains to a public root that the API server trusts",
    };

    static readonly Option<bool> EveryPod = new("--every-pod")
    {
        Description = "Send every pod of the namespaces that opt in to the webhook, for steps that rules tell instead of labels",
    };

    static readonly Option<string> ComponentLabel = new("--component-label")
    {
        Description = "The label with a step's type: steps.componentLabel of the configuration",
        DefaultValueFactory = _ => StepOptions.DefaultComponentLabel,
    };

    static readonly Option<bool> DryRun = new("--dry-run")
    {
        Description = "Print the registration as YAML, and check it with the API server if that can be reached; change nothing",
    };

    internal static Command Create()
    {
        var command = new Command(
            "register", "Register the webhook with the API server, or change its registration. Only pods of namespaces that opt in go to it.")
        {
            Url, Service, Port, CaBundle, PublicRoot, EveryPod, ComponentLabel, DryRun,
        }.WithRegistration();
        command.Validators.Add(result =>
        {
            var isUrl = result.GetValue(Url) is not null;
            if (isUrl && (result.GetValue(Service) is not null || result.GetValue(Port) is not null))
            {
                result.AddError("--url excludes --service and --port; give one or the other");
            }

            if (isUrl && result.GetValue(CaBundle) is null == !result.GetValue(PublicRoot))
            {
                result.AddError("--url needs either --ca-bundle <file>, the authority that signed the webhook's certificate, "
                    + "or --public-root, if a public root that the API server trusts signed it");
            }

            if (!isUrl && result.GetValue(PublicRoot))
            {
                result.AddError("--public-root needs --url: no public authority signs the name of a Service");
            }
        });
        return command.Runs((arguments, stop) =>
            arguments.GetValue(DryRun) ? TryAsync(arguments, Choices(arguments), stop) : ApplyAsync(arguments, Choices(arguments), stop));
    }

    static async Task<int> ApplyAsync(ParseResult arguments, RegistrationChoices choices, CancellationToken stop)
    {
        var output = arguments.InvocationConfiguration.Output;
        using var api = ClusterOptions.Connect(arguments);
        var registrar = new Registrar(api, choices.Name);
        // Before anything is tried: this refuses a registration that is not ours.
        await registrar.ReadOursAsync(stop).ConfigureAwait(false);
        choices = await FitAsync(registrar, choices, stop).ConfigureAwait(false);
        var (registered, isChanged) = await registrar.ApplyAsync(choices, isDryRun: false, stop).ConfigureAwait(false);
        output.WriteLine($"{(isChanged ? "registered" : "registered already, nothing changed:")} {choices.Name}: {WhichPods(choices)}, "
            + $"in namespaces with {RegistrationKeys.OptIn}={RegistrationKeys.OptedIn}, go to {choices.Address}");
        WriteNextSteps(arguments, registered, choices, output);
        return ExitCodes.Ok;
    }

    /// <summary>Prints only the YAML to the standard output, so that it can be piped.</summary>
    static async Task<int> TryAsync(ParseResult arguments, RegistrationChoices choices, CancellationToken stop)
    {
        var (output, errors) = (arguments.InvocationConfiguration.Output, arguments.InvocationConfiguration.Error);
        using var api = TryConnect(arguments, out var notChecked);
        V1MutatingWebhookConfiguration? before = null;
        if (api is not null)
        {
            try
            {
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

        YamlJson.Write(Registrar.Wanted(choices, before), output);
        errors.WriteLine(notChecked is null
            ? "admission-las: the API server accepts this; nothing was changed"
            : $"admission-las: this was not checked, and is for an API server without matchConditions: {notChecked}");
        return ExitCodes.Ok;
    }

    static KubeApi? TryConnect(ParseResult arguments, out string? fault)
    {
        try
        {
            fault = null;
            return ClusterOptions.Connect(arguments);
        }
        catch (InvalidDataException unusable)
        {
            fault = unusable.Message;
            return null;
        }
    }

    static async Task<RegistrationChoices> FitAsync(Registrar registrar, RegistrationChoices choices, CancellationToken stop) =>
        choices with { HasMatchConditions = !choices.IsEveryPod && await registrar.KnowsMatchConditionsAsync(choices, stop).ConfigureAwait(false) };

    static void WriteNextSteps(ParseResult arguments, V1MutatingWebhookConfiguration registered, RegistrationChoices choices, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("Next:");
        if (choices.Address is WebhookAddress.Service && registered.Webhooks.Any(w => w.ClientConfig.CaBundle is not { Length: > 0 }))
        {
            output.WriteLine("  admission-las certs init          # there is no CA bundle yet, so the API server cannot trust the webhook and pods are not placed");
        }

        var name = choices.Name == ObjectNames.Registration ? "" : $" --name {choices.Name}";
        var ns = ClusterOptions.NamespaceOf(arguments) == ObjectNames.Webhook ? "" : $" --namespace {ClusterOptions.NamespaceOf(arguments)}";
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
            ComponentLabel = IsLabelKey(label) ? label : throw new InvalidDataException($"--component-label: \"{label}\" is not a valid label key"),
        };
    }

    static WebhookAddress.Service ServiceIn(string ns, ParseResult arguments)
    {
        var port = arguments.GetValue(Port) ?? 443;
        return port > 0
            ? new WebhookAddress.Service(ns, arguments.GetValue(Service) ?? ObjectNames.Webhook, port)
            : throw new InvalidDataException("--port: 0 is not a port of a Service (1 to 65535)");
    }

    // As the API server requires.
    static Uri WebhookUrl(string text) =>
        !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttps
            ? throw new InvalidDataException($"--url: \"{text}\" is not an https:// address; the API server calls only those")
        : url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0
            ? throw new InvalidDataException($"--url: \"{text}\" has a user, a query or a fragment; the API server accepts none of them")
        : url.AbsolutePath == "/" ? throw new InvalidDataException($"--url: \"{text}\" has no path; the webhook answers at {new Uri(url, MutateEndpoint.Path)}")
        : url;

    static bool IsLabelKey(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return LabelSyntax.IsName(key.AsSpan(slash + 1)) && (slash < 0 || NameSyntax.IsSubdomain(key.AsSpan(0, slash)));
    }
}
