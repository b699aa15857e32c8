using AdmissionLas.Configuration;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace AdmissionLas.Observers;

/// <summary>
/// Writes Kubernetes Events for what reviews left in the queue, one at a time and grouped. Whatever goes wrong with them costs no pod anything.
/// </summary>
/// <remarks>Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/; core/v1, which kubectl counts and every release has.</remarks>
sealed partial class EventSender(
    KubernetesClientConfiguration configuration, PlacementEventQueue queue, IOptions<EventOptions> options, WebhookMetrics metrics, LogThrottle throttle, TimeProvider time, ILogger<EventSender> log)
    : BackgroundService
{
    const string Component = "admission-las";

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    readonly EventAggregator groups = new(time);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled)
        {
            return;
        }

        var waiting = queue.Open();
        using var api = new KubeApi(configuration, time);
        Task<bool>? arrival = null;
        try
        {
            while (true)
            {
                arrival ??= waiting.WaitToReadAsync(stoppingToken).AsTask();
                using var beat = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                await Task.WhenAny(arrival, Task.Delay(Beat, time, beat.Token)).ConfigureAwait(false);
                await beat.CancelAsync().ConfigureAwait(false);
                stoppingToken.ThrowIfCancellationRequested();
                arrival = arrival.IsCompleted ? null : arrival;
                while (waiting.TryRead(out var problem))
                {
                    if (groups.ShouldSendNow(problem))
                    {
                        await SendAsync(api, problem, 1, stoppingToken).ConfigureAwait(false);
                    }
                    else
                    {
                        metrics.EventEnded("grouped");
                    }
                }

                foreach (var (last, count) in groups.Ended())
                {
                    await SendAsync(api, last, count, stoppingToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    async Task SendAsync(KubeApi api, PlacementProblem problem, int count, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            await WriteAsync(api, problem, count, time.GetUtcNow().UtcDateTime, patience.Token).ConfigureAwait(false);
            metrics.EventEnded("sent");
        }
        catch (Exception fault) when (!stop.IsCancellationRequested)
        {
            metrics.EventEnded("failed");
            if (throttle.Allows("event", out var suppressed))
            {
                NotSent(problem.Namespace, Words(fault), suppressed);
            }
        }
    }

    /// <summary>Writes one event.</summary>
    /// <param name="api">The API server.</param>
    /// <param name="problem">What it is about.</param>
    /// <param name="count">For how many steps it stands.</param>
    /// <param name="now">When that was, UTC.</param>
    /// <param name="stop">Ends the request.</param>
    /// <exception cref="HttpOperationException">The API server refused.</exception>
    internal static Task WriteAsync(KubeApi api, PlacementProblem problem, int count, DateTime now, CancellationToken stop) =>
        api.CreateAsync(ObjectKinds.Events, problem.Namespace, EventOf(problem, count, now), stop);

    static Corev1Event EventOf(in PlacementProblem problem, int count, DateTime now)
    {
        var message = count == 1 ? problem.Message : string.Create(CultureInfo.InvariantCulture, $"{problem.Message} ({count} steps of this namespace within a minute)");
        return new Corev1Event
        {
            Metadata = new V1ObjectMeta { GenerateName = "admission-las-", NamespaceProperty = problem.Namespace },
            InvolvedObject = new V1ObjectReference
            {
                ApiVersion = problem.Owner.ApiVersion,
                Kind = problem.Owner.Kind,
                Name = problem.Owner.Name,
                NamespaceProperty = problem.Namespace,
                Uid = problem.Owner.Uid.Length == 0 ? null : problem.Owner.Uid,
            },
            Type = "Warning",
            Reason = problem.Reason,
            Message = PlainText.Cut(message, PlacementProblem.LongestMessage),
            Count = count,
            FirstTimestamp = now,
            LastTimestamp = now,
            Source = new V1EventSource { Component = Component },
            ReportingComponent = Component,
            ReportingInstance = Environment.MachineName,
        };
    }

    // The client puts whole response bodies into its messages.
    static string Words(Exception fault) => fault is HttpOperationException refused
        ? string.Create(CultureInfo.InvariantCulture, $"the API server answered {(int)refused.Response.StatusCode} {refused.Response.StatusCode}")
        : fault.Message;

    [LoggerMessage(Level = LogLevel.Warning, Message = "An event in namespace {Namespace} was not written: {Reason} ({Suppressed} more like it since the last line); pods are not affected")]
    partial void NotSent(string @namespace, string reason, long suppressed);
}
