using System.CommandLine;
using System.Net;
using AdmissionLas.Configuration;
using AdmissionLas.Explain;
using AdmissionLas.Registration;
using AdmissionLas.Snapshots;
using k8s.Autorest;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las explain</c>: what the webhook would do with a pod or a pipeline, and why.</summary>
static class ExplainCommand
{
    static readonly Argument<string> What = new("what")
    {
        Description = "A file with YAML or JSON, - for the standard input, or namespace/name for a pod of the cluster",
        HelpName = "file|-|namespace/pod",
    };

    static readonly Option<string> Namespace = new("--default-namespace", "-n")
    {
        Description = "The namespace of objects that do not say theirs",
        DefaultValueFactory = _ => "default",
    };

    static readonly Option<int?> Nodes = new("--nodes") { Description = "Show at most so many nodes in a table, the nearest or largest first [default: all]", HelpName = "count", CustomParser = OptionParsers.Count };

    internal static Command Create() => new Command(
        "explain",
        "Show what the webhook would do with a pod and why: every node with its latency, what it has free, whether it can run the pod or why not, and its weight; what the default " +
        $"scheduler will weigh against it; the patch as a diff. Takes {InputKinds.Accepted}; many documents in a file. Nothing is created or changed. " +
        $"Exit code {ExitCodes.Ok}: all of it would be placed or left alone; {ExitCodes.NeedsAttention}: explained, and something needs you, such as a step without a place or a pipeline without labels; " +
        $"{ExitCodes.Failed}: something could not be read or reached.")
    {
        What, OutputOptions.Form, Namespace, Nodes,
    }.WithClusterOrSnapshot().Runs(RunAsync);

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        var (what, errors) = (arguments.GetValue(What)!, arguments.InvocationConfiguration.Error);
        using var api = ClusterOptions.ConnectUnlessSaved(arguments);
        var (inputs, except) = await InputsAsync(arguments, what, api, stop).ConfigureAwait(false);
        if (inputs.Steps.Count == 0)
        {
            return ExitCodes.FailTo(errors, [.. inputs.Problems.Select(p => $"{what}: {p}")]);
        }

        var snapshot = await ClusterOptions.TakeAsync(arguments, api, stop).ConfigureAwait(false);
        var settings = ClusterOptions.SettingsOf(arguments, snapshot);
        var view = snapshot.View(settings.Policy.LatencyLabels);
        var usage = snapshot.Usage(except);
        ExplainedStep[] steps = [.. inputs.Steps.Select(s => StepExplainer.Explain(AdmissionClasses.Resolve(s, snapshot.Objects), settings, view, usage, EnglishDecisionText.Instance))];
        string[] notices = [.. ClusterOptions.MissingFor(arguments, snapshot).Select(ClusterSnapshot.NoticeOf), .. Notices(steps, settings, snapshot)];
        if (OutputOptions.Write(
            arguments,
            terminal => WriteTables(terminal, steps, arguments.GetValue(Nodes) ?? int.MaxValue),
            json => ExplanationWriter.Write(json, steps, inputs, notices)))
        {
            foreach (var message in (IEnumerable<string>)[.. inputs.PassedOver.Select(p => p.ToString()), .. notices])
            {
                errors.WriteLine($"admission-las: {Terminal.Safe(message)}");
            }
        }

        var problems = inputs.Problems.Concat(steps.Select(s => s.Fault).OfType<InputProblem>());
        string[] faults = [.. problems.Select(p => $"{what}: {Terminal.Safe(p.ToString())}")];
        return faults.Length > 0 ? ExitCodes.FailTo(errors, faults)
            : steps.Any(s => s.NeedsAttention) || NoneIsAStep(steps) ? ExitCodes.NeedsAttention
            : ExitCodes.Ok;
    }

    static void WriteTables(Terminal terminal, ExplainedStep[] steps, int mostNodes)
    {
        foreach (var (i, step) in steps.Index())
        {
            if (i > 0)
            {
                terminal.Line();
            }

            ExplanationTables.Write(terminal, step, mostNodes);
        }
    }

    static bool NoneIsAStep(ExplainedStep[] steps) => steps.All(s => s.Explanation?.Decision.Outcome == Outcome.NotAStep);

    static IEnumerable<string> Notices(ExplainedStep[] steps, CompiledSettings settings, ClusterSnapshot snapshot)
    {
        if (NoneIsAStep(steps))
        {
            var (component, location) = (settings.Rules.LabelKeys[0], settings.Rules.LabelKeys[1]);
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{(steps[0].Input.Line > 0 ? $"line {steps[0].Input.Line}: " : "")}none of the {steps.Length} {(steps.Length == 1 ? "pod" : "pods")} says that it is a step; label them {component}=Predict and {location}=<location>, or {component}=Training");
        }

        foreach (var ns in steps.Select(s => s.Namespace).Distinct().Where(n => snapshot.OptsIn(n) == false))
        {
            yield return $"namespace {ns} does not opt in, so the webhook is not asked for its pods; kubectl label namespace {ns} {RegistrationKeys.OptIn}={RegistrationKeys.OptedIn}";
        }
    }

    static async Task<(StepInputs Inputs, string? Except)> InputsAsync(
        ParseResult arguments, string what, KubeApi? api, CancellationToken stop)
    {
        if (what == "-" || File.Exists(what))
        {
            await using var input = what == "-" ? Console.OpenStandardInput() : File.OpenRead(what);
            return (await ReadAsync(input, arguments.GetValue(Namespace)!, stop).ConfigureAwait(false), null);
        }

        if (Directory.Exists(what))
        {
            throw new InvalidDataException($"{what} is a directory; give one of its files");
        }

        if (what.Split('/') is not [{ Length: > 0 } ns, { Length: > 0 } name])
        {
            throw new InvalidDataException($"there is no file {what}; a pod of the cluster is written namespace/name");
        }

        if (api is null)
        {
            throw new InvalidDataException($"there is no file {what}; a pod of the cluster can only be read from the cluster, not from a snapshot");
        }

        try
        {
            var path = $"api/v1/namespaces/{Uri.EscapeDataString(ns)}/pods/{Uri.EscapeDataString(name)}";
            var pod = JsonObject.Create(await api.ReadAsync(path, stop).ConfigureAwait(false))!;
            return (new StepInputs([LivePod.AsReviewed(pod)], [], []), LivePod.Uid(pod));
        }
        catch (HttpOperationException fault) when (fault.Response.StatusCode == HttpStatusCode.NotFound)
        {
            throw new InvalidDataException($"there is no file {ns}/{name}, and no pod {name} in namespace {ns}; kubectl -n {ns} get pods", fault);
        }
    }

    // No more than what is used of it, whatever it is.
    static async Task<StepInputs> ReadAsync(Stream stream, string defaultNamespace, CancellationToken stop)
    {
        var bytes = new byte[(StepInput.MaxCharacters * 3) + 4];
        var read = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, stop).ConfigureAwait(false);
        if (bytes is [0x1f, 0x8b, ..] or [(byte)'P', (byte)'K', 3, 4, ..])
        {
            return new StepInputs([], [new InputProblem(null, "this is an archive", "unpack it and give the YAML file in it")], []);
        }

        using var text = new StreamReader(new MemoryStream(bytes, 0, read), Encoding.UTF8);
        return StepInput.Read(await text.ReadToEndAsync(stop).ConfigureAwait(false), defaultNamespace);
    }
}
