using AdmissionLas.Registration;
using k8s.Models;

namespace AdmissionLas.Doctor;

/// <summary>Checks which namespaces opt in.</summary>
static class NamespacesCheck
{
    const int MaxNamed = 5;

    internal static IReadOnlyList<Finding> Evaluate(IReadOnlyList<V1Namespace> labelled, string ownNamespace)
    {
        var optedIn = OptedIn(labelled, ownNamespace);
        return
        [
            optedIn.Count == 0
                ? Finding.Warning(
                    "no namespace opts in, so the webhook sees no pods",
                    $"kubectl label namespace <namespace> {RegistrationKeys.OptIn}={RegistrationKeys.OptedIn}")
                : Finding.Ok($"{(optedIn.Count == 1 ? "1 namespace opts" : $"{optedIn.Count} namespaces opt")} in: {string.Join(", ", optedIn.Take(MaxNamed))}{(optedIn.Count > MaxNamed ? ", …" : "")}"),
            .. labelled.Where(n => !IsOptedIn(n)).Select(n => Finding.Warning(
                $"namespace {n.Metadata.Name} has {RegistrationKeys.OptIn}={n.Metadata.Labels[RegistrationKeys.OptIn]}, which does not opt in",
                $"kubectl label --overwrite namespace {n.Metadata.Name} {RegistrationKeys.OptIn}={RegistrationKeys.OptedIn}, or remove the label")),
            .. labelled.Where(n => IsOptedIn(n) && RegistrationKeys.NeverIn(ownNamespace).Contains(n.Metadata.Name)).Select(n => Finding.Warning(
                $"namespace {n.Metadata.Name} is labelled, but the webhook never sees its pods",
                $"kubectl label namespace {n.Metadata.Name} {RegistrationKeys.OptIn}-")),
        ];
    }

    /// <summary>The names of the namespaces whose pods the webhook sees.</summary>
    internal static IReadOnlyList<string> OptedIn(IReadOnlyList<V1Namespace> labelled, string ownNamespace) =>
    [
        .. labelled.Where(n => IsOptedIn(n) && n.Metadata.DeletionTimestamp is null).Select(n => n.Metadata.Name)
            .Except(RegistrationKeys.NeverIn(ownNamespace)).Order(StringComparer.Ordinal),
    ];

    static bool IsOptedIn(V1Namespace ns) => ns.Metadata.Labels?.TryGetValue(RegistrationKeys.OptIn, out var value) == true && value == RegistrationKeys.OptedIn;
}
