using k8s.Autorest;

namespace AdmissionLas.Doctor;

/// <summary>Checks that the API server answers and that its clock agrees with this machine's.</summary>
static class ApiServerCheck
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(1);

    internal static async Task<IReadOnlyList<Finding>> EvaluateAsync(KubeApi api, TimeProvider time, CancellationToken stop)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stop);
        timeout.CancelAfter(Timeout);
        try
        {
            var (version, itsTime) = await api.VersionAsync(timeout.Token).ConfigureAwait(false);
            return [Finding.Ok($"the API server {api.Address.Authority} answers: Kubernetes {version}"), .. Clock(itsTime, time.GetUtcNow())];
        }
        catch (Exception fault) when (ApiFault.Is(fault) && !stop.IsCancellationRequested)
        {
            var what = fault is HttpOperationException ? "refuses the request" : "does not answer";
            return [Finding.Failed($"the API server {api.Address.Authority} {what}: {ApiFault.Reason(fault)}", ApiFault.Advice)];
        }
    }

    internal static IEnumerable<Finding> Clock(DateTimeOffset? theirs, DateTimeOffset ours)
    {
        if (theirs is { } date && (ours - date).Duration() > MaxSkew)
        {
            yield return Finding.Warning(
                $"this machine's clock and the API server's are {(ours - date).Duration():hh\\:mm\\:ss} apart",
                "correct the wrong clock: a machine whose clock is slow refuses new certificates");
        }
    }
}
