using AdmissionLas.Registration;
using k8s.Models;

namespace AdmissionLas.Doctor;

/// <summary>Asks the API server's authorizer whether the service accounts have the permissions they need.</summary>
static class PermissionsCheck
{
    /// <summary>A permission that a service account needs.</summary>
    internal sealed record Permission(string Verb, string Group, string Resource, string? Namespace = null, string? Name = null)
    {
        public override string ToString() =>
            $"{Verb} {Resource}{(Group.Length == 0 ? "" : $".{Group}")}{(Name is null ? "" : $" {Name}")}{(Namespace is null ? "" : $" in namespace {Namespace}")}";
    }

    /// <summary>A service account, what it is for, and the permissions it needs.</summary>
    internal sealed record Account(string Name, string Purpose, IReadOnlyList<Permission> Needs);

    const string Leases = "coordination.k8s.io";
    const string Registrations = "admissionregistration.k8s.io";

    /// <summary>The accounts of the manifests, with what each needs.</summary>
    internal static IReadOnlyList<Account> Accounts(string ns, string registration) =>
    [
        new(ObjectNames.Webhook, "the webhook",
        [
            new("list", "", "nodes"), new("watch", "", "nodes"),
            new("list", "", "pods"), new("watch", "", "pods"),
            new("list", "", "namespaces"), new("watch", "", "namespaces"),
            new("create", "", "events"),
        ]),
        new(ObjectNames.Rotation, "the certificates' rotation",
        [
            new("get", "", "secrets", ns, ObjectNames.ServingSecret), new("update", "", "secrets", ns, ObjectNames.ServingSecret),
            new("get", "", "secrets", ns, ObjectNames.AuthoritySecret), new("update", "", "secrets", ns, ObjectNames.AuthoritySecret),
            new("create", "", "secrets", ns),
            new("get", Leases, "leases", ns, ObjectNames.Rotation), new("update", Leases, "leases", ns, ObjectNames.Rotation),
            new("create", Leases, "leases", ns),
            new("get", "", "services", ns, ObjectNames.Webhook), new("list", "", "pods", ns),
            new("get", Registrations, "mutatingwebhookconfigurations", Name: registration),
            new("patch", Registrations, "mutatingwebhookconfigurations", Name: registration),
        ]),
    ];

    internal static async Task<IReadOnlyList<Finding>> EvaluateAsync(KubeApi api, string ns, Account account, CancellationToken stop)
    {
        if (await api.FindAsync(ObjectKinds.ServiceAccounts, ns, account.Name, stop).ConfigureAwait(false) is null)
        {
            return [Finding.Ok($"permissions of {account.Purpose}: not checked, because there is no service account {ns}/{account.Name}")];
        }

        var user = $"system:serviceaccount:{ns}:{account.Name}";
        List<Permission> missing = [];
        foreach (var permission in account.Needs)
        {
            if (!await IsAllowedAsync(api, ns, user, permission, stop).ConfigureAwait(false))
            {
                missing.Add(permission);
            }
        }

        return missing.Count == 0
            ? [Finding.Ok($"permissions of {account.Purpose}: {user} has all that it needs")]
            : [.. missing.Select(m => Finding.Failed(
                $"permissions of {account.Purpose}: {user} cannot {m}",
                $"add the verb \"{m.Verb}\" on \"{m.Resource}\" to its {(m.Namespace is null ? "ClusterRole" : "Role")}, or apply the manifests again"))];
    }

    static async Task<bool> IsAllowedAsync(KubeApi api, string ns, string user, Permission permission, CancellationToken stop)
    {
        var review = new V1SubjectAccessReview
        {
            Spec = new V1SubjectAccessReviewSpec
            {
                User = user,
                // The groups that the API server gives every service account.
                Groups = ["system:serviceaccounts", $"system:serviceaccounts:{ns}", "system:authenticated"],
                ResourceAttributes = new V1ResourceAttributes
                {
                    Verb = permission.Verb,
                    Group = permission.Group,
                    Resource = permission.Resource,
                    NamespaceProperty = permission.Namespace,
                    Name = permission.Name,
                },
            },
        };
        return (await api.CreateAsync(ObjectKinds.AccessReviews, null, review, stop).ConfigureAwait(false)).Status.Allowed;
    }
}
