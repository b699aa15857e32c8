using System.Collections.Concurrent;
using k8s;
using Microsoft.AspNetCore.Http;

namespace AdmissionLas.Tests.Support;

/// <summary>
/// An API server that answers what a test wants, for what a real one cannot be made to do on demand: expired versions, streams cut in
/// the middle of a line, nonsense. Each request takes the next script of its kind; the last one is used again and again.
/// </summary>
sealed class FakeApiServer : IAsyncDisposable
{
    readonly ConcurrentQueue<Func<HttpContext, Task>> lists = new();
    readonly ConcurrentQueue<Func<HttpContext, Task>> watches = new();

    LoopbackServer? server;

    /// <summary>Answers for pods, where a test follows nodes beside them; without it the scripts answer for every resource.</summary>
    internal Func<HttpContext, Task>? Pods { get; set; }

    /// <summary>Answers for namespaces; without it none has opted in.</summary>
    internal Func<HttpContext, Task>? Namespaces { get; set; }

    /// <summary>How the server is reached.</summary>
    internal KubernetesClientConfiguration Configuration => new() { Host = Address };

    /// <summary>The query of each list, in order.</summary>
    internal ConcurrentQueue<string> Lists { get; } = new();

    /// <summary>The resource version from which each watch went on, in order.</summary>
    internal ConcurrentQueue<string> Watches { get; } = new();

    /// <summary>Answers requests for webhook registrations.</summary>
    internal Func<HttpContext, Task>? Registrations { get; set; }

    /// <summary>Answers requests that write an Event.</summary>
    internal Func<HttpContext, Task>? Events { get; set; }

    internal string Address => server!.Address;

    internal KubeApi Client(TimeProvider time) => new(Configuration, time);

    internal static async Task<FakeApiServer> StartAsync()
    {
        var fake = new FakeApiServer();
        fake.server = await LoopbackServer.StartAsync(fake.AnswerAsync);
        return fake;
    }

    internal FakeApiServer OnList(Func<HttpContext, Task> script)
    {
        lists.Enqueue(script);
        return this;
    }

    internal FakeApiServer OnWatch(Func<HttpContext, Task> script)
    {
        watches.Enqueue(script);
        return this;
    }

    /// <summary>A list, or a page of one.</summary>
    internal static Func<HttpContext, Task> List(string resourceVersion, string? next, params JsonObject[] nodes) => http => http.Response.WriteAsync(new JsonObject
    {
        ["kind"] = "NodeList",
        ["metadata"] = new JsonObject { ["resourceVersion"] = resourceVersion, ["continue"] = next },
        ["items"] = new JsonArray([.. nodes.Select(n => n.DeepClone())]),
    }.ToJsonString());

    /// <summary>A watch that says these lines and ends, or stays open.</summary>
    internal static Func<HttpContext, Task> Watch(bool staysOpen, params string[] lines) => async http =>
    {
        await http.Response.StartAsync();
        foreach (var line in lines)
        {
            await http.Response.WriteAsync(line);
            await http.Response.Body.FlushAsync();
        }

        if (staysOpen)
        {
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    };

    /// <summary>Does as the script says once the gate is open.</summary>
    internal static Func<HttpContext, Task> After(Task gate, Func<HttpContext, Task> script) => async http =>
    {
        await gate.WaitAsync(http.RequestAborted);
        await script(http);
    };

    /// <summary>Sends these lines, then breaks the connection.</summary>
    internal static Func<HttpContext, Task> CutOff(params string[] lines) => async http =>
    {
        await Watch(staysOpen: false, lines)(http);
        // What is still on its way when a connection is reset is lost.
        await Task.Delay(500);
        http.Abort();
    };

    internal static Func<HttpContext, Task> Status(int code) => http =>
    {
        http.Response.StatusCode = code;
        return http.Response.WriteAsync($$"""{"kind":"Status","code":{{code}}}""");
    };

    internal static string Line(string type, JsonObject value) => new JsonObject { ["type"] = type, ["object"] = value }.ToJsonString() + "\n";

    internal static string Bookmark(string resourceVersion) =>
        Line("BOOKMARK", new JsonObject { ["kind"] = "Node", ["metadata"] = new JsonObject { ["resourceVersion"] = resourceVersion } });

    internal static string Error(int code) => Line("ERROR", new JsonObject { ["kind"] = "Status", ["code"] = code, ["message"] = "too old" });

    internal static JsonObject Node(string name, string resourceVersion, string latency = "1ms") => new()
    {
        ["kind"] = "Node",
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["resourceVersion"] = resourceVersion,
            ["labels"] = new JsonObject { ["HERE"] = latency },
        },
    };

    /// <summary>A pod that is bound to a node, or else assumed on one by a review.</summary>
    internal static JsonObject Pod(string uid, string node, string? review = null, string cpu = "1", string? resourceVersion = null) => new()
    {
        ["kind"] = "Pod",
        ["metadata"] = new JsonObject
        {
            ["uid"] = uid,
            ["resourceVersion"] = resourceVersion ?? "1",
            // When a fake clock starts.
            ["creationTimestamp"] = "2000-01-01T00:00:00Z",
            ["annotations"] = review is null ? null : new JsonObject { ["admissionlas.io/assumed"] = $"{node}/{review}" },
        },
        ["spec"] = new JsonObject
        {
            ["nodeName"] = review is null ? node : null,
            ["containers"] = new JsonArray(new JsonObject { ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["cpu"] = cpu } } }),
        },
    };

    public ValueTask DisposeAsync() => server!.DisposeAsync();

    Task AnswerAsync(HttpContext http)
    {
        http.Response.ContentType = "application/json";
        if (Registrations is not null && http.Request.Path.Value!.Contains("/mutatingwebhookconfigurations", StringComparison.Ordinal))
        {
            return Registrations(http);
        }

        if (Events is not null && http.Request.Path.Value!.EndsWith("/events", StringComparison.Ordinal))
        {
            return Events(http);
        }

        if (Pods is not null && http.Request.Path.Value!.EndsWith("/pods", StringComparison.Ordinal))
        {
            return Pods(http);
        }

        // None has opted in, where a test is about nodes or pods.
        if (http.Request.Path.Value!.EndsWith("/namespaces", StringComparison.Ordinal) && http.Request.Query.ContainsKey("labelSelector"))
        {
            return (Namespaces ?? (http.Request.Query.ContainsKey("watch") ? Watch(staysOpen: true) : List("1", null)))(http);
        }

        if (http.Request.Query.ContainsKey("watch"))
        {
            Watches.Enqueue(http.Request.Query["resourceVersion"]!);
            return Next(watches)(http);
        }

        Lists.Enqueue(http.Request.QueryString.Value!);
        return Next(lists)(http);
    }

    static Func<HttpContext, Task> Next(ConcurrentQueue<Func<HttpContext, Task>> scripts)
    {
        lock (scripts)
        {
            return scripts.Count > 1 && scripts.TryDequeue(out var script) ? script : scripts.TryPeek(out script) ? script : Status(500);
        }
    }
}
