namespace AdmissionLas.Certificates;

/// <summary>What a run is for.</summary>
public enum RotationGoal
{
    /// <summary>Make what is missing and repair what is broken; renew nothing that works.</summary>
    Complete,

    /// <summary>As before, and renew what is due, and remove old authorities.</summary>
    Renew,

    /// <summary>As before, and renew the serving certificate although it is not due.</summary>
    RenewServing,

    /// <summary>As <see cref="Renew"/>, and change the authority although it is not due.</summary>
    RenewAuthority,

    /// <summary>Remove old authorities and do nothing else.</summary>
    Revoke,

    /// <summary>Remove them although not every replica was seen with a new certificate.</summary>
    RevokeUnseen,
}

/// <summary>What a run does next: one write or one wait, so that a run can end after any of them.</summary>
enum RotationAction
{
    // Also replaces a lost authority. The authorities that are trusted now stay trusted.
    CreateAuthority,

    // The next authority signs nothing yet.
    AddNext,

    // The API server trusts exactly our authorities then.
    Trust,
    AwaitTrust,
    Promote,
    IssueServing,
    AwaitReplicas,
    RemoveOldAuthorities,
    Done,

    // Only an admin can go on.
    Refuse,
}

/// <summary>
/// The order of a rotation. The next step follows from the state alone, so that a new run goes on where a killed one stopped: the next authority
/// joins the bundle, every API server trusts both, the next becomes the signer, it signs the serving certificate, every replica serves that,
/// and the old authority is removed.
/// </summary>
/// <remarks>
/// The rule behind the order: at every moment each API server's bundle holds the signer of each replica's certificate. So trust grows before
/// a new certificate is served, and shrinks only once no old one is.
/// </remarks>
/// <param name="found">What the stores hold.</param>
/// <param name="trustedFor">For how long every caller's bundle has been seen to be right; <see langword="null"/> when one is not.</param>
/// <param name="replicas">What is served, see <see cref="ICaBundleStore.ReplicasAsync"/>; read only while there are old authorities.</param>
/// <param name="goal">What the run is for.</param>
/// <param name="policy">How certificates are made.</param>
/// <param name="trustDelay">How long an API server may take to read a changed bundle.</param>
/// <param name="now">The time.</param>
sealed class RotationPlan(
    CertificateInventory found,
    TimeSpan? trustedFor,
    IReadOnlyList<Replica>? replicas,
    RotationGoal goal,
    CertificatePolicy policy,
    TimeSpan trustDelay,
    DateTimeOffset now)
{
    bool Revokes => goal is RotationGoal.Revoke or RotationGoal.RevokeUnseen;

    bool Renews => goal is RotationGoal.Renew or RotationGoal.RenewServing or RotationGoal.RenewAuthority;

    /// <summary>The next step and its reason, for messages.</summary>
    internal (RotationAction Action, string Why) Next()
    {
        if (found.Authorities is not { } authorities)
        {
            return Revokes
                ? (RotationAction.Refuse, "there is no authority; make one with `certs init`")
                : (RotationAction.CreateAuthority, "there is no authority yet");
        }

        if (!Revokes && authorities.Next is null && ReasonForNext(authorities) is { } reason)
        {
            return (RotationAction.AddNext, reason);
        }

        // This comes first: a bundle that was changed from outside may break every call.
        if (found.Trusted is { } callers && callers.Values.Any(bundle => !authorities.Bundle.Equals(bundle)))
        {
            return (RotationAction.Trust, ReasonToTrust(callers, authorities.Bundle));
        }

        var trusted = found.Trusted is null || trustedFor >= trustDelay;
        var awaitTrust = (RotationAction.AwaitTrust, $"API servers get {trustDelay.TotalSeconds:0.#} s to read the bundle");
        if (!Revokes && authorities.Next is not null)
        {
            return trusted ? (RotationAction.Promote, "every API server trusts the next authority") : awaitTrust;
        }

        if (!Revokes && ReasonToIssue(authorities) is { } why)
        {
            // A certificate of the same signer is served already, so the signer is trusted already.
            return trusted || SignerSignedServing(authorities) ? (RotationAction.IssueServing, why) : awaitTrust;
        }

        return authorities.Old.Count > 0 ? RemoveOld(authorities)
            : (RotationAction.Done, Revokes ? "there is no old authority" : ReasonForNothing(authorities));
    }

    string? ReasonForNext(Authorities authorities)
    {
        var signer = authorities.Signer.Certificate;
        return signer.NotAfter <= now ? $"the authority expired at {signer.NotAfter:u}"
            // One change at a time.
            : authorities.Old.Count > 0 ? null
            : Renews && signer.RenewalDueAt <= now ? $"the authority is past two thirds of its life, since {signer.RenewalDueAt:u}"
            : goal == RotationGoal.RenewAuthority ? "you asked for a new authority"
            : null;
    }

    static string ReasonToTrust(IReadOnlyDictionary<string, TrustBundle?> callers, TrustBundle wanted)
    {
        var held = callers.Values.Where(b => b is { Authorities.Count: > 0 }).SelectMany(b => b!.Authorities).Distinct().ToList();
        var missing = wanted.Authorities.Except(held).Count();
        var foreign = held.Except(wanted.Authorities).Count();
        return callers.Values.Any(b => b is null) ? "its bundle is broken"
            : held.Count == 0 ? "its bundle is empty"
            : foreign > 0 && missing > 0 ? $"its bundle lacks {missing} of our authorities and holds {foreign} that are not ours"
            : foreign > 0 ? $"its bundle holds {foreign} {(foreign == 1 ? "authority that is" : "authorities that are")} no longer trusted"
            : missing > 0 ? $"its bundle lacks {missing} of our authorities"
            : "its entries trust different authorities";
    }

    string? ReasonToIssue(Authorities authorities)
    {
        if (found.Serving?.Certificate is not { } serving)
        {
            return "there is no serving certificate";
        }

        string[] wanted = [.. policy.DnsNames, .. policy.IpAddresses.Select(a => a.ToString())];
        return !authorities.SignerSigned(serving) ? "the signer did not sign the serving certificate"
            : serving.NotAfter <= now ? $"the serving certificate expired at {serving.NotAfter:u}"
            : !wanted.ToHashSet(StringComparer.OrdinalIgnoreCase).SetEquals(serving.Names()) ? "the serving certificate is for other names than the policy's"
            : Renews && serving.RenewalDueAt <= now ? $"the serving certificate is past two thirds of its life, since {serving.RenewalDueAt:u}"
            : goal == RotationGoal.RenewServing ? "you asked for a new serving certificate"
            : null;
    }

    (RotationAction Action, string Why) RemoveOld(Authorities authorities)
    {
        var behind = replicas?.Where(r => r.Served is null || !authorities.SignerSigned(r.Served)).ToList();
        return goal == RotationGoal.Complete
                ? (RotationAction.Done, "an old authority is still trusted; `certs rotate` or `certs revoke-old` removes it")
            : !SignerSignedServing(authorities)
                ? (RotationAction.Refuse, "the signer has not signed the served certificate yet; run `certs rotate` first")
            : goal == RotationGoal.RevokeUnseen ? (RotationAction.RemoveOldAuthorities, "you asked for it")
            : behind is null
                ? (RotationAction.Refuse, "the served certificates cannot be seen from here; once every server has the new one, run `certs revoke-old --unseen`")
            : behind.Count == 0 ? (RotationAction.RemoveOldAuthorities, "no server serves a certificate of the old authority any more")
            : (RotationAction.AwaitReplicas, $"{behind.Count} of {replicas!.Count} replicas: {string.Join("; ", behind.Take(3).Select(Described))}");

        static string Described(Replica replica) => $"{replica.Name} {replica.Fault ?? "serves a certificate of the old authority"}";
    }

    bool SignerSignedServing(Authorities authorities) => found.Serving is { } serving && authorities.SignerSigned(serving.Certificate);

    string ReasonForNothing(Authorities authorities) =>
        $"nothing is due: the serving certificate is renewed from {found.Serving!.Certificate.RenewalDueAt:u} on, "
        + $"the authority from {authorities.Signer.Certificate.RenewalDueAt:u} on";
}
