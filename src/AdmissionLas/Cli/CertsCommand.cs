using System.CommandLine;
using AdmissionLas.Certificates;
using AdmissionLas.Configuration;

namespace AdmissionLas.Cli;

/// <summary>
/// <c>admission-las certs</c>: makes and rotates the webhook's own certificates, in the cluster's Secrets or in a directory. The cluster's
/// rotation jobs run these commands, and so can an admin.
/// </summary>
static class CertsCommand
{
    static readonly Option<DirectoryInfo?> InDirectory = new("--directory")
    {
        Description = "Keep certificates in this directory (serving/, authority/, trust/) instead of Secrets; "
            + "with --kubeconfig, that cluster's registration trusts them",
    };

    static readonly Option<FileInfo?> Policy = new("--policy")
    {
        Description = "YAML file with subject, names and lifetimes [default: the built-in copy of certs/policy.yaml]",
    };

    static readonly Option<bool> DryRun = new("--dry-run") { Description = "Show what would be done; change nothing" };

    static readonly Option<double> TrustDelay = new("--trust-delay")
    {
        Description = "Seconds to wait until every API server uses a changed bundle",
        DefaultValueFactory = _ => RotationTimings.Default.TrustDelay.TotalSeconds,
        CustomParser = OptionParsers.Seconds,
    };

    static readonly Option<double> Patience = new("--patience")
    {
        Description = "Seconds to wait until every replica serves a new certificate",
        DefaultValueFactory = _ => RotationTimings.Default.ReplicaPatience.TotalSeconds,
        CustomParser = OptionParsers.Seconds,
    };

    static readonly Option<string?> Force = new("--force")
    {
        Description = "Renew before it is due: the serving certificate, or the authority and with it the serving certificate",
    };

    static readonly Option<bool> Unseen = new("--unseen") { Description = "Even though not every replica was seen serving a certificate of the new authority" };

    internal static Command Create()
    {
        Force.AcceptOnlyFromAmong("serving", "authority");
        return new Command("certs", "Make, renew and show the webhook's own certificates.")
        {
            Rotating("init", "Make what is missing and repair what is broken. Renews nothing that works.", _ => RotationGoal.Complete),
            Rotating(
                "rotate",
                "Renew what is past two thirds of its life, and finish an interrupted rotation. Safe to run and to stop at any time.",
                arguments => arguments.GetValue(Force) switch
                {
                    "serving" => RotationGoal.RenewServing,
                    "authority" => RotationGoal.RenewAuthority,
                    _ => RotationGoal.Renew,
                },
                Force),
            Status(),
            Rotating(
                "revoke-old",
                "Stop trusting the old authority. `rotate` does so itself once it sees every replica serve a certificate of the new one.",
                arguments => arguments.GetValue(Unseen) ? RotationGoal.RevokeUnseen : RotationGoal.Revoke,
                Unseen),
        };
    }

    static Command Rotating(string name, string description, Func<ParseResult, RotationGoal> goal, params Option[] own) =>
        new Command(name, description) { InDirectory, Policy, DryRun, TrustDelay, Patience }.With(own).WithRegistration()
            .Runs((arguments, stop) => OnStoresAsync(
                arguments, (store, bundles) => RotateAsync(store, bundles, goal(arguments), arguments, stop)));

    static Command Status() => new Command(
        "status", $"Show the certificates, their issuers and expiry, and what the API server trusts. Exit code {ExitCodes.NeedsAttention} when the admin must act.")
    {
        InDirectory,
    }.WithRegistration().Runs((arguments, stop) => OnStoresAsync(arguments, async (store, bundles) =>
    {
        var report = await CertificateReport.OfAsync(store, bundles, DateTimeOffset.UtcNow, stop).ConfigureAwait(false);
        var isWell = report.Problems.Count == 0;
        string[] lines = [.. report.Lines, isWell ? "all is well" : "", .. report.Problems.Select(p => $"problem    {p}")];
        foreach (var line in lines)
        {
            Console.Out.WriteLine(line);
        }

        return isWell ? ExitCodes.Ok : ExitCodes.NeedsAttention;
    }));

    static async Task<int> RotateAsync(ICertificateStore store, ICaBundleStore bundles, RotationGoal goal, ParseResult arguments, CancellationToken stop)
    {
        var timings = RotationTimings.Default with
        {
            TrustDelay = TimeSpan.FromSeconds(arguments.GetValue(TrustDelay)),
            ReplicaPatience = TimeSpan.FromSeconds(arguments.GetValue(Patience)),
        };
        var rotation = new Rotation(store, bundles, ReadPolicy(arguments.GetValue(Policy)?.FullName), timings, TimeProvider.System, Console.Out.WriteLine);
        try
        {
            var outcome = await (arguments.GetValue(DryRun) ? rotation.DryRunAsync(goal, stop) : rotation.RunAsync(goal, stop)).ConfigureAwait(false);
            return outcome == RotationOutcome.Done ? ExitCodes.Ok : ExitCodes.NeedsAttention;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCodes.FailTo(Console.Error, "stopped; everything still works, and `certs rotate` continues from here");
        }
    }

    /// <summary>Runs an action on the stores that the command line names.</summary>
    static async Task<int> OnStoresAsync(ParseResult arguments, Func<ICertificateStore, ICaBundleStore, Task<int>> action)
    {
        var directory = arguments.GetValue(InDirectory) is { } given ? new DirectoryCertificateStore(given.FullName) : null;
        if (directory is not null && !ClusterOptions.IsGiven(arguments.CommandResult))
        {
            return await action(directory, directory).ConfigureAwait(false);
        }

        using var api = ClusterOptions.Connect(arguments);
        ICertificateStore store = directory is not null
            ? directory
            : new SecretCertificateStore(api, ClusterOptions.NamespaceOf(arguments), TimeProvider.System);
        return await action(store, new WebhookCaBundleStore(api, ClusterOptions.NameOf(arguments))).ConfigureAwait(false);
    }

    static CertificatePolicy ReadPolicy(string? file)
    {
        using var builtIn = EmbeddedFiles.Open("certs/policy.yaml");
        var builder = new ConfigurationBuilder();
        _ = file is null ? builder.AddYamlStream(builtIn.BaseStream) : ConfigurationFile.Add(builder, file);
        using var configuration = (ConfigurationRoot)builder.Build();
        try
        {
            return (configuration.GetSection(CertificateOptions.Section).Get<CertificateOptions>() ?? new CertificateOptions()).ToPolicy();
        }
        // The binder throws this for a value of the wrong type.
        catch (InvalidOperationException fault) when (fault.InnerException is FormatException or ArgumentException or OverflowException)
        {
            throw OptionsRules.Refused(fault.Message);
        }
    }
}
