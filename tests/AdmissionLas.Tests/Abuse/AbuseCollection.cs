namespace AdmissionLas.Tests.Abuse;

/// <summary>Attacks run alone: what they take of the machine is meant for one server, and a new connection has three seconds for its first request.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AbuseCollection
{
    public const string Name = "attacks";
}
