using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using static AdmissionLas.Tests.Support.FakeApiServer;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>How a resource is listed and watched, whatever the API server does: requests, what the handler gets, pauses, log.</summary>
public sealed class ReflectorTests
{
    static readonly JsonObject Large = new()
    {
        ["metadata"] = new JsonObject { ["name"] = "b", ["resourceVersion"] = "11" },
        ["status"] = new JsonObject { ["padding"] = new string('x', 300_000) },
    };

    static readonly Func<HttpContext, Task> Open = Watch(staysOpen: true);

    /// <param name="Lists">The server's answers to lists; the last one again and again.</param>
    /// <param name="Watches">The same for watches.</param>
    /// <param name="Events">All that the handler gets, in order, beside contacts.</param>
    /// <param name="From">The version from which each watch goes on.</param>
    /// <param name="Pages">The continue token of each list request.</param>
    sealed record Scenario(Func<HttpContext, Task>[] Lists, Func<HttpContext, Task>[] Watches, string Events, string From, string Pages);

    static readonly Dictionary<string, Scenario> Scenarios = new()
    {
        ["the pages of a list are one list, and the watch goes on from the first page, so that no change between pages is missed"] = new(
            [List("10", "more", Node("a", "99")), List("12", null, Node("b", "2"))], [Open],
            "list a b listed", "10", "-,more"),
        ["a watch that ends or is cut off is resumed from the last version seen"] = new(
            [List("10", null, Node("a", "1"))],
            [
                Watch(staysOpen: false, Line("ADDED", Node("b", "11"))), Watch(staysOpen: false, Bookmark("20")),
                CutOff(Line("ADDED", Node("c", "21")), "{\"type\":\"ADDED\",\"obj"), Watch(staysOpen: true, Line("DELETED", Node("a", "22"))),
            ],
            "list a listed set:b set:c interrupted delete:a", "10,11,20,21", "-"),
        ["a version that has expired when the watch is opened makes a new list"] = new(
            [List("10", null, Node("a", "1")), List("30", null, Node("b", "2"))], [Status(410), Open],
            "list a listed list b listed", "10,30", "-,-"),
        ["a version that expires during the watch makes a new list"] = new(
            [List("10", null, Node("a", "1")), List("30", null, Node("b", "2"))], [Watch(staysOpen: false, Error(410)), Open],
            "list a listed list b listed", "10,30", "-,-"),
        ["an expired page token makes a new list from the start"] = new(
            [List("10", "more", Node("a", "1")), Status(410), List("12", null, Node("b", "2"))], [Open],
            "list a list b listed", "12", "-,more,-"),
        ["a list that fails, between its pages too, never completes"] = new(
            [List("10", null, Node("a", "1")), Status(500), List("20", "more", Node("b", "2")), Status(500), List("30", null, Node("c", "3"))],
            [Watch(staysOpen: false, Error(410)), Open],
            "list a listed list interrupted list b interrupted list c listed", "10,30", "-,-,-,more,-"),
        ["an answer that is no list is a failure, and so is a list without a version, from which no watch can go on"] = new(
            [Watch(staysOpen: false, "no JSON"), Watch(staysOpen: false, "[]"), List("", null, Node("a", "1")), List("10", null, Node("b", "1"))], [Open],
            "list interrupted list interrupted list a interrupted list b listed", "10", "-,-,-,-"),
        ["watches fail in any way and go on from the same version"] = new(
            [http => throw new InvalidOperationException("down"), List("10", null, Node("a", "1"))],
            [Status(503), Watch(staysOpen: false, "this is no JSON\n"), Watch(staysOpen: false, Error(500)), Watch(staysOpen: true, Line("ADDED", Node("b", "11")))],
            "list interrupted list a listed interrupted interrupted interrupted set:b", "10,10,10,10", "-,-"),
        ["a watch that fails again and again from one version makes a new list"] = new(
            [List("10", null, Node("a", "1")), List("20", null, Node("b", "2"))],
            [http => (http.Request.Query["resourceVersion"] == "10" ? Status(400) : Open)(http)],
            "list a listed interrupted interrupted interrupted interrupted interrupted list b listed", "10,10,10,10,10,20", "-,-"),
        ["lines of the watch come in pieces, are large and end with the stream"] = new(
            [List("10", null, Node("a", "1"))],
            [Pieces(Line("ADDED", Large), Line("ADDED", Node("c", "12")) + Line("ADDED", Node("d", "13")).TrimEnd('\n')), Open],
            "list a listed set:b set:c set:d", "10,13", "-"),
        ["odd objects reach the handler as they are, and lines of no known type do not"] = new(
            [List("10", null, Node("a", "1"), [], new() { ["metadata"] = "none" })],
            [Watch(staysOpen: true, Line("MODIFIED", []), Line("DELETED", []), Line("UNHEARD-OF", []), "{}\n", Line("ADDED", Node("b", "11")))],
            "list a ? ? listed set:? delete:? set:b", "10", "-"),
        ["a line without a version leaves the last one seen"] = new(
            [List("10", null, Node("a", "1"))],
            [Watch(staysOpen: false, Bookmark("11"), Bookmark(""), Line("ADDED", Node("b", "")), Line("BOOKMARK", [])), Open],
            "list a listed set:b", "10,11", "-"),
        ["an API server that has just started and forbids everything for a moment is asked again"] = new(
            [List("10", null, Node("a", "1")), Status(403), Status(403), Status(403), List("20", null, Node("b", "1"))],
            [Watch(staysOpen: false, Bookmark("11")), Status(403), Open],
            "list a listed interrupted list interrupted list interrupted list interrupted list b listed", "10,11,20", "-,-,-,-,-"),
        ["a right that is taken away is reported, and once it is back there is a new list"] = new(
            [List("10", null, Node("a", "1")), Status(403), Status(403), Status(403), Status(403), List("20", null, Node("b", "1"))],
            [Watch(staysOpen: false, Bookmark("11")), Status(403), Open],
            "list a listed interrupted list interrupted list interrupted list interrupted list forbidden interrupted list b listed", "10,11,20", "-,-,-,-,-,-"),
    };

    public static TheoryData<string> ScenarioNames => new(Scenarios.Keys);

    [Theory]
    [MemberData(nameof(ScenarioNames))]
    public async Task The_handler_gets_what_the_API_server_says(string name)
    {
        var scenario = Scenarios[name];
        await using var server = await ServerAsync(scenario.Lists, scenario.Watches);
        await using var reflector = new RunningReflector(server, new HurriedTime());

        await reflector.HasReportedAsync(scenario.Events);
        var from = scenario.From.Split(',');
        await Eventually.IsTrueAsync("the last watch is opened", () => Task.FromResult(server.Watches.Count == from.Length));

        Assert.Equal(from, server.Watches);
        Assert.Equal(scenario.Pages, string.Join(',', server.Lists.Select(q => QueryHelpers.ParseQuery(q).TryGetValue("continue", out var token) ? token.ToString() : "-")));
        Assert.All(server.Lists, query => Assert.Contains("fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed", query, StringComparison.Ordinal));
        Assert.Equal(from.Length - 1, reflector.Reflector.Restarts);
    }

    [Fact]
    public async Task Objects_that_are_too_large_are_left_out_and_each_list_and_watch_says_so_once()
    {
        await using var server = await ServerAsync(
            [List("10", null, Node("a", "1"), Huge("b", "2"), Huge("c", "3"), Node("d", "4"))],
            [Watch(staysOpen: false, Line("ADDED", Huge("e", "11")), Line("MODIFIED", Huge("b", "12")), Line("ADDED", Node("f", "13")), Line("DELETED", Huge("c", "14"))), Open]);
        await using var reflector = new RunningReflector(server, new HurriedTime());

        await reflector.HasReportedAsync("list a skip:b skip:c d listed set:f delete:c");
        await Eventually.IsTrueAsync("the watch goes on", () => Task.FromResult(server.Watches.Count == 2));

        Assert.Equal(["10", "14"], server.Watches);
        Assert.Equal(4, reflector.Reflector.Skipped);
        Assert.Equal(
            ((string[])["list", "watch"]).Select(verb => $"The {verb} of pods had 2 objects of more than 10 MiB, which are not read; what was known of them stays"),
            reflector.Log.Lines.Where(l => l.Level == LogLevel.Warning).Select(l => l.Text));

        static JsonObject Huge(string name, string version)
        {
            // As an API server writes it: the metadata first.
            var huge = Node(name, version);
            huge["spec"] = new string('x', 10 << 20);
            return huge;
        }
    }

    [Fact]
    public async Task A_missing_right_is_logged_once_for_each_verb()
    {
        await using var server = await ServerAsync(
            [List("10", null, Node("a", "1")), Status(403), Status(403), List("20", null, Node("b", "1"))], [Watch(staysOpen: false, Bookmark("11")), Status(403), Open]);
        await using var reflector = new RunningReflector(server, new HurriedTime());

        await reflector.HasReportedAsync("list a listed interrupted list interrupted list interrupted list b listed");

        Assert.Equal(
            ((string[])["watch", "list"]).Select(verb => $"The watch on pods is interrupted: the API server forbids to {verb} pods; give our account the verbs list and watch on pods, as manifests/base/rbac.yaml does; decisions use the 7 known until it is back"),
            reflector.Log.Lines.Where(l => l.Level == LogLevel.Warning).Select(l => l.Text));
    }

    public static TheoryData<string> ShortStreams => new("", "{\"kind\":\"PodList\",\"items\":[]}\n", Line("ADDED", Node("b", "11")) + Error(410));

    [Theory]
    [MemberData(nameof(ShortStreams))]
    public async Task Watches_that_end_at_once_with_nothing_said_or_expired_are_opened_less_and_less_often(string said)
    {
        await using var server = await ServerAsync([List("10", null, Node("a", "1"))], [Watch(staysOpen: false, said)]);
        var time = new HurriedTime();
        await using var reflector = new RunningReflector(server, time);

        await Eventually.IsTrueAsync("a long delay was asked for", () => Task.FromResult(time.Delays.Any(d => d > TimeSpan.FromSeconds(5))));

        Assert.All(time.Delays, d => Assert.InRange(d, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task Where_no_server_answers_it_asks_every_few_seconds_however_long_that_lasts()
    {
        var server = await ServerAsync([List("10", null, Node("a", "1"))], [Open]);
        var time = new HurriedTime();
        await using var reflector = new RunningReflector(server, time);
        await reflector.HasReportedAsync("list a listed");
        time.Delays.Clear();

        await server.DisposeAsync();

        await Eventually.IsTrueAsync("it has asked again and again", () => Task.FromResult(time.Delays.Count >= 40));
        Assert.All(time.Delays, d => Assert.InRange(d, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public async Task A_watch_that_says_nothing_for_its_whole_life_makes_a_new_list()
    {
        var time = new FakeTimeProvider();
        var ended = new TaskCompletionSource();
        await using var server = await ServerAsync(
            [List("10", null, Node("a", "1")), List("5", null, Node("b", "2"))],
            [
                async http =>
                {
                    await http.Response.StartAsync();
                    await ended.Task;
                },
                Open,
            ]);
        await using var reflector = new RunningReflector(server, time);
        await Eventually.IsTrueAsync("a watch is opened", () => Task.FromResult(!server.Watches.IsEmpty));
        time.Advance(TimeSpan.FromSeconds(299));
        ended.SetResult();

        await Eventually.IsTrueAsync("the watch goes on", () =>
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            return Task.FromResult(server.Watches.Count == 2);
        });

        Assert.Equal("list a listed list b listed", reflector.Reported);
        Assert.Equal(["10", "5"], server.Watches);
    }

    [Fact]
    public async Task A_watch_that_neither_speaks_nor_ends_is_given_up()
    {
        var time = new FakeTimeProvider();
        await using var server = await ServerAsync([List("10", null, Node("a", "1"))], [Watch(staysOpen: true, Bookmark("11"))]);
        await using var reflector = new RunningReflector(server, time);
        await Eventually.IsTrueAsync("list and bookmark were contacts", () => Task.FromResult(reflector.Contacts == 2));

        await Eventually.IsTrueAsync("another watch is opened", () =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            return Task.FromResult(server.Watches.Count >= 2);
        });

        Assert.Equal(["10", "11"], server.Watches.Take(2));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_list_that_never_ends_is_given_up(bool inTheBody)
    {
        var time = new FakeTimeProvider();
        await using var server = await ServerAsync(
            [
                inTheBody ? Watch(staysOpen: true, """{"kind":"NodeList","items":[""") : http => Task.Delay(Timeout.Infinite, http.RequestAborted).WaitAsync(http.RequestAborted),
                List("10", null, Node("a", "1")),
            ],
            [Open]);
        await using var reflector = new RunningReflector(server, TimeProvider.System, clientTime: time);
        await Eventually.IsTrueAsync("a list is asked for", () => Task.FromResult(!server.Lists.IsEmpty));

        // By half seconds, so that even a slow machine answers the second list in time.
        await Eventually.IsTrueAsync("the second list is complete", () =>
        {
            if (server.Lists.Count < 2)
            {
                time.Advance(TimeSpan.FromSeconds(0.5));
            }

            return Task.FromResult(reflector.Reported == "list interrupted list a listed");
        });
    }

    [Theory]
    [InlineData("list")]
    [InlineData("watch")]
    [InlineData("delay")]
    public async Task Stopping_ends_it_whatever_it_is_waiting_for(string wait)
    {
        var never = After(new TaskCompletionSource().Task, Status(500));
        await using var server = await ServerAsync([wait switch { "list" => never, "delay" => Status(500), _ => List("10", null, Node("a", "1")) }], [never]);
        // This clock stands still, so that a delay never ends by itself.
        var reflector = new RunningReflector(server, new FakeTimeProvider());
        await Eventually.IsTrueAsync("it waits", () => Task.FromResult(!(wait == "watch" ? server.Watches : server.Lists).IsEmpty));

        await reflector.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
    }

    static async Task<FakeApiServer> ServerAsync(Func<HttpContext, Task>[] lists, Func<HttpContext, Task>[] watches)
    {
        var server = await StartAsync();
        Array.ForEach(lists, list => server.OnList(list));
        Array.ForEach(watches, watch => server.OnWatch(watch));
        return server;
    }

    static Func<HttpContext, Task> Pieces(string line, string rest) => Watch(staysOpen: false, line[..10], line[10..100_000], line[100_000..], "\n", rest);

    /// <summary>Waits of half a minute and less are over at once; how long they should have been is kept.</summary>
    sealed class HurriedTime : TimeProvider
    {
        internal ConcurrentQueue<TimeSpan> Delays { get; } = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime < TimeSpan.Zero || dueTime > TimeSpan.FromSeconds(30))
            {
                return base.CreateTimer(callback, state, dueTime, period);
            }

            Delays.Enqueue(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.FromMilliseconds(1), period);
        }
    }

    /// <summary>A reflector of pods whose handler writes down what it gets, each object by its name.</summary>
    sealed class RunningReflector : RunningInformer, IResourceEventHandler
    {
        readonly ConcurrentQueue<string> reported = new();
        int contacts;

        internal RunningReflector(FakeApiServer server, TimeProvider time, TimeProvider? clientTime = null) : base(server.Client(clientTime ?? TimeProvider.System))
        {
            Reflector = new Reflector(Api, WatchedResource.UnfinishedPods, this, time, Log);
            Start(Reflector.RunAsync);
        }

        internal Reflector Reflector { get; }

        internal RecordedLog<Reflector> Log { get; } = new();

        internal string Reported => string.Join(' ', reported);

        internal int Contacts => Volatile.Read(ref contacts);

        internal Task HasReportedAsync(string events) => Eventually.IsTrueAsync($"\"{events}\" is reported", () => Task.FromResult(Reported == events));

        int IResourceEventHandler.Count => 7;

        void IResourceEventHandler.OnListStarted() => reported.Enqueue("list");

        void IResourceEventHandler.OnListed(JsonElement item) => reported.Enqueue(Name(item));

        void IResourceEventHandler.OnSkipped(JsonElement head) => reported.Enqueue($"skip:{Name(head)}");

        void IResourceEventHandler.OnListCompleted() => reported.Enqueue("listed");

        void IResourceEventHandler.OnAddOrUpdate(JsonElement item) => reported.Enqueue($"set:{Name(item)}");

        void IResourceEventHandler.OnDelete(JsonElement item) => reported.Enqueue($"delete:{Name(item)}");

        void IResourceEventHandler.OnContact() => Interlocked.Increment(ref contacts);

        void IResourceEventHandler.OnInterrupted() => reported.Enqueue("interrupted");

        void IResourceEventHandler.OnForbidden() => reported.Enqueue("forbidden");

        static string Name(JsonElement item) => ObjectMetadata.Name(item) ?? "?";
    }
}
