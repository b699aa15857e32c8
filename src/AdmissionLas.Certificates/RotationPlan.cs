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

/// <summary>The state from which the next step follows.</summary>
/// <param name="Authorities">The authorities; <see langword="null"/> when there are no usable ones.</param>
/// <param name="Serving">The stored serving certificate; <see langword="null"/> when there is no usable one.</param>
/// <param name="Trusted">Each caller's bundle, see <see cref="ICaBundleStore.ReadAsync"/>.</param>
/// <param name="TrustedFor">For how long every caller's bundle has been seen to be right; <see langword="null"/> when one is not.</param>
/// <param name="Replicas">What is served, see <see cref="ICaBundleStore.ReplicasAsync"/>; read only while there are old authorities.</param>
sealed record RotationState(
    Authorities? Authorities,
    KeyPair? Serving,
    IReadOnlyDictionary<string, TrustBundle?>? Trusted,
    TimeSpan? TrustedFor,
    IReadOnlyList<Replica>? Replicas);

/// <summary>The next step: one write or one wait, so that a run can end after any of them.</summary>
/// <param name="Why">The reason, for messages.</param>
abstract record RotationStep(string Why)
{
    // Also replaces a lost authority. The authorities that are trusted now stay trusted.
    internal sealed record CreateAuthority(string Why) : RotationStep(Why);

    // The next authority signs nothing yet.
    internal sealed record AddNext(string Why) : RotationStep(Why);

    // The API server trusts exactly our authorities then.
    internal sealed record Trust(string Why) : RotationStep(Why);

    internal sealed record AwaitTrust(string Why) : RotationStep(Why);

    internal sealed record Promote(string Why) : RotationStep(Why);

    internal sealed record IssueServing(string Why) : RotationStep(Why);

    internal sealed record AwaitReplicas(string Why) : RotationStep(Why);

    internal sealed record RemoveOldAuthorities(string Why) : RotationStep(Why);

    internal sealed record Done(string Why) : RotationStep(Why);

    // Only an admin can go on.
    internal sealed record Refuse(string Why) : RotationStep(Why);
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
static class RotationPlan
{
    // trustDelay: how long an API server may take to read a changed bundle.
    internal static RotationStep Next(RotationState state, RotationGoal goal, CertificatePolicy policy, TimeSpan trustDelay, DateTimeOffset now)
    {
        var revokes = goal is RotationGoal.Revoke or RotationGoal.RevokeUnseen;
        var renews = goal is RotationGoal.Renew or RotationGoal.RenewServing or RotationGoal.RenewAuthority;
        if (state.Authorities is not { } authorities)
        {
            return revokes ? new RotationStep.Refuse("there is no authority; make one with `certs init`") : new RotationStep.CreateAuthority("there is no authority yet");
        }

        if (!revokes && authorities.Next is null && ReasonForNext(authorities, goal, renews, now) is { } reason)
        {
            return new RotationStep.AddNext(reason);
        }

        // This comes first: a bundle that was changed from outside may break every call.
        if (state.Trusted is { } callers && callers.Values.Any(bundle => !authorities.Bundle.Equals(bundle)))
        {
            return new RotationStep.Trust(ReasonToTrust(callers, authorities.Bundle));
        }

        var trusted = state.Trusted is null || state.TrustedFor >= trustDelay;
        if (!revokes && authorities.Next is not null)
        {
            return trusted ? new RotationStep.Promote("every API server trusts the next authority") : AwaitTrust(trustDelay);
        }

        if (!revokes && ReasonToIssue(state, authorities, goal, renews, policy, now) is { } why)
        {
            // A certificate of the same signer is served already, so the signer is trusted already.
            return trusted || (state.Serving is { } known && authorities.SignerSigned(known.Certificate)) ? new RotationStep.IssueServing(why) : AwaitTrust(trustDelay);
        }

        return authorities.Old.Count > 0 ? RemoveOld(state, authorities, goal)
            : new RotationStep.Done(revokes ? "there is no old authority" : ReasonForNothing(authorities, state.Serving));
    }

    static RotationStep.AwaitTrust AwaitTrust(TimeSpan trustDelay) => new($"API servers get {trustDelay.TotalSeconds:0.#} s to read the bundle");

    static string? ReasonForNext(Authorities authorities, RotationGoal goal, bool renews, DateTimeOffset now)
    {
        var signer = authorities.Signer.Certificate;
        return signer.NotAfter <= now ? $"the authority expired at {signer.NotAfter:u}"
            // One change at a time.
            : authorities.Old.Count > 0 ? null
            : renews && signer.RenewalDueAt <= now ? $"the authority is past two thirds of its life, since {signer.RenewalDueAt:u}"
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

    static string? ReasonToIssue(RotationState state, Authorities authorities, RotationGoal goal, bool renews, CertificatePolicy policy, DateTimeOffset now)
    {
        if (state.Serving?.Certificate is not { } serving)
        {
            return "there is no serving certificate";
        }

        string[] wanted = [.. policy.DnsNames, .. policy.IpAddresses.Select(a => a.ToString())];
        return !authorities.SignerSigned(serving) ? "the signer did not sign the serving certificate"
            : serving.NotAfter <= now ? $"the serving certificate expired at {serving.NotAfter:u}"
            : !wanted.ToHashSet(StringComparer.OrdinalIgnoreCase).SetEquals(serving.Names()) ? "the serving certificate is for other names than the policy's"
            : renews && serving.RenewalDueAt <= now ? $"the serving certificate is past two thirds of its life, since {serving.RenewalDueAt:u}"
            : goal == RotationGoal.RenewServing ? "you asked for a new serving certificate"
            : null;
    }

    static RotationStep RemoveOld(RotationState state, Authorities authorities, RotationGoal goal)
    {
        if (goal == RotationGoal.Complete)
        {
            return new RotationStep.Done("an old authority is still trusted; `certs rotate` or `certs revoke-old` removes it");
        }

        if (state.Serving is not { } serving || !authorities.SignerSigned(serving.Certificate))
        {
            return new RotationStep.Refuse("the signer has not signed the served certificate yet; run `certs rotate` first");
        }

        if (goal == RotationGoal.RevokeUnseen)
        {
            return new RotationStep.RemoveOldAuthorities("you asked for it");
        }

        if (state.Replicas is not { } replicas)
        {
            return new RotationStep.Refuse("the served certificates cannot be seen from here; once every server has the new one, run `certs revoke-old --unseen`");
        }

        var behind = replicas.Where(r => r.Served is null || !authorities.SignerSigned(r.Served)).ToList();
        return behind.Count == 0 ? new RotationStep.RemoveOldAuthorities("no server serves a certificate of the old authority any more")
            : new RotationStep.AwaitReplicas($"{behind.Count} of {replicas.Count} replicas: {string.Join("; ", behind.Take(3).Select(r => $"{r.Name} {r.Fault ?? "serves a certificate of the old authority"}"))}");
    }

    static string ReasonForNothing(Authorities authorities, KeyPair? serving) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"nothing is due: the serving certificate is renewed from {serving!.Certificate.RenewalDueAt:u} on, the authority from {authorities.Signer.Certificate.RenewalDueAt:u} on");
}
