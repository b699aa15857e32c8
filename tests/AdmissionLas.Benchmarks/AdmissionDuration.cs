using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace AdmissionLas.Benchmarks;

/// <summary>
/// What the API server itself counts for the webhook (<c>apiserver_admission_webhook_admission_duration_seconds</c>): the call and, where
/// there is a patch, its application to the pod. In dry runs, which admission treats as any create, so that no scheduler is at work meanwhile.
/// </summary>
static partial class AdmissionDuration
{
    /// <summary>The entry of the registration that pods with bare labels come to.</summary>
    const string Webhook = "place.admissionlas.io";
    const int Rounds = 5;

    /// <param name="kubeconfig">A cluster in which the webhook is registered for the namespace kubeflow.</param>
    /// <param name="count">How many pods of each kind.</param>
    internal static async Task<int> RunAsync(string kubeconfig, int count)
    {
        using var cluster = new LoadedCluster(kubeconfig);
        var kinds = new (string Name, JsonObject Pod)[] { ("with a patch", Pod("Predict")), ("without", Pod("nothing")) };
        var totals = kinds.Select(_ => (Seconds: 0.0, Calls: 0L, Means: new List<double>())).ToArray();
        foreach (var (_, pod) in kinds)
        {
            await CreateAsync(cluster, pod, count / Rounds);
        }

        for (var round = 0; round < Rounds; round++)
        {
            foreach (var (i, (_, pod)) in kinds.Index())
            {
                var before = await CountedAsync(cluster);
                await CreateAsync(cluster, pod, count / Rounds);
                var after = await CountedAsync(cluster);
                var (seconds, calls) = (after.Seconds - before.Seconds, after.Calls - before.Calls);
                if (calls == 0)
                {
                    throw new InvalidOperationException($"the API server counted no call of {Webhook}; is it registered?");
                }

                totals[i].Seconds += seconds;
                totals[i].Calls += calls;
                totals[i].Means.Add(1000 * seconds / calls);
            }
        }

        foreach (var (i, (name, _)) in kinds.Index())
        {
            Console.WriteLine(
                $"{name,-12}  mean {1000 * totals[i].Seconds / totals[i].Calls:0.00} ms of {totals[i].Calls} calls ({Rounds} rounds: {totals[i].Means.Min():0.00} to {totals[i].Means.Max():0.00})");
        }

        return 0;
    }

    static async Task CreateAsync(LoadedCluster cluster, JsonObject pod, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await cluster.DryRunAsync("kubeflow", pod);
        }
    }

    static async Task<(double Seconds, long Calls)> CountedAsync(LoadedCluster cluster)
    {
        var lines = (await cluster.GetAsync("/metrics")).Split('\n').Where(l => l.Contains($"name=\"{Webhook}\"", StringComparison.Ordinal)).ToArray();
        return (Sum("sum"), (long)Sum("count"));

        double Sum(string suffix) => lines.Select(l => Counted().Match(l)).Where(m => m.Success && m.Groups[1].Value == suffix)
            .Sum(m => double.Parse(m.Groups[2].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^apiserver_admission_webhook_admission_duration_seconds_(sum|count)\{.*\} (\S+)$")]
    private static partial Regex Counted();

    static JsonObject Pod(string type)
    {
        using var text = File.OpenText(Path.Combine(AppContext.BaseDirectory, "Corpus", "kfp-v2-big", "pod.yaml"));
        var pod = JsonObject.Create(YamlJson.ReadObjects(text)[0])!;
        var metadata = pod["metadata"]!.AsObject();
        metadata.Remove("namespace");
        metadata.Remove("name");
        metadata["generateName"] = "step-";
        metadata["labels"]!["typeOfComponent"] = type;
        metadata["labels"]!["OurLocation"] = "HOME-EDGE";
        return pod;
    }
}
