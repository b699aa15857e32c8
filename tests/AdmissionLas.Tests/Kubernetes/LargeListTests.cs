using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>What a list costs where somebody has made many large pods. It is about the memory of the whole process, so it runs alone.</summary>
[Collection(Alone)]
[CollectionDefinition(Alone, DisableParallelization = true)]
public sealed class LargeListTests
{
    const string Alone = "A list of large pods";
    const int PodBytes = 1_300_000;

    [Fact]
    public async Task A_list_takes_the_memory_of_one_pod_and_not_of_a_page()
    {
        await using var server = (await FakeApiServer.StartAsync()).OnList(Pages(pods: 160, PodBytes, out _));
        using var api = server.Client(TimeProvider.System);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var (listed, most) = (0, 0L);

        await api.ListAllAsync(WatchedResource.UnfinishedPods, pod =>
        {
            Assert.Equal($"pod-{listed}", ObjectMetadata.Uid(pod));
            most = Math.Max(most, listed++ % 20 == 0 ? GC.GetTotalMemory(forceFullCollection: true) : 0);
        }, default);

        Assert.Equal(160, listed);
        // The page has 208 MB. This is about one pod: its bytes in a buffer that has doubled, the table of its tokens, and as much for the server here.
        Assert.InRange(most - before, 0, 48 << 20);
    }

    // 500 usual pods are far less than a page should be.
    [Theory]
    [InlineData(1_200, 10_000, "500,500,500")]
    [InlineData(1_000, 100_000, "500,167,167,167")]
    public async Task Where_pods_are_large_a_page_is_asked_for_fewer(int pods, int podBytes, string limits)
    {
        await using var server = (await FakeApiServer.StartAsync()).OnList(Pages(pods, podBytes, out var asked));
        using var api = server.Client(TimeProvider.System);

        await api.ListAllAsync(WatchedResource.UnfinishedPods, _ => { }, default);

        Assert.Equal(limits, string.Join(',', asked));
    }

    [Fact]
    public void A_page_is_asked_for_one_object_at_least_and_grows_back_step_by_step()
    {
        Assert.Equal(1, KubeApi.NextLimit(12, bytes: long.MaxValue / 1000));
        Assert.Equal(2, KubeApi.NextLimit(1, bytes: 10_000));
        Assert.Equal(500, KubeApi.NextLimit(300, bytes: 0));
    }

    // As an API server: pages of no more pods than asked for, written as they are made.
    static Func<HttpContext, Task> Pages(int pods, int podBytes, out ConcurrentQueue<string> asked)
    {
        var limits = asked = [];
        var padding = new string('x', podBytes);
        return async http =>
        {
            var query = QueryHelpers.ParseQuery(http.Request.QueryString.Value);
            limits.Enqueue(query["limit"]!);
            var first = query.TryGetValue("continue", out var token) ? int.Parse(token!, CultureInfo.InvariantCulture) : 0;
            var end = Math.Min(pods, first + int.Parse(query["limit"]!, CultureInfo.InvariantCulture));
            await http.Response.WriteAsync($$$"""{"metadata":{"resourceVersion":"10","continue":"{{{(end < pods ? end : "")}}}"},"items":[""");
            for (var i = first; i < end; i++)
            {
                await http.Response.WriteAsync($$$"""{{{(i == first ? "" : ",")}}}{"metadata":{"uid":"pod-{{{i}}}"},"spec":{"containers":[{"args":["{{{padding}}}"]}]}}""");
            }

            await http.Response.WriteAsync("]}");
        };
    }
}
