using System.CommandLine;
using AdmissionLas.Kubernetes;
using k8s;
using k8s.Autorest;
using k8s.Exceptions;

namespace AdmissionLas.Verbs;

/// <summary>The options of every verb that talks to a cluster, and the way from them to its API server.</summary>
sealed class ClusterOptions
{
    internal const string DefaultNamespace = "admission-las";
    internal const string DefaultRegistration = "admission-las";

    static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(15);

    readonly Option<FileInfo?> kubeconfig = new("--kubeconfig") { Description = "The cluster's kubeconfig [default: the cluster this runs in, or $KUBECONFIG, or ~/.kube/config]" };
    readonly Option<string?> context = new("--context") { Description = "The kubeconfig's context; its current one when left out" };

    readonly Option<string> namespaceName = new("--namespace", "-n")
    {
        Description = "The namespace that AdmissionLas is installed in",
        DefaultValueFactory = _ => DefaultNamespace,
    };

    readonly Option<string> registration = new("--name")
    {
        Description = "The name of the MutatingWebhookConfiguration",
        DefaultValueFactory = _ => DefaultRegistration,
    };

    internal void AddTo(Command command)
    {
        command.Add(kubeconfig);
        command.Add(context);
        command.Add(namespaceName);
        command.Add(registration);
    }

    internal string Namespace(ParseResult arguments) => arguments.GetValue(namespaceName)!;

    internal string Registration(ParseResult arguments) => arguments.GetValue(registration)!;

    /// <summary>Whether the command line names a cluster.</summary>
    internal bool IsGiven(ParseResult arguments) => arguments.GetValue(kubeconfig) is not null || arguments.GetValue(context) is not null;

    /// <summary>A client for the cluster; disposing of it is the caller's.</summary>
    /// <exception cref="InvalidDataException">No cluster is named, or its file cannot be used; the message says what to do.</exception>
    internal KubeApi Connect(ParseResult arguments)
    {
        var configuration = Configuration(arguments);
        configuration.HttpClientTimeout = RequestTimeout;
        return new KubeApi(configuration, TimeProvider.System);
    }

    /// <summary>How to reach the cluster.</summary>
    /// <exception cref="InvalidDataException">No cluster is named, or its file cannot be used; the message says what to do.</exception>
    internal KubernetesClientConfiguration Configuration(ParseResult arguments)
    {
        var given = arguments.GetValue(kubeconfig)?.FullName;
        var chosen = arguments.GetValue(context);
        if (given is null && chosen is null && KubernetesClientConfiguration.IsInCluster())
        {
            return KubernetesClientConfiguration.InClusterConfig();
        }

        var file = given ?? DefaultFile() ?? throw new InvalidDataException("no cluster is named: give --kubeconfig <file>, or set KUBECONFIG");
        try
        {
            return KubernetesClientConfiguration.BuildConfigFromConfigFile(file, chosen);
        }
        catch (Exception fault) when (fault is KubeConfigException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"the kubeconfig {file} cannot be used: {fault.Message}", fault);
        }
    }

    /// <summary>What went wrong between us and the API server, or with a file, in words; <see langword="null"/> for anything else.</summary>
    internal static string? Explain(Exception fault) => fault switch
    {
        HttpOperationException refused => ApiFault.Describe(refused),
        HttpRequestException unreachable => $"the API server cannot be reached: {(unreachable.InnerException ?? unreachable).Message}",
        TimeoutException or TaskCanceledException { InnerException: TimeoutException } => "the API server cannot be reached: it did not answer in time",
        InvalidDataException or IOException or UnauthorizedAccessException => fault.Message,
        _ => null,
    };

    /// <summary>The first file of <c>KUBECONFIG</c> that exists, or kubectl's own default.</summary>
    static string? DefaultFile()
    {
        var home = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kube", "config");
        string[] candidates = [.. (Environment.GetEnvironmentVariable("KUBECONFIG") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries), home];
        return candidates.FirstOrDefault(File.Exists);
    }
}
