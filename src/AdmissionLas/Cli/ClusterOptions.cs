using System.CommandLine;
using k8s;
using k8s.Exceptions;
using YamlDotNet.Core;

namespace AdmissionLas.Cli;

/// <summary>The options of the verbs that talk to a cluster, and how they become a connection.</summary>
static class ClusterOptions
{
    static readonly Option<FileInfo?> Kubeconfig = new("--kubeconfig")
    {
        Description = "The cluster's kubeconfig [default: the cluster this runs in, else the first file of $KUBECONFIG that is there, else ~/.kube/config]",
        HelpName = "file",
    };

    static readonly Option<string?> Context = new("--context") { Description = "The kubeconfig's context; its current one when left out" };

    static readonly Option<string> Namespace = new("--namespace")
    {
        Description = "The namespace that AdmissionLas is installed in",
        DefaultValueFactory = _ => "admission-las",
    };

    static readonly Option<string> Name = new("--name")
    {
        Description = "The MutatingWebhookConfiguration's name",
        DefaultValueFactory = _ => "admission-las",
    };

    /// <summary>An API server that does not say a word for so long is not there.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Adds the options to a verb.</summary>
    internal static void AddTo(Command command)
    {
        AddConnectionTo(command);
        command.Add(Name);
    }

    /// <summary>Adds those of them that a verb needs which only looks.</summary>
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
    /// <exception cref="InvalidDataException">They name none that can be used; the message says what to do.</exception>
    internal static KubernetesClientConfiguration Configuration(ParseResult arguments)
    {
        var configuration = Find(arguments.GetValue(Kubeconfig)?.FullName, arguments.GetValue(Context));
        configuration.HttpClientTimeout = Patience;
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

    // $KUBECONFIG may be a list, which kubectl merges. The client does not, so the first that is there counts.
    static string DefaultFile()
    {
        var variable = Environment.GetEnvironmentVariable("KUBECONFIG") ?? "";
        string[] candidates = variable.Length > 0
            ? variable.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            : [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kube", "config")];
        return candidates.FirstOrDefault(File.Exists) ?? throw new InvalidDataException(
            $"no cluster is named: this process runs in none, and there is no {string.Join(" or ", candidates)}; give --kubeconfig <file>");
    }
}
