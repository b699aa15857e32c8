namespace AdmissionLas.Webhook;

/// <summary>What is used of an admission review.</summary>
/// <remarks>Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request.</remarks>
sealed record AdmissionReview
{
    /// <summary>apiVersion; the answer carries the same.</summary>
    public required string ApiVersion { get; init; }

    /// <summary>request.uid; the answer carries the same.</summary>
    public required string Uid { get; init; }

    /// <summary>request.dryRun: the pod is not created, and does not count as used.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>The pod to be created, or <see langword="null"/> when the review is about anything else.</summary>
    public AdmittedPod? Pod { get; init; }

    /// <summary>Why the review is none of our business, or what in the pod cannot be read; <see langword="null"/> when there is a pod.</summary>
    public string? SkipReason { get; init; }

    /// <summary>The pod is there and cannot be read: its author should know.</summary>
    public bool PodIsUnreadable { get; init; }

    /// <summary>The JSON path in the pod of what cannot be read; <see langword="null"/> when there is none.</summary>
    public string? UnreadablePath { get; init; }
}

/// <summary>A pod under review.</summary>
/// <param name="Name">metadata.name, or metadata.generateName where the API server has yet to make a name.</param>
/// <param name="Facts">What placement needs.</param>
/// <param name="Shape">What the patch needs.</param>
/// <param name="Controller">What created the pod; <see langword="null"/> when there is none or it is malformed.</param>
/// <param name="Earlier">What an earlier call added, which the facts and the shape are without; <see langword="null"/> for the first call.</param>
/// <param name="HasPrefixOnly">The name is metadata.generateName.</param>
sealed record AdmittedPod(
    string Name, PodFacts Facts, PodShape Shape, OwnerReference? Controller = null, EarlierAdditions? Earlier = null, bool HasPrefixOnly = false);

/// <summary>The entry of metadata.ownerReferences that is the pod's controller.</summary>
/// <param name="ApiVersion">Its API group and version.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="Uid">Its uid.</param>
readonly record struct OwnerReference(string ApiVersion, string Kind, string Name, string Uid);

/// <summary>Which parents of our patch exist in the pod: JSON Patch adds to a parent, never through a missing one.</summary>
sealed record PodShape
{
    /// <summary>metadata.annotations is there.</summary>
    public bool HasAnnotations { get; init; }

    /// <summary>How long metadata.annotations is as JSON, bytes.</summary>
    public int AnnotationBytes { get; init; }

    /// <summary>spec.affinity is there.</summary>
    public bool HasAffinity { get; init; }

    /// <summary>spec.affinity.nodeAffinity is there.</summary>
    public bool HasNodeAffinity { get; init; }

    /// <summary>The list of preferred node affinity terms is there.</summary>
    public bool HasPreferredTerms { get; init; }

    /// <summary>For each required node affinity term: whether its matchExpressions are there.</summary>
    public IReadOnlyList<bool> RequiredTermsHaveExpressions { get; init; } = [];

    /// <summary>The same for their matchFields.</summary>
    public IReadOnlyList<bool> RequiredTermsHaveFields { get; init; } = [];

    /// <summary>How many topology spread constraints there are.</summary>
    public int SpreadConstraints { get; init; }

    /// <summary>The place of one that is about no node, as ours is; <see langword="null"/> for none.</summary>
    public int? NeutralSpreadAt { get; init; }

    /// <summary>For each app container: what is there of resources.requests.</summary>
    public IReadOnlyList<ContainerShape> Containers { get; init; } = [];
}

/// <summary>Which parents of a request exist in a container.</summary>
/// <param name="HasResources">resources is there.</param>
/// <param name="HasRequests">resources.requests is there.</param>
readonly record struct ContainerShape(bool HasResources, bool HasRequests);

/// <summary>The body is not an admission review; the message says what is wrong with it and goes to the caller.</summary>
sealed class NotAReviewException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A value has a type that its schema does not allow.</summary>
/// <param name="position">Where it is in the body, or -1 for the pod itself.</param>
/// <param name="problem">What is wrong there, such as "is not a string".</param>
/// <param name="member">What to add to the path: the member that is meant.</param>
sealed class UnreadablePodException(int position, string problem, string member = "") : Exception(problem)
{
    /// <summary>The value with its path, which takes a walk through the body.</summary>
    internal UnreadableValue In(ReadOnlySpan<byte> body) => new(JsonCursor.PathOf(body, position) + member, Message);
}

/// <summary>A value that has a type which its schema does not allow.</summary>
/// <param name="pathInReview">Where it is in the review.</param>
/// <param name="problem">What is wrong there.</param>
sealed class UnreadableValue(string pathInReview, string problem)
{
    const string Pod = "request.object.";
    const string Item = "[]";

    /// <summary>What is wrong, for the pod's author.</summary>
    internal string Message => $"{(pathInReview.Length == 0 ? "the body" : pathInReview.EndsWith(Item, StringComparison.Ordinal) ? $"an item of {Path}" : Path)} {problem}";

    /// <summary>The JSON path that the message names: in the pod for a value of the pod, else in the review.</summary>
    // The pod's author knows the pod, not the review that it is in.
    internal string Path
    {
        get
        {
            var named = pathInReview.EndsWith(Item, StringComparison.Ordinal) ? pathInReview[..^Item.Length] : pathInReview;
            return named.StartsWith(Pod, StringComparison.Ordinal) ? named[Pod.Length..] : named;
        }
    }
}
