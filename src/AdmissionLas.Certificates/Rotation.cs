namespace AdmissionLas.Certificates;

/// <summary>How long a rotation waits for what it cannot hasten.</summary>
/// <param name="TrustDelay">How long an API server may need to learn of a changed bundle.</param>
/// <param name="ReplicaPatience">How long replicas may take to serve a stored certificate; a kubelet needs up to two minutes.</param>
/// <param name="Poll">The pause between two looks.</param>
public sealed record RotationTimings(TimeSpan TrustDelay, TimeSpan ReplicaPatience, TimeSpan Poll)
{
    /// <summary>For a cluster.</summary>
    public static readonly RotationTimings Default = new(TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(2));
}

/// <summary>How a run ended.</summary>
public enum RotationOutcome
{
    /// <summary>All is as it is to be.</summary>
    Done,

    /// <summary>All is safe, but somebody must run it again or step in.</summary>
    Unfinished,
}

/// <summary>Carries out <see cref="RotationPlan"/>: looks, does one step, looks again.</summary>
/// <param name="vault">Where certificates are kept.</param>
/// <param name="trust">Who trusts them.</param>
/// <param name="policy">What they are made with.</param>
/// <param name="timings">How long to wait.</param>
/// <param name="time">The clock.</param>
/// <param name="tell">Hears a line of each thing done.</param>
public sealed class Rotation(
    ICertificateStore vault, ICaBundleStore trust, CertificatePolicy policy, RotationTimings timings, TimeProvider time, Action<string> tell)
{
    /// <summary>How often somebody else may change what we are about to write before we give up.</summary>
    const int MaxCollisions = 5;

    TrustBundle? trustedBundle;
    DateTimeOffset trustedSince;
    DateTimeOffset? awaitingReplicasSince;

    /// <summary>Goes on until the goal is reached or only a person can go on.</summary>
    /// <exception cref="RotationInProgressException">Another rotation is at work.</exception>
    /// <exception cref="ChangedMeanwhileException">It lost its lock, or somebody else changes the same things again and again.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; what was done stays, and another run goes on from there.</exception>
    public async Task<RotationOutcome> RunAsync(RotationGoal goal, CancellationToken stop)
    {
        await using var held = await vault.LockAsync(stop).ConfigureAwait(false);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, held.Lost);
        try
        {
            return await RunLockedAsync(goal, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (held.Lost.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new ChangedMeanwhileException("the right to rotate was lost, most likely because the API server could not be reached; everything still works, and another run goes on from here");
        }
    }

    /// <summary>Shows what a run would do: the same run, on a copy in memory.</summary>
    public async Task<RotationOutcome> DryRunAsync(RotationGoal goal, CancellationToken stop)
    {
        var copy = await InMemoryCertificateStore.CopyAsync(vault, trust, stop).ConfigureAwait(false);
        var rehearsed = new Rotation(copy, copy, policy, timings with { TrustDelay = TimeSpan.Zero, Poll = TimeSpan.Zero }, time, line => tell($"would: {line}"));
        return await rehearsed.RunLockedAsync(goal, stop).ConfigureAwait(false);
    }

    async Task<RotationOutcome> RunLockedAsync(RotationGoal goal, CancellationToken stop)
    {
        var collisions = 0;
        string? waitingFor = null;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var state = await ReadAsync(stop).ConfigureAwait(false);
            if (goal == RotationGoal.RenewAuthority && state.Authorities is { } known && (known.Next is not null || known.Old.Count > 0))
            {
                tell("going on with the change of authority that was begun before");
                goal = RotationGoal.Renew;
            }

            var step = RotationPlan.Next(state, goal, policy, timings.TrustDelay, time.GetUtcNow());
            try
            {
                switch (step)
                {
                    case RotationStep.Done:
                        tell(step.Why);
                        return RotationOutcome.Done;
                    case RotationStep.Refuse:
                        tell(step.Why);
                        return RotationOutcome.Unfinished;
                    case RotationStep.AwaitTrust or RotationStep.AwaitReplicas:
                        if (step.Why != waitingFor)
                        {
                            tell($"waiting: {step.Why}");
                        }

                        waitingFor = step.Why;
                        if (step is RotationStep.AwaitReplicas && !HasPatience())
                        {
                            tell("the old authority stays trusted until then, so every call works; run `certs rotate` again, or `certs revoke-old --unseen` if you know better");
                            return RotationOutcome.Unfinished;
                        }

                        await Task.Delay(timings.Poll, time, stop).ConfigureAwait(false);
                        break;
                    default:
                        await DoAsync(step, state, stop).ConfigureAwait(false);
                        break;
                }
            }
            catch (ChangedMeanwhileException changed) when (++collisions < MaxCollisions)
            {
                tell($"{changed.Message}; looking again");
            }

            // What was asked for is on its way; the rest follows from what is there.
            goal = (goal, step) is (RotationGoal.RenewAuthority, RotationStep.AddNext) or (RotationGoal.RenewServing, RotationStep.IssueServing) ? RotationGoal.Renew : goal;
        }
    }

    bool HasPatience()
    {
        awaitingReplicasSince ??= time.GetUtcNow();
        return time.GetUtcNow() - awaitingReplicasSince < timings.ReplicaPatience;
    }

    async Task DoAsync(RotationStep step, RotationState state, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        switch (step)
        {
            case RotationStep.CreateAuthority:
                // Whoever is trusted now may have signed what is served now.
                var trusted = state.Trusted?.Values.SelectMany(b => b?.Authorities ?? []).Where(a => a.NotAfter > now).Distinct().ToList() ?? [];
                await WriteAsync(new Authorities(Authority.Create(policy, now), null, trusted), $"making an authority in {PlaceOfAuthorities}: {step.Why}", stop).ConfigureAwait(false);
                break;
            case RotationStep.AddNext:
                await WriteAsync(state.Authorities! with { Next = Authority.Create(policy, now) }, $"making the next authority in {PlaceOfAuthorities}: {step.Why}", stop).ConfigureAwait(false);
                break;
            case RotationStep.Promote:
                await WriteAsync(state.Authorities!.Promoted(), $"the next authority becomes the signer: {step.Why}", stop).ConfigureAwait(false);
                break;
            case RotationStep.ForgetOld:
                await WriteAsync(state.Authorities! with { Old = [] }, $"forgetting the old authority: {step.Why}", stop).ConfigureAwait(false);
                break;
            case RotationStep.Trust:
                tell($"writing {state.Authorities!.Bundle.Authorities.Count} trusted {(state.Authorities.Bundle.Authorities.Count == 1 ? "authority" : "authorities")} to {trust.Place}: {step.Why}");
                await trust.WriteAsync(state.Authorities.Bundle, stop).ConfigureAwait(false);
                break;
            case RotationStep.IssueServing:
                tell($"making a serving certificate in {vault.PlaceOf(CertificateGroup.Serving)}: {step.Why}");
                var issued = state.Authorities!.Signer.Issue(policy, now);
                await vault.WriteAsync(CertificateGroup.Serving, VaultFormat.Write(issued, state.Authorities.Bundle), stop).ConfigureAwait(false);
                break;
            default:
                throw new InvalidOperationException($"no way to do {step.GetType().Name}");
        }
    }

    string PlaceOfAuthorities => vault.PlaceOf(CertificateGroup.Authorities);

    Task WriteAsync(Authorities authorities, string what, CancellationToken stop)
    {
        tell(what);
        return vault.WriteAsync(CertificateGroup.Authorities, VaultFormat.Write(authorities), stop);
    }

    async Task<RotationState> ReadAsync(CancellationToken stop)
    {
        var found = await CertificateInventory.ReadAsync(vault, trust, stop).ConfigureAwait(false);
        foreach (var fault in found.Faults)
        {
            tell($"{fault}; it is made anew");
        }

        var replicas = found.Authorities is { Old.Count: > 0 } ? await trust.ReplicasAsync(stop).ConfigureAwait(false) : null;
        return new RotationState(found.Authorities, found.Serving, found.Trusted, TrustedFor(found), replicas);
    }

    // Only what this run has seen itself counts: a run that was killed cannot know when its write reached the last API server.
    TimeSpan? TrustedFor(CertificateInventory found)
    {
        var bundle = found.Authorities?.Bundle;
        if (bundle is null || found.Trusted is null || !found.Trusted.Values.All(bundle.Equals))
        {
            trustedBundle = null;
            return null;
        }

        var now = time.GetUtcNow();
        if (!bundle.Equals(trustedBundle))
        {
            (trustedBundle, trustedSince) = (bundle, now);
        }

        return now - trustedSince;
    }
}
