using System.CommandLine;
using System.CommandLine.Parsing;
using AdmissionLas.Configuration;
using AdmissionLas.Server;
using AdmissionLas.Snapshots;
using k8s;

namespace AdmissionLas.Cli;

/// <summary>The options that name a cluster, or a snapshot or the thesis testbed in its place, and the connection they make.</summary>
static class ClusterOptions
{
    static readonly Option<FileInfo?> Kubeconfig = new("--kubeconfig")
    {
        Description = "The cluster's kubeconfig [default: the cluster this runs in, else the first existing file of $KUBECONFIG, else ~/.kube/config]",
        HelpName = "file",
    };

    static readonly Option<string?> Context = new("--context") { Description = "The kubeconfig's context [default: its current one]" };

    static readonly Option<string> Namespace = new("--namespace")
    {
        Description = "The namespace that AdmissionLas is installed in",
        DefaultValueFactory = _ => ObjectNames.Webhook,
    };

    static readonly Option<string> Name = new("--name")
    {
        Description = "The MutatingWebhookConfiguration's name",
        DefaultValueFactory = _ => ObjectNames.Registration,
    };

    static readonly Option<FileInfo?> Snapshot = new("--snapshot")
    {
        Description = "Use a saved snapshot instead of a cluster: the output of admission-las snapshot, or of kubectl get nodes,pods -A -o yaml",
        HelpName = "file",
    };

    static readonly Option<bool> Demo = new("--demo")
    {
        Description = "Use the three empty nodes of the thesis testbed, which are built in",
        Arity = ArgumentArity.Zero,
    };

    static readonly Option<FileInfo?> Config = new("--config") { Description = "The webhook's configuration [default: the cluster's or the snapshot's, else the defaults]", HelpName = "file" };

    /// <summary>How long to wait for the API server.</summary>
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Adds the options of a command that talks to a cluster.</summary>
    internal static Command WithCluster(this Command command) => command.With(Kubeconfig, Context, Namespace);

    /// <summary>The same, for a command that uses the registration.</summary>
    internal static Command WithRegistration(this Command command) => command.WithCluster().With(Name);

    /// <summary>The same, for a command that can do without a cluster.</summary>
    internal static Command WithClusterOrSnapshot(this Command command)
    {
        command.WithCluster().With(Snapshot, Demo, Config).Validators.Add(result =>
        {
            var ways = (result.GetResult(Snapshot) is null ? 0 : 1) + (result.GetValue(Demo) ? 1 : 0) + (IsGiven(result) ? 1 : 0);
            if (ways > 1)
            {
                result.AddError("--snapshot, --demo and a cluster (--kubeconfig, --context) exclude each other; give only one");
            }
        });
        return command;
    }

    /// <summary>Whether the command line itself names a cluster.</summary>
    internal static bool IsGiven(CommandResult command) => command.GetValue(Kubeconfig) is not null || command.GetValue(Context) is not null;

    internal static string NamespaceOf(ParseResult arguments) => arguments.GetValue(Namespace)!;

    internal static string NameOf(ParseResult arguments) => arguments.GetValue(Name)!;

    /// <summary>Connects to the API server that the options name.</summary>
    /// <exception cref="InvalidDataException">They name no usable API server; the message says what to do.</exception>
    internal static KubeApi Connect(ParseResult arguments) => new(Configuration(arguments), TimeProvider.System);

    /// <summary>Connects as <see cref="Connect"/> does; <see langword="null"/> for a snapshot or the testbed.</summary>
    internal static KubeApi? ConnectUnlessSaved(ParseResult arguments) =>
        arguments.GetValue(Demo) || arguments.GetValue(Snapshot) is not null ? null : Connect(arguments);

    /// <summary>Reads the cluster, or what the command line names in its place.</summary>
    internal static async Task<ClusterSnapshot> TakeAsync(ParseResult arguments, KubeApi? api, CancellationToken stop) =>
        arguments.GetValue(Demo) ? ClusterSnapshot.Embedded()
        : arguments.GetValue(Snapshot) is { } file ? ClusterSnapshot.FromFile(file.FullName)
        : await ClusterSnapshot.TakeAsync(api!, NamespaceOf(arguments), stop).ConfigureAwait(false);

    /// <summary>The webhook's settings: those of the file that the command line names, else those of the cluster.</summary>
    internal static CompiledSettings SettingsOf(ParseResult arguments, ClusterSnapshot snapshot) =>
        arguments.GetValue(Config) is { } config ? SettingsCompiler.FromFile(config.FullName) : snapshot.Settings;

    /// <summary>The kinds of object that could not be read; the cluster's configuration is not missed where the command line names another.</summary>
    internal static IEnumerable<string> MissingFor(ParseResult arguments, ClusterSnapshot snapshot) =>
        snapshot.MissingKinds.Where(k => k != ClusterSnapshot.ConfigurationKind || arguments.GetValue(Config) is null);

    /// <summary>The API server that the options name.</summary>
    /// <exception cref="InvalidDataException">They name no usable API server; the message says what to do.</exception>
    internal static KubernetesClientConfiguration Configuration(ParseResult arguments)
    {
        var (named, context) = (arguments.GetValue(Kubeconfig)?.FullName, arguments.GetValue(Context));
        var configuration = named is null && context is null && KubernetesClientConfiguration.IsInCluster()
            ? KubernetesClientConfiguration.InClusterConfig()
            : ClusterSource.ReadKubeconfig(named ?? DefaultFile(arguments), context);
        configuration.HttpClientTimeout = Timeout;
        return configuration;
    }

    // $KUBECONFIG may be a list, which kubectl merges. The client does not: the first existing file counts.
    static string DefaultFile(ParseResult arguments)
    {
        var variable = Environment.GetEnvironmentVariable("KUBECONFIG") ?? "";
        string[] candidates = variable.Length > 0
            ? variable.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            : [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kube", "config")];
        var orSnapshot = arguments.CommandResult.Command.Options.Contains(Snapshot) ? ", or --snapshot <file>, which needs no cluster" : "";
        return candidates.FirstOrDefault(File.Exists) ?? throw new InvalidDataException(
            $"no cluster given: this process does not run in one, and there is no {string.Join(" or ", candidates)}; "
            + $"give --kubeconfig <file>{orSnapshot}");
    }
}
