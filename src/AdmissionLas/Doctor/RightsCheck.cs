using AdmissionLas.Kubernetes;
using k8s.Models;

namespace AdmissionLas.Doctor;

/// <summary>Whether the service accounts may do what they have to, as the API server's own authorizer judges it.</summary>
static class RightsCheck
{
    /// <summary>A right that somebody needs.</summary>
    internal sealed record Right(string Verb, string Group, string Resource, string? Namespace = null, string? Name = null)
    {
        public override string ToString() =>
            $"{Verb} {Resource}{(Group.Length == 0 ? "" : $".{Group}")}{(Name is null ? "" : $" {Name}")}{(Namespace is null ? "" : $" in namespace {Namespace}")}";
    }

    /// <summary>Somebody and what he is there for.</summary>
    internal sealed record Account(string Name, string Purpose, IReadOnlyList<Right> Needs);

    internal const string Webhook = "admission-las";
    internal const string Rotation = "admission-las-certificates";

    /// <summary>The accounts of the manifests, with what each needs.</summary>
    internal static IReadOnlyList<Account> Accounts(string ns, string registration) =>
    [
        new(Webhook, "the webhook", [new("list", "", "nodes"), new("watch", "", "nodes"), new("list", "", "pods"), new("watch", "", "pods"), new("create", "", "events")]),
        new(Rotation, "the certificates' rotation",
        [
            new("get", "", "secrets", ns, "admission-las-tls"), new("update", "", "secrets", ns, "admission-las-tls"),
            new("get", "", "secrets", ns, "admission-las-ca"), new("update", "", "secrets", ns, "admission-las-ca"),
            new("create", "", "secrets", ns),
            new("get", "coordination.k8s.io", "leases", ns, Rotation), new("update", "coordination.k8s.io", "leases", ns, Rotation),
            new("create", "coordination.k8s.io", "leases", ns),
            new("get", "", "services", ns, "admission-las"), new("list", "", "pods", ns),
            new("get", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", Name: registration),
            new("patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", Name: registration),
        ]),
    ];

    internal static async Task<IReadOnlyList<Finding>> EvaluateAsync(KubeApi api, string ns, Account account, CancellationToken stop)
    {
        if (await api.FindAsync(ObjectKinds.ServiceAccounts, ns, account.Name, stop).ConfigureAwait(false) is null)
        {
            return [Finding.Ok($"rights of {account.Purpose}: not looked at, for there is no service account {ns}/{account.Name}")];
        }

        var user = $"system:serviceaccount:{ns}:{account.Name}";
        List<Right> missing = [];
        foreach (var right in account.Needs)
        {
            if (!await IsAllowedAsync(api, ns, user, right, stop).ConfigureAwait(false))
            {
                missing.Add(right);
            }
        }

        return missing.Count == 0
            ? [Finding.Ok($"rights of {account.Purpose}: {user} may do all that it needs")]
            : [.. missing.Select(m => Finding.Failed($"rights of {account.Purpose}: {user} may not {m}", $"add the verb \"{m.Verb}\" on \"{m.Resource}\" to its {(m.Namespace is null ? "ClusterRole" : "Role")}, or apply the manifests again"))];
    }

    static async Task<bool> IsAllowedAsync(KubeApi api, string ns, string user, Right right, CancellationToken stop)
    {
        var review = new V1SubjectAccessReview
        {
            Spec = new V1SubjectAccessReviewSpec
            {
                User = user,
                // What the API server says of every service account.
                Groups = ["system:serviceaccounts", $"system:serviceaccounts:{ns}", "system:authenticated"],
                ResourceAttributes = new V1ResourceAttributes
                {
                    Verb = right.Verb,
                    Group = right.Group,
                    Resource = right.Resource,
                    NamespaceProperty = right.Namespace,
                    Name = right.Name,
                },
            },
        };
        var answer = await api.CreateAsync(ObjectKinds.AccessReviews, null, review, stop).ConfigureAwait(false);
        return answer.Status.Allowed;
    }
}
