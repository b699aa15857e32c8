using AdmissionLas.Certificates;
using k8s.Models;

namespace AdmissionLas.Doctor;

/// <summary>Checks the caBundle of each webhook entry: the authorities that the API server trusts.</summary>
static class CaBundleCheck
{
    const string Rotate = "run admission-las certs rotate, or admission-las register --ca-bundle <file>";

    internal static IReadOnlyList<Finding> Evaluate(V1MutatingWebhookConfiguration registration, DateTimeOffset now) =>
    [
        .. registration.Webhooks
            .GroupBy(w => Convert.ToBase64String(w.ClientConfig.CaBundle ?? []))
            .SelectMany(g => Evaluate(g.First(), string.Join(", ", g.Select(w => w.Name)), now)),
    ];

    /// <summary>The entry's authorities; <see langword="null"/> when it has none or they cannot be read.</summary>
    internal static TrustBundle? Read(V1MutatingWebhook entry) =>
        entry.ClientConfig.CaBundle is { Length: > 0 } bytes && TrustBundle.Read(Encoding.UTF8.GetString(bytes)) is { Authorities.Count: > 0 } bundle ? bundle : null;

    static IEnumerable<Finding> Evaluate(V1MutatingWebhook entry, string names, DateTimeOffset now)
    {
        if (entry.ClientConfig.CaBundle is not { Length: > 0 })
        {
            yield return entry.ClientConfig.Service is not null
                ? Finding.Failed(
                    $"{names} has no caBundle, so the API server cannot trust the webhook",
                    "run admission-las certs init, or admission-las register --ca-bundle <file>")
                : Finding.Warning(
                    $"{names} has no caBundle: the API server trusts public root authorities only",
                    "if none of those signed the webhook's certificate, run admission-las register --ca-bundle <file>");
            yield break;
        }

        if (Read(entry) is not { } bundle)
        {
            yield return Finding.Failed($"the caBundle of {names} cannot be read: it was overwritten", Rotate);
            yield break;
        }

        var valid = bundle.Authorities.Where(a => a.NotBefore <= now && now <= a.NotAfter).ToList();
        if (valid.Count == 0)
        {
            yield return bundle.Authorities.All(a => now < a.NotBefore)
                ? Finding.Failed(
                    $"no authority in the caBundle of {names} is valid yet: the first is valid from {bundle.Authorities.Min(a => a.NotBefore):u}",
                    "check the clocks of this machine and of the machine that made it")
                : Finding.Failed($"every authority in the caBundle of {names} has expired, the last at {bundle.Authorities.Max(a => a.NotAfter):u}", Rotate);
            yield break;
        }

        var last = valid.MaxBy(a => a.NotAfter)!;
        yield return now < last.RenewalDueAt
            ? Finding.Ok($"the caBundle of {names} has {Count(valid.Count)}, valid until {last.NotAfter:u}")
            : Finding.Warning($"the caBundle of {names} has less than a third of its life left: until {last.NotAfter:u}", Rotate);
        foreach (var expired in bundle.Authorities.Where(a => a.NotAfter < now))
        {
            yield return Finding.Warning($"the caBundle of {names} still holds {expired.Subject}, which expired at {expired.NotAfter:u}", Rotate);
        }
    }

    static string Count(int authorities) => authorities == 1 ? "1 authority" : $"{authorities} authorities";
}
