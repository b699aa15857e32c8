using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace AdmissionLas.Benchmarks;

/// <summary>
/// The memory of the server's own process with 5,000 nodes and 150,000 pods. This process plays the API server; each pod is one of the
/// corpus's of 10 KB.
/// </summary>
static class UsageMemory
{
    const int Nodes = 5_000;
    const int Pods = 150_000;
    const int PageSize = 500;
    const int Changes = 20_000;

    static readonly TaskCompletionSource Changed = new();

    /// <param name="server">The server's program, <c>admission-las</c> or <c>admission-las.dll</c>.</param>
    internal static async Task<int> RunAsync(string server)
    {
        var files = Directory.CreateTempSubdirectory("admissionlas-usage-memory-");
        try
        {
            await using var api = await LoopbackServer.StartAsync(AnswerAsync);
            var startedAt = Stopwatch.GetTimestamp();
            await using var process = await ServerProcess.StartAsync(server, "--kubeconfig", Kubeconfig.Write(files.FullName, api.Address));
            while (!(await process.ReadinessAsync()).Contains($"{Pods} pods counted", StringComparison.Ordinal))
            {
                await Task.Delay(500);
            }

            Print($"after the list ({Stopwatch.GetElapsedTime(startedAt).TotalSeconds:0} s)", process);
            await Changed.Task;
            await Task.Delay(TimeSpan.FromSeconds(5));
            Print($"after {Changes:n0} changes", process);
            Console.WriteLine($"CPU {process.CpuSeconds:0.0} s");
            return 0;
        }
        finally
        {
            files.Delete(recursive: true);
        }
    }

    static void Print(string when, ServerProcess process) =>
        Console.WriteLine($"{when}: {process.ResidentMegabytes:0} MB resident, {process.PeakMegabytes:0} MB at most");

    static async Task AnswerAsync(HttpContext http)
    {
        var isPods = http.Request.Path.Value!.EndsWith("/pods", StringComparison.Ordinal);
        http.Response.ContentType = "application/json";
        if (http.Request.Query.ContainsKey("watch"))
        {
            await http.Response.StartAsync();
            for (var i = 0; isPods && i < Changes; i++)
            {
                await http.Response.WriteAsync($$"""{"type":"MODIFIED","object":{{Pod(i * 7 % Pods, (i * 7 % Pods) + 1)}}}{{"\n"}}""");
            }

            await http.Response.Body.FlushAsync();
            if (isPods)
            {
                Changed.TrySetResult();
            }

            await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        var first = int.TryParse(http.Request.Query["continue"], CultureInfo.InvariantCulture, out var from) ? from : 0;
        var next = first + PageSize < (isPods ? Pods : Nodes) ? (first + PageSize).ToString(CultureInfo.InvariantCulture) : "";
        var text = new StringBuilder($$"""{"metadata":{"resourceVersion":"10","continue":"{{next}}"},"items":[""");
        for (var i = first; i < first + PageSize; i++)
        {
            text.Append(i == first ? "" : ",").Append(isPods ? Pod(i, i) : Node(i));
        }

        await http.Response.WriteAsync(text.Append("]}").ToString());
    }

    static readonly Lazy<string> Template = new(() =>
    {
        using var text = File.OpenText(Path.Combine(AppContext.BaseDirectory, "Corpus", "kfp-v2-big", "pod.yaml"));
        var pod = JsonObject.Create(YamlJson.ReadObjects(text)[0])!;
        pod["metadata"]!["uid"] = "THE-UID";
        pod["metadata"]!["resourceVersion"] = "11";
        pod["spec"]!["nodeName"] = "THE-NODE";
        pod["status"] = new JsonObject { ["phase"] = "Running" };
        return pod.ToJsonString();
    });

    static string Pod(int pod, int node) => Template.Value
        .Replace("THE-UID", new Guid(pod, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).ToString(), StringComparison.Ordinal)
        .Replace("THE-NODE", string.Create(CultureInfo.InvariantCulture, $"node-{node % Nodes:0000}"), StringComparison.Ordinal);

    static string Node(int i)
    {
        var labels = string.Join(',', Enumerable.Range(0, 20).Select(l => string.Create(CultureInfo.InvariantCulture, $"\"LOCATION-{l}\":\"{0.1 + (((i * 7919) + (l * 104729)) % 100_000 / 1000.0)}ms\"")));
        return string.Create(CultureInfo.InvariantCulture, $$$"""
            {"metadata":{"name":"node-{{{i:0000}}}","labels":{"kubernetes.io/hostname":"node-{{{i:0000}}}",{{{labels}}} } },"status":{"conditions":[{"type":"Ready","status":"True"}],"allocatable":{"cpu":"64","memory":"256Gi","pods":"110"} } }
            """);
    }
}
