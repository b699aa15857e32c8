namespace AdmissionLas.Registration;

/// <summary>Where the API server finds the webhook.</summary>
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

/// <summary>What an admin can choose of a registration; the rest is the template's.</summary>
sealed record RegistrationChoices
{
    /// <summary>metadata.name.</summary>
    internal string Name { get; init; } = "admission-las";

    /// <summary>Where AdmissionLas itself runs; its pods never come to it.</summary>
    internal string Namespace { get; init; } = "admission-las";

    /// <summary>Whom the API server calls.</summary>
    internal required WebhookAddress Address { get; init; }

    /// <summary>The authorities that the API server trusts, PEM; empty for the public ones, <see langword="null"/> for those that are registered already.</summary>
    internal byte[]? CaBundle { get; init; }

    /// <summary>Every pod of the namespaces that opt in, and not only those that say what they are.</summary>
    internal bool IsEveryPod { get; init; }

    /// <summary>The bare label for the type, <c>steps.componentLabel</c> in the configuration.</summary>
    internal string ComponentLabel { get; init; } = DefaultComponentLabel;

    /// <summary>Whether the API server knows <c>matchConditions</c> (Kubernetes 1.28 and later).</summary>
    internal bool HasMatchConditions { get; init; }

    internal const string DefaultComponentLabel = "typeOfComponent";
}
