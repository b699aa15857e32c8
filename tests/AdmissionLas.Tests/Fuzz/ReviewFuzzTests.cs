using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AdmissionLas.Admission;
using AdmissionLas.Kubernetes;
using AdmissionLas.Tests.Support;
using Xunit.Abstractions;

namespace AdmissionLas.Tests.Fuzz;

/// <summary>
/// Whatever the bytes are, there is an answer: an allowing review, or a refusal that says why. Runs for FUZZ_SECONDS (default 5) from
/// FUZZ_SEED (default: a new one, told on failure).
/// </summary>
public sealed class ReviewFuzzTests(ITestOutputHelper output)
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(Setting("FUZZ_SECONDS") ?? 5);

    [Fact]
    public void Every_body_gets_an_answer_or_a_refusal_and_nothing_else()
    {
        var seed = Setting("FUZZ_SEED") ?? Environment.TickCount;
        var random = new Random(seed);
        var state = new ClusterState(TimeProvider.System);
        state.Publish(Testbed.View);
        var handler = new ReviewHandler(new Settings(CompiledSettings.Default), state);
        var seeds = Reviews();
        var (answered, patched, refused) = (0, 0, 0);

        var startedAt = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(startedAt) < Bound)
        {
            var body = Mutate(random, seeds);
            try
            {
                switch (Judge(handler, body))
                {
                    case Verdict.Refused: refused++; break;
                    case Verdict.Patched: patched++; break;
                    default: answered++; break;
                }
            }
            catch (Exception fault)
            {
                throw new InvalidOperationException($"FUZZ_SEED={seed}: {fault.Message}; body, base64: {Convert.ToBase64String(body)[..Math.Min(4000, Convert.ToBase64String(body).Length)]}", fault);
            }
        }

        output.WriteLine($"seed {seed}: {answered} answered without a patch, {patched} with one, {refused} refused");
        // Something of everything, or the run has tested nothing.
        Assert.True(answered > 100 && patched > 100 && refused > 100, $"seed {seed}: {answered} answered, {patched} patched, {refused} refused");
    }

    enum Verdict { Refused, Answered, Patched }

    static Verdict Judge(ReviewHandler handler, byte[] body)
    {
        var answer = new ArrayBufferWriter<byte>();
        Handled handled;
        try
        {
            handled = handler.Handle(body, answer);
        }
        catch (NotAReviewException refusal)
        {
            Assert.NotEmpty(refusal.Message);
            Assert.Equal(0, answer.WrittenCount);
            return Verdict.Refused;
        }

        Assert.Null(handled.Fault);
        using var written = JsonDocument.Parse(answer.WrittenMemory);
        var response = written.RootElement.GetProperty("response");
        Assert.True(response.GetProperty("allowed").GetBoolean());
        Assert.NotEmpty(response.GetProperty("uid").GetString()!);
        if (!response.TryGetProperty("patch", out var patch))
        {
            return Verdict.Answered;
        }

        // Where a key stands twice, the library's model of the pod and the API server's differ; what it cannot hold it cannot patch.
        if (PodOf(body) is { } pod)
        {
            PatchApplication.Apply(pod, Encoding.UTF8.GetString(patch.GetBytesFromBase64()));
        }

        return Verdict.Patched;
    }

    static JsonObject? PodOf(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 1000 })!["request"]!["object"]!.AsObject();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static byte[][] Reviews() =>
    [
        .. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Corpus"), "pod.yaml", SearchOption.AllDirectories).Select(file =>
        {
            using var text = File.OpenText(file);
            return Encoding.UTF8.GetBytes(SampleReview.Of(JsonObject.Create(YamlJson.ReadObjects(text)[0])!, "a-uid").ToJsonString());
        }),
    ];

    static byte[] Mutate(Random random, byte[][] reviews)
    {
        var review = reviews[random.Next(reviews.Length)];
        return random.Next(8) switch
        {
            0 => Noise(random),
            1 => review[..random.Next(review.Length)],
            2 => FlipBytes(random, review),
            3 => Splice(random, review, reviews[random.Next(reviews.Length)]),
            4 => Repeat(random, review),
            5 => review,
            _ => ChangeValues(random, review),
        };
    }

    static byte[] Noise(Random random)
    {
        var noise = new byte[random.Next(512)];
        random.NextBytes(noise);
        return noise;
    }

    static byte[] FlipBytes(Random random, byte[] review)
    {
        var flipped = review.ToArray();
        for (var i = random.Next(1, 6); i > 0; i--)
        {
            flipped[random.Next(flipped.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)"{}[],:\"0-ent\\ "[random.Next(13)];
        }

        return flipped;
    }

    static byte[] Splice(Random random, byte[] a, byte[] b) => [.. a[..random.Next(a.Length)], .. b[random.Next(b.Length)..]];

    static byte[] Repeat(Random random, byte[] review)
    {
        var from = random.Next(review.Length);
        var to = Math.Min(review.Length, from + random.Next(200));
        return [.. review[..to], .. review[from..to], .. review[to..]];
    }

    /// <summary>Well-formed JSON with other values: other types, huge numbers, odd strings, deep nesting, members gone or doubled.</summary>
    static byte[] ChangeValues(Random random, byte[] review)
    {
        var root = JsonNode.Parse(review)!;
        for (var i = random.Next(1, 5); i > 0; i--)
        {
            Change(random, root);
        }

        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    static void Change(Random random, JsonNode root)
    {
        var parent = root;
        while (true)
        {
            var children = parent is JsonObject o ? [.. o.Select(m => m.Value)] : parent is JsonArray a ? [.. a] : Array.Empty<JsonNode?>();
            if (children.Length == 0)
            {
                return;
            }

            var child = children[random.Next(children.Length)];
            if (child is JsonObject or JsonArray && random.Next(6) != 0)
            {
                parent = child;
                continue;
            }

            Replace(random, parent, Array.IndexOf(children, child));
            return;
        }
    }

    static void Replace(Random random, JsonNode parent, int index)
    {
        if (parent is JsonArray list)
        {
            list[index] = Value(random);
            return;
        }

        var members = parent.AsObject();
        var key = members.ElementAt(index).Key;
        if (random.Next(5) == 0)
        {
            members.Remove(key);
        }
        else
        {
            members[key] = Value(random);
        }
    }

    static JsonNode? Value(Random random) => random.Next(14) switch
    {
        0 => null,
        1 => JsonValue.Create(true),
        2 => JsonValue.Create(-1),
        3 => JsonNode.Parse("1e308"),
        4 => JsonNode.Parse("123456789012345678901234567890"),
        5 => JsonValue.Create(""),
        6 => JsonValue.Create(new string('x', random.Next(10_000))),
        7 => JsonValue.Create("\u0000\u001f\ud83d\ude80~1/~0"),
        8 => JsonValue.Create("Predict"),
        9 => JsonValue.Create("9999999999999999Ei"),
        10 => new JsonArray(JsonValue.Create(1), null, new JsonObject()),
        11 => new JsonObject { ["a"] = new JsonArray() },
        12 => JsonNode.Parse(new string('[', 60) + new string(']', 60)),
        _ => JsonValue.Create("HOME-EDGE"),
    };

    static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;
}
