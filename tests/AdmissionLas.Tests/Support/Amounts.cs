namespace AdmissionLas.Tests.Support;

/// <summary>Resource lists as people write them: Kubernetes quantities.</summary>
static class Amounts
{
    internal static Resources Of(string? cpu = null, string? memory = null, params (string Name, long Amount)[] other) => new(
        cpu is null ? null : Cpu(cpu),
        memory is null ? null : Memory(memory),
        other.Length == 0 ? null : [.. other.Select(o => new ResourceAmount(o.Name, o.Amount))]);

    internal static long Cpu(string text) => Quantity.TryParseMilli(text, out var milli) ? milli : throw new ArgumentException(text);

    internal static long Memory(string text) => Quantity.TryParseUnits(text, out var bytes) ? bytes : throw new ArgumentException(text);
}
