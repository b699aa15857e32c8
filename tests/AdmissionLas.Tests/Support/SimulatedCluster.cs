using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;
using AdmissionLas.Doctor;

namespace AdmissionLas.Tests.Support;

/// <summary>
/// API servers and replicas that learn of changes late, each at its own time, around stores that a rotation writes to and can be killed at.
/// Whatever works once must go on working: it is checked after every single event.
/// </summary>
sealed class SimulatedCluster : ICertificateStore, ICaBundleStore, IRotationLock
{
    internal const string Host = "admission-las.admission-las.svc";

    internal static readonly CertificatePolicy Policy = new()
    {
        Subject = $"CN={Host}",
        AuthoritySubject = "CN=Test CA",
        DnsNames = [Host],
        ServingLifetime = TimeSpan.FromDays(90),
        AuthorityLifetime = TimeSpan.FromDays(300),
    };

    internal static readonly RotationTimings Timings = RotationTimings.Default with { Poll = TimeSpan.FromSeconds(30) };

    readonly Dictionary<CertificateGroup, IReadOnlyDictionary<string, string>?> groups = [];
    readonly Random lags;
    readonly TrustBundle?[] apiServers;
    readonly CertificateFacts?[] replicas;
    readonly HashSet<(int ApiServer, int Replica)> working = [];
    readonly Dictionary<(TrustBundle, CertificateFacts), bool> accepted = [];
    readonly SortedSet<(DateTimeOffset At, int Order)> times = [];
    readonly Dictionary<(DateTimeOffset At, int Order), Action> events = [];
    readonly SimulatedClock clock;
    int scheduled;

    internal SimulatedCluster(int seed = 1, int apiServerCount = 2, int replicaCount = 2)
    {
        lags = new Random(seed);
        apiServers = new TrustBundle?[apiServerCount];
        replicas = new CertificateFacts?[replicaCount];
        clock = new SimulatedClock(this);
    }

    internal TimeProvider Clock => clock;

    internal DateTimeOffset Now { get; private set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The registered bundle, in the API; <see langword="null"/> for a broken one.</summary>
    internal TrustBundle? Registered { get; set; } = TrustBundle.Empty;

    internal bool IsRegistered { get; set; } = true;

    internal bool ReplicasCanBeSeen { get; set; } = true;

    /// <summary>How long a replica may take to serve what is stored.</summary>
    internal TimeSpan SlowestReplica { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>The write at which the rotation is killed, counted from one.</summary>
    internal int? KillAtWrite { get; set; }

    internal bool KillAfterWriting { get; set; }

    internal int Writes { get; private set; }

    internal List<string> Reported { get; } = [];

    internal bool EverythingWorks => working.Count == apiServers.Length * replicas.Length && working.All(pair => Works(pair.ApiServer, pair.Replica));

    internal Task<RotationOutcome> RunAsync(RotationGoal goal, int? killAtWrite = null, bool afterWriting = false)
    {
        (Writes, KillAtWrite, KillAfterWriting) = (0, killAtWrite, afterWriting);
        return new Rotation(this, this, Policy, Timings, clock, Reported.Add).RunAsync(goal, CancellationToken.None);
    }

    internal Task<RotationOutcome> DryRunAsync(RotationGoal goal) =>
        new Rotation(this, this, Policy, Timings, clock, Reported.Add).DryRunAsync(goal, CancellationToken.None);

    internal Task<CertificateInventory> InventoryAsync() => CertificateInventory.ReadAsync(this, this, CancellationToken.None);

    internal void Delete(CertificateGroup group) => groups[group] = null;

    internal void Damage(CertificateGroup group, string? name = null) =>
        groups[group] = groups[group]!.ToDictionary(t => t.Key, t => name is null || t.Key == name ? t.Value[..(t.Value.Length / 2)] : t.Value);

    /// <summary>The registration is written by hand, and every API server has learnt of it: what stops working now is not the rotation's fault.</summary>
    internal void Overwrite(TrustBundle? bundle)
    {
        Registered = bundle;
        Array.Fill(apiServers, bundle);
        working.Clear();
    }

    /// <summary>Whether an API server with this bundle accepts a certificate, as the doctor judges it.</summary>
    internal static bool Accepts(TrustBundle bundle, CertificateFacts served, string host, DateTimeOffset now)
    {
        using var leaf = X509Certificate2.CreateFromPem(served.Pem);
        return ServedCertificateCheck.Evaluate(new ServedChain(leaf, [], "the replica"), bundle, host, now).All(f => f.Severity != Severity.Failed);
    }

    /// <summary>Lets time pass.</summary>
    internal void Pass(TimeSpan time)
    {
        var until = Now + time;
        while (times.Count > 0 && times.Min.At <= until)
        {
            var next = times.Min;
            times.Remove(next);
            events.Remove(next, out var happen);
            Now = next.At;
            happen!();
            Check();
        }

        Now = until;
        Check();
    }

    public string Place => "the registration";

    public CancellationToken Lost => CancellationToken.None;

    public string PlaceOf(CertificateGroup group) => group.ToString();

    public Task<IReadOnlyDictionary<string, string>?> ReadAsync(CertificateGroup group, CancellationToken stop) => Task.FromResult(groups.GetValueOrDefault(group));

    public Task WriteAsync(CertificateGroup group, IReadOnlyDictionary<string, string> texts, CancellationToken stop)
    {
        Write(() =>
        {
            groups[group] = texts;
            if (group == CertificateGroup.Serving)
            {
                for (var i = 0; i < replicas.Length; i++)
                {
                    var replica = i;
                    Later(SlowestReplica, () => replicas[replica] = groups[group] is { } stored ? CertificateFacts.Of(stored["tls.crt"]) : replicas[replica]);
                }
            }
        });
        return Task.CompletedTask;
    }

    public Task<IRotationLock> LockAsync(CancellationToken stop) => Task.FromResult<IRotationLock>(this);

    public Task<IReadOnlyDictionary<string, TrustBundle?>?> ReadAsync(CancellationToken stop) => Task.FromResult<IReadOnlyDictionary<string, TrustBundle?>?>(
        IsRegistered ? new Dictionary<string, TrustBundle?> { ["one"] = Registered, ["two"] = Registered } : null);

    public Task WriteAsync(TrustBundle bundle, CancellationToken stop)
    {
        Write(() =>
        {
            Registered = bundle;
            Spread();
        });
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<Replica>?> ReplicasAsync(CancellationToken stop) =>
        Task.FromResult<IReadOnlyList<Replica>?>(ReplicasCanBeSeen ? [.. replicas.Select((served, i) => new Replica($"replica-{i}", served, served is null ? "has not started" : null))] : null);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    void Write(Action write)
    {
        var killed = ++Writes == KillAtWrite;
        if (killed && !KillAfterWriting)
        {
            throw new KilledException();
        }

        write();
        Check();
        if (killed)
        {
            throw new KilledException();
        }
    }

    void Spread()
    {
        for (var i = 0; i < apiServers.Length; i++)
        {
            var apiServer = i;
            Later(Timings.TrustDelay, () => apiServers[apiServer] = Registered);
        }
    }

    void Later(TimeSpan atMost, Action happen)
    {
        var key = (Now + atMost * lags.NextDouble(), scheduled++);
        times.Add(key);
        events[key] = happen;
    }

    bool Works(int apiServer, int replica)
    {
        if (replicas[replica] is not { } served || apiServers[apiServer] is not { } bundle)
        {
            return false;
        }

        // The signatures are looked at once, the dates every time.
        if (!accepted.TryGetValue((bundle, served), out var accepts))
        {
            accepts = accepted[(bundle, served)] = Accepts(bundle, served, Host, served.NotBefore);
        }

        return accepts && Now >= served.NotBefore && Now <= served.NotAfter;
    }

    void Check()
    {
        for (var a = 0; a < apiServers.Length; a++)
        {
            for (var r = 0; r < replicas.Length; r++)
            {
                if (Works(a, r))
                {
                    working.Add((a, r));
                }
                else
                {
                    Assert.False(working.Contains((a, r)), $"at {Now:u} API server {a} no longer trusts replica {r}:\n{string.Join('\n', Reported)}");
                }
            }
        }
    }

    /// <summary>A clock that each wait moves forward.</summary>
    sealed class SimulatedClock(SimulatedCluster cluster) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => cluster.Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            cluster.Pass(dueTime);
            callback(state);
            return new Elapsed();
        }

        sealed class Elapsed : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => false;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}

/// <summary>The rotation's process ended here, without a chance to tidy up.</summary>
sealed class KilledException : Exception;
