namespace AdmissionLas.Certificates;

/// <summary>How long a rotation waits for others.</summary>
/// <param name="TrustDelay">How long an API server may take to read a changed bundle.</param>
/// <param name="ReplicaPatience">How long replicas may take to serve a stored certificate; a kubelet needs up to two minutes.</param>
/// <param name="Poll">The pause between two reads.</param>
public sealed record RotationTimings(TimeSpan TrustDelay, TimeSpan ReplicaPatience, TimeSpan Poll)
{
    /// <summary>For a cluster.</summary>
    public static readonly RotationTimings Default = new(TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(2));
}

/// <summary>How a run ended.</summary>
public enum RotationOutcome
{
    /// <summary>The goal is reached.</summary>
    Done,

    /// <summary>Every call works, but an admin must run it again or step in.</summary>
    Unfinished,
}

/// <summary>Carries out <see cref="RotationPlan"/>: reads the state, does one step, reads again.</summary>
/// <param name="certificates">Where certificates are kept.</param>
/// <param name="caBundles">Where the callers' bundles are kept.</param>
/// <param name="policy">How certificates are made.</param>
/// <param name="timings">How long to wait.</param>
/// <param name="time">The clock.</param>
/// <param name="report">Gets a line for each step.</param>
public sealed class Rotation(
    ICertificateStore certificates, ICaBundleStore caBundles, CertificatePolicy policy, RotationTimings timings, TimeProvider time, Action<string> report)
{
    /// <summary>How many conflicting writes it takes to give up.</summary>
    const int MaxCollisions = 5;

    (TrustBundle Bundle, DateTimeOffset Since)? trusted;

    /// <summary>Runs until the goal is reached or only an admin can go on.</summary>
    /// <exception cref="RotationInProgressException">Another rotation is running.</exception>
    /// <exception cref="ChangedMeanwhileException">It lost its lock, or writes failed repeatedly because of concurrent changes.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; another run goes on from there.</exception>
    public async Task<RotationOutcome> RunAsync(RotationGoal goal, CancellationToken stop)
    {
        await using var held = await certificates.LockAsync(stop).ConfigureAwait(false);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, held.Lost);
        try
        {
            return await RunLockedAsync(goal, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (held.Lost.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new ChangedMeanwhileException("the lock of the rotation was lost, probably because the API server could not be reached; every call still works, and another run goes on from here");
        }
    }

    /// <summary>Reports what a run would do: the same run on a copy in memory.</summary>
    public async Task<RotationOutcome> DryRunAsync(RotationGoal goal, CancellationToken stop)
    {
        var copy = await InMemoryCertificateStore.CopyAsync(certificates, caBundles, stop).ConfigureAwait(false);
        var dryRun = new Rotation(copy, copy, policy, timings with { TrustDelay = TimeSpan.Zero, Poll = TimeSpan.Zero }, time, line => report($"would: {line}"));
        return await dryRun.RunLockedAsync(goal, stop).ConfigureAwait(false);
    }

    async Task<RotationOutcome> RunLockedAsync(RotationGoal goal, CancellationToken stop)
    {
        var collisions = 0;
        string? waitingFor = null;
        DateTimeOffset? awaitingReplicasSince = null;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var found = await CertificateInventory.ReadAsync(certificates, caBundles, stop).ConfigureAwait(false);
            foreach (var fault in found.Faults)
            {
                report($"{fault}; a new one is made");
            }

            var replicas = found.Authorities is { Old.Count: > 0 } ? await caBundles.ReplicasAsync(stop).ConfigureAwait(false) : null;
            if (goal == RotationGoal.RenewAuthority && found.Authorities is { } known && (known.Next is not null || known.Old.Count > 0))
            {
                report("going on with a change of authority that an earlier run has started");
                goal = RotationGoal.Renew;
            }

            var (action, why) = new RotationPlan(found, TrustedFor(found), replicas, goal, policy, timings.TrustDelay, time.GetUtcNow()).Next();
            try
            {
                switch (action)
                {
                    case RotationAction.Done or RotationAction.Refuse:
                        report(why);
                        return action == RotationAction.Done ? RotationOutcome.Done : RotationOutcome.Unfinished;
                    case RotationAction.AwaitTrust or RotationAction.AwaitReplicas:
                        if (why != waitingFor)
                        {
                            report($"waiting: {why}");
                        }

                        waitingFor = why;
                        if (action == RotationAction.AwaitReplicas)
                        {
                            awaitingReplicasSince ??= time.GetUtcNow();
                            if (time.GetUtcNow() - awaitingReplicasSince >= timings.ReplicaPatience)
                            {
                                report("the old authority stays trusted until then, so every call works; "
                                    + "run `certs rotate` again, or `certs revoke-old --unseen` if you are sure");
                                return RotationOutcome.Unfinished;
                            }
                        }

                        await Task.Delay(timings.Poll, time, stop).ConfigureAwait(false);
                        break;
                    default:
                        await DoAsync(action, why, found, stop).ConfigureAwait(false);
                        break;
                }
            }
            catch (ChangedMeanwhileException changed) when (++collisions < MaxCollisions)
            {
                report($"{changed.Message}; trying again");
            }

            // The forced step is done; the rest follows from the state.
            goal = (goal, action) is (RotationGoal.RenewAuthority, RotationAction.AddNext) or (RotationGoal.RenewServing, RotationAction.IssueServing)
                ? RotationGoal.Renew
                : goal;
        }
    }

    Task DoAsync(RotationAction action, string why, CertificateInventory found, CancellationToken stop)
    {
        var (authorities, now, place) = (found.Authorities!, time.GetUtcNow(), certificates.PlaceOf(CertificateGroup.Authorities));
        switch (action)
        {
            case RotationAction.CreateAuthority:
                // An authority that is trusted now may have signed what is served now.
                var kept = found.Trusted?.Values.SelectMany(b => b?.Authorities ?? []).Where(a => a.NotAfter > now).Distinct().ToList() ?? [];
                return ChangeAsync(new Authorities(Authority.Create(policy, now), null, kept), $"making an authority in {place}");
            case RotationAction.AddNext:
                return ChangeAsync(authorities with { Next = Authority.Create(policy, now) }, $"making the next authority in {place}");
            case RotationAction.Promote:
                return ChangeAsync(authorities.Promoted(), "the next authority becomes the signer");
            case RotationAction.RemoveOldAuthorities:
                return ChangeAsync(authorities with { Old = [] }, "removing the old authority");
            case RotationAction.Trust:
                var count = authorities.Bundle.Authorities.Count;
                report($"writing {count} trusted {(count == 1 ? "authority" : "authorities")} to {caBundles.Place}: {why}");
                return caBundles.WriteAsync(authorities.Bundle, stop);
            case RotationAction.IssueServing:
                report($"making a serving certificate in {certificates.PlaceOf(CertificateGroup.Serving)}: {why}");
                var issued = authorities.Signer.Issue(policy, now);
                return certificates.WriteAsync(CertificateGroup.Serving, StoredCertificates.Write(issued, authorities.Bundle), stop);
            default:
                throw new InvalidOperationException($"no way to do {action}");
        }

        Task ChangeAsync(Authorities changed, string what)
        {
            report($"{what}: {why}");
            return certificates.WriteAsync(CertificateGroup.Authorities, StoredCertificates.Write(changed), stop);
        }
    }

    // Counted from what this run has seen: a run that was killed cannot know when its write reached the last API server.
    TimeSpan? TrustedFor(CertificateInventory found)
    {
        var (bundle, now) = (found.Authorities?.Bundle, time.GetUtcNow());
        trusted = bundle is null || found.Trusted?.Values.All(bundle.Equals) != true ? null
            : trusted is { } seen && bundle.Equals(seen.Bundle) ? seen
            : (bundle, now);
        return now - trusted?.Since;
    }
}
