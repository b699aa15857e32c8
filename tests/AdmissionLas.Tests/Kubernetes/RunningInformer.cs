namespace AdmissionLas.Tests.Kubernetes;

/// <summary>An informer, or a reflector alone, that runs against a server until it is disposed of.</summary>
class RunningInformer(KubeApi api) : IAsyncDisposable
{
    readonly CancellationTokenSource stop = new();
    Task running = Task.CompletedTask;

    protected KubeApi Api => api;

    protected void Start(Func<CancellationToken, Task> run) => running = run(stop.Token);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        api.Dispose();
        stop.Dispose();
    }
}
