using System.CommandLine;
using k8s;
using k8s.Exceptions;
using YamlDotNet.Core;

namespace AdmissionLas.Cli;

/// <summary>The options of commands that talk to a cluster, and the connection they make.</summary>
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
        DefaultValueFactory = _ => ObjectNames.Webhook,
    };

    /// <summary>How long to wait for the API server.</summary>
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Adds the options to a command.</summary>
    internal static void AddTo(Command command)
    {
        AddConnectionTo(command);
        command.Add(Name);
    }

    /// <summary>Adds the options without <c>--name</c>, for commands that do not use the registration.</summary>
    internal static void AddConnectionTo(Command command)
    {
        command.Add(Kubeconfig);
        command.Add(Context);
        command.Add(Namespace);
    }

    /// <summary>Whether the command line itself names a cluster.</summary>
    internal static bool IsGiven(ParseResult arguments) => arguments.GetValue(Kubeconfig) is not null || arguments.GetValue(Context) is not null;

    /// <inheritdoc cref="IsGiven(ParseResult)"/>
    internal static bool IsGiven(System.CommandLine.Parsing.CommandResult command) => command.GetValue(Kubeconfig) is not null || command.GetValue(Context) is not null;

    internal static string NamespaceOf(ParseResult arguments) => arguments.GetValue(Namespace)!;

    internal static string NameOf(ParseResult arguments) => arguments.GetValue(Name)!;

    /// <summary>The API server that the options name.</summary>
    /// <exception cref="InvalidDataException">They name no usable API server; the message says what to do.</exception>
    internal static KubernetesClientConfiguration Configuration(ParseResult arguments)
    {
        var configuration = Find(arguments.GetValue(Kubeconfig)?.FullName, arguments.GetValue(Context));
        configuration.HttpClientTimeout = Timeout;
        return configuration;
    }

    static KubernetesClientConfiguration Find(string? named, string? context)
    {
        if (named is null && context is null && KubernetesClientConfiguration.IsInCluster())
        {
            return KubernetesClientConfiguration.InClusterConfig();
        }

        var file = named ?? DefaultFile();
        try
        {
            return KubernetesClientConfiguration.BuildConfigFromConfigFile(file, context);
        }
        catch (Exception fault) when (fault is KubeConfigException or YamlException or IOException or UnauthorizedAccessException or FormatException)
        {
            throw new InvalidDataException($"the kubeconfig {file} cannot be used: {fault.Message}", fault);
        }
    }

    // $KUBECONFIG may be a list, which kubectl merges. The client does not: the first existing file counts.
    static string DefaultFile()
    {
        var variable = Environment.GetEnvironmentVariable("KUBECONFIG") ?? "";
        string[] candidates = variable.Length > 0
            ? variable.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            : [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kube", "config")];
        return candidates.FirstOrDefault(File.Exists) ?? throw new InvalidDataException(
            $"no cluster given: this process does not run in one, and there is no {string.Join(" or ", candidates)}; give --kubeconfig <file>");
    }
}
