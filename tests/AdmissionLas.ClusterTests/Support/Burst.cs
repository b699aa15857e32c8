using System.Collections.Concurrent;
using System.Diagnostics;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>Pods that many clients create at once, and whether anything became of each.</summary>
sealed class Burst(ControlPlane cluster, TestNamespace ns)
{
    const int Clients = 50;

    // By uid: of thousands of names that the API server makes up, one that was deleted may come again.
    readonly ConcurrentDictionary<string, JsonObject> created = [];
    readonly ConcurrentDictionary<string, bool> deleted = [];
    readonly long startedAt = Stopwatch.GetTimestamp();
    long refused;

    /// <summary>Since the first create.</summary>
    internal TimeSpan Took => Stopwatch.GetElapsedTime(startedAt);

    /// <summary>Creates that were refused or not answered, and were tried again.</summary>
    internal long Refused => Interlocked.Read(ref refused);

    /// <param name="count">How many.</param>
    /// <param name="pod">The pod of a number.</param>
    /// <param name="deleteEvery">One of so many is deleted at once.</param>
    /// <param name="insist">Try again until the API server is back.</param>
    internal Task CreateAsync(int count, Func<int, JsonObject> pod, int deleteEvery = int.MaxValue, bool insist = false) =>
        Parallel.ForEachAsync(Enumerable.Range(1, count), new ParallelOptions { MaxDegreeOfParallelism = Clients }, async (i, _) =>
        {
            var made = await InsistAsync(insist, () => ns.CreateAsync(pod(i)));
            var (uid, name) = (UidOf(made), made["metadata"]!["name"]!.GetValue<string>());
            created[uid] = made;
            if (i % deleteEvery == 0)
            {
                await InsistAsync(insist, async () =>
                {
                    await cluster.Api.DeleteAsync($"{ns.Pods}/{name}");
                    return name;
                });
                deleted[uid] = true;
            }
        });

    /// <summary>
    /// Waits until no pod is left waiting; there must be room for all. Every create that was answered is there, unless it was deleted, and
    /// had been given a place.
    /// </summary>
    /// <returns>The pods.</returns>
    internal async Task<JsonObject[]> AllBoundAsync()
    {
        // The scheduler alone takes a hundredth of a second for each.
        var bound = TimeSpan.FromSeconds(60 + (created.Count / 20));
        var one = "";
        try
        {
            await Eventually.IsTrueAsync($"none of the {created.Count} pods waits", async () =>
            {
                var waiting = (await cluster.Api.GetAsync($"{ns.Pods}?fieldSelector=spec.nodeName%3D&limit=1"))["items"]!.AsArray();
                one = waiting.Count == 0 ? "" : $"{waiting[0]!["metadata"]!["name"]}, {TestNamespace.DecisionOf(waiting[0]!.AsObject())}: {waiting[0]!["status"]}";
                await Task.Delay(waiting.Count * 200);
                return waiting.Count == 0;
            }, bound);
        }
        catch (TimeoutException fault)
        {
            throw new TimeoutException($"{fault.Message}; one that does: {one}", fault);
        }

        var pods = await ns.ListAsync();
        Assert.Empty(created.Keys.Except(deleted.Keys).Except(pods.Select(UidOf)));
        Assert.Empty(pods.Select(UidOf).Intersect(deleted.Keys));
        Assert.All(created.Values.Concat(pods), p => Assert.NotNull(TestNamespace.DecisionOf(p)));
        return pods;
    }

    async Task<T> InsistAsync<T>(bool insist, Func<Task<T>> action)
    {
        while (true)
        {
            try
            {
                return await action();
            }
            catch (HttpRequestException fault) when (IsNameTaken(fault))
            {
                // Nothing was created, and the next name is another.
            }
            catch (Exception fault) when (insist && fault is HttpRequestException or OperationCanceledException)
            {
                Interlocked.Increment(ref refused);
                await Task.Delay(500);
            }
        }
    }

    // The API server makes names of five characters, and of 5,000 pods two get the same one more often than not. Servers before 1.31 leave it
    // to the caller to try again, with a status that says as little as this.
    static bool IsNameTaken(HttpRequestException fault) =>
        fault.StatusCode == HttpStatusCode.InternalServerError && fault.Message.EndsWith("please try again.", StringComparison.Ordinal);

    static string UidOf(JsonObject pod) => pod["metadata"]!["uid"]!.GetValue<string>();
}
