using AdmissionLas.Configuration;
using AdmissionLas.Registration;
using k8s.Models;

namespace AdmissionLas.Doctor;

/// <summary>
/// Checks the whole path: creates a prediction step as a server-side dry run and looks for the webhook's decision on the pod that comes back.
/// </summary>
static class DryRunCheck
{
    /// <summary>An API server takes a moment to use a new registration.</summary>
    const int MaxAttempts = 3;

    static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(700);

    internal static async Task<IReadOnlyList<Finding>> EvaluateAsync(
        KubeApi api, V1MutatingWebhookConfiguration registration, V1Namespace ns, string? location, bool isFaultKnown, CancellationToken stop)
    {
        var pod = Step(registration, location);
        if (NotSelected(registration, ns, pod) is { } notSelected)
        {
            return [notSelected];
        }

        for (var attempt = 1; ; attempt++)
        {
            var answer = await api.CreateAsync(ObjectKinds.Pods, ns.Metadata.Name, pod, stop, isDryRun: true).ConfigureAwait(false);
            var decision = Annotation(answer, PodHints.DecisionKey);
            if (decision is not null || attempt == MaxAttempts)
            {
                return [Evaluate(decision, IsPlaced(answer), ns.Metadata.Name, isFaultKnown)];
            }

            await Task.Delay(BetweenAttempts, stop).ConfigureAwait(false);
        }
    }

    // A replica of an earlier version leaves no record, and an affinity only where it places the step.
    internal static bool IsPlaced(V1Pod answer) =>
        PlacementRecord.TryRead(Annotation(answer, PodHints.RecordKey))?.IsPlaced ?? answer.Spec.Affinity is not null;

    internal static Finding Evaluate(string? decision, bool isPlaced, string ns, bool isFaultKnown) => decision switch
    {
        null => Finding.Failed(
            $"a prediction step in namespace {ns} came back unpatched (dry run): the API server got no valid answer from the webhook",
            isFaultKnown
                ? "fix what failed above"
                : "check the warnings above, network policies and firewalls between the API server and the webhook, and \"failed calling webhook\" in the API server's log"),
        _ when !isPlaced =>
            Finding.Warning($"the webhook answers the API server, but does not place a prediction step in namespace {ns} (dry run): {decision}", "label the nodes"),
        _ => Finding.Ok($"a prediction step in namespace {ns} was placed (dry run): {decision}"),
    };

    /// <summary>Which selector of the registration keeps the pod from the webhook; <see langword="null"/> when none does.</summary>
    internal static Finding? NotSelected(V1MutatingWebhookConfiguration registration, V1Namespace ns, V1Pod pod)
    {
        Dictionary<string, string> labels = new(ns.Metadata.Labels ?? new Dictionary<string, string>());
        var entries = registration.Webhooks.Where(w => w.NamespaceSelector.Matches(labels)).ToList();
        return entries.Count == 0 ? Finding.Failed(
                $"the registration's namespace selector does not match namespace {ns.Metadata.Name}",
                $"kubectl label namespace {ns.Metadata.Name} {RegistrationKeys.OptIn}={RegistrationKeys.OptedIn}, or choose another with --test-namespace")
            : entries.All(w => !w.ObjectSelector.Matches(new Dictionary<string, string>(pod.Metadata.Labels))) ? Finding.Failed(
                $"the registration's object selector does not match prediction steps with the labels {string.Join(", ", pod.Metadata.Labels.Keys)}",
                "run admission-las register again, or apply the manifests")
            : null;
    }

    static string? Annotation(V1Pod pod, string key) => pod.Metadata.Annotations?.TryGetValue(key, out var text) == true ? text : null;

    // Small enough for quotas, and allowed by the restricted pod security standard. It has every label that a selector may look for.
    internal static V1Pod Step(V1MutatingWebhookConfiguration registration, string? location)
    {
        var keys = registration.Webhooks.SelectMany(w => w.ObjectSelector?.MatchExpressions ?? []).Where(e => e.OperatorProperty == "Exists").Select(e => e.Key);
        string[] all = [StepOptions.DefaultComponentLabel, StepRules.ComponentKey, .. keys];
        var labels = all.Distinct().ToDictionary(key => key, _ => "Predict");
        if (location is not null)
        {
            labels[StepRules.LocationKey] = location;
        }

        var amounts = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("10m"), ["memory"] = new("16Mi") };
        return new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                GenerateName = "admission-las-doctor-",
                Labels = labels,
                Annotations = new Dictionary<string, string> { [PodHints.PlacementKey] = "preferred" },
            },
            Spec = new V1PodSpec
            {
                AutomountServiceAccountToken = false,
                RestartPolicy = "Never",
                SecurityContext = new V1PodSecurityContext { RunAsNonRoot = true, RunAsUser = 65532, SeccompProfile = new V1SeccompProfile { Type = "RuntimeDefault" } },
                Containers =
                [
                    new V1Container
                    {
                        Name = "main",
                        Image = "registry.k8s.io/pause:3.10",
                        Resources = new V1ResourceRequirements { Requests = amounts, Limits = amounts },
                        SecurityContext = new V1SecurityContext { AllowPrivilegeEscalation = false, Capabilities = new V1Capabilities { Drop = ["ALL"] } },
                    },
                ],
            },
        };
    }
}
