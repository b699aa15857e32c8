using AdmissionLas.Configuration;

namespace AdmissionLas.Registration;

/// <summary>The address at which the API server calls the webhook.</summary>
abstract record WebhookAddress
{
    /// <summary>A Service of the cluster.</summary>
    internal sealed record Service(string Namespace, string Name, int Port) : WebhookAddress
    {
        public override string ToString() => $"service {Namespace}/{Name}:{Port}";
    }

    /// <summary>A webhook outside the cluster.</summary>
    internal sealed record Url(Uri Value) : WebhookAddress
    {
        public override string ToString() => Value.AbsoluteUri;
    }
}

/// <summary>What an admin can choose about a registration; the template has the rest.</summary>
sealed record RegistrationChoices
{
    /// <summary>metadata.name.</summary>
    internal string Name { get; init; } = ObjectNames.Registration;

    /// <summary>Where AdmissionLas itself runs; its pods never come to it.</summary>
    internal string Namespace { get; init; } = ObjectNames.Webhook;

    /// <summary>Where the API server calls the webhook.</summary>
    internal required WebhookAddress Address { get; init; }

    /// <summary>The authorities that the API server trusts, PEM; empty for public ones, <see langword="null"/> to keep the registered ones.</summary>
    internal byte[]? CaBundle { get; init; }

    /// <summary>Whether every pod of the namespaces that opt in goes to the webhook, and not only those with a step's label or annotation.</summary>
    internal bool IsEveryPod { get; init; }

    /// <summary>The bare label for the type, <c>steps.componentLabel</c> in the configuration.</summary>
    internal string ComponentLabel { get; init; } = StepOptions.DefaultComponentLabel;

    /// <summary>Whether the API server knows <c>matchConditions</c> (Kubernetes 1.28 and later).</summary>
    internal bool HasMatchConditions { get; init; }
}
