using AdmissionLas.Cli;
using AdmissionLas.Kubernetes;

namespace AdmissionLas.Doctor;

/// <summary>Whether the API server answers, and what time it has.</summary>
static class ApiServerCheck
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    static readonly TimeSpan TolerableSkew = TimeSpan.FromMinutes(1);

    internal static async Task<IReadOnlyList<Finding>> EvaluateAsync(KubeApi api, TimeProvider time, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            var (version, itsTime) = await api.VersionAsync(patience.Token).ConfigureAwait(false);
            return [Finding.Ok($"the API server {api.Address.Authority} answers: Kubernetes {version}"), .. Clock(itsTime, time.GetUtcNow())];
        }
        catch (Exception fault) when (ApiFault.Is(fault) && !stop.IsCancellationRequested)
        {
            return [Finding.Failed($"the API server {api.Address.Authority} cannot be asked: {ApiFault.Reason(fault)}", ApiFault.Advice)];
        }
    }

    internal static IEnumerable<Finding> Clock(DateTimeOffset? theirs, DateTimeOffset ours)
    {
        if (theirs is { } date && (ours - date).Duration() > TolerableSkew)
        {
            yield return Finding.Warning(
                $"this machine's clock and the API server's are {(ours - date).Duration():hh\\:mm\\:ss} apart", "set the wrong one; certificates that were just made are refused where it is too early");
        }
    }
}
