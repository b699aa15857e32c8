using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using Xunit.Abstractions;

namespace AdmissionLas.Tests.Fuzz;

/// <summary>
/// Whatever the bytes are, there is an answer: an allowing review, or a refusal that says why. Runs for FUZZ_SECONDS (default 5) from
/// FUZZ_SEED (default: a new one, printed on failure).
/// </summary>
public sealed class ReviewFuzzTests(ITestOutputHelper output)
{
    static readonly string Corpus = Path.Combine(AppContext.BaseDirectory, "Corpus");
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(Setting("FUZZ_SECONDS") ?? 5);

    [Fact]
    public void Every_body_gets_an_answer_or_a_refusal_and_nothing_else()
    {
        var seed = Setting("FUZZ_SEED") ?? Environment.TickCount;
        var random = new Random(seed);
        var handlers = Handlers();
        var seeds = Reviews();
        var (answered, patched, refused) = (0, 0, 0);

        var startedAt = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(startedAt) < Bound)
        {
            var body = Mutate(random, seeds);
            try
            {
                switch (Send(handlers[random.Next(handlers.Length)], body))
                {
                    case Ending.Refused: refused++; break;
                    case Ending.Patched: patched++; break;
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

    enum Ending { Refused, Answered, Patched }

    static Ending Send(ReviewHandler handler, byte[] body)
    {
        var answer = new AnswerBuffer();
        ReviewResult result;
        try
        {
            result = handler.Handle(body, answer);
        }
        catch (NotAReviewException refusal)
        {
            Assert.NotEmpty(refusal.Message);
            Assert.Equal(0, answer.Answer.Written.Length);
            return Ending.Refused;
        }

        Assert.Null(result.Fault);
        using var written = JsonDocument.Parse(answer.Answer.Written);
        var response = written.RootElement.GetProperty("response");
        Assert.True(response.GetProperty("allowed").GetBoolean());
        Assert.NotEmpty(response.GetProperty("uid").GetString()!);
        if (response.TryGetProperty("warnings", out var warnings))
        {
            // The replacement character is what a warning cut in half of a surrogate pair ends with.
            Assert.All(warnings.EnumerateArray(), w => Assert.InRange(w.GetString()!.Length, 1, 256));
            Assert.All(warnings.EnumerateArray(), w => Assert.False(w.GetString()!.EndsWith('\uFFFD')));
        }

        if (!response.TryGetProperty("patch", out var patch))
        {
            return Ending.Answered;
        }

        // Where a key stands twice, the library's model of the pod and the API server's differ; what it cannot hold it cannot patch.
        if (PodOf(body) is { } pod)
        {
            PatchApplication.Apply(pod, Encoding.UTF8.GetString(patch.GetBytesFromBase64()));
        }

        return Ending.Patched;
    }

    // Without rules, and with the corpus's rules and a pin, on other nodes: the two take different branches of the decision.
    static ReviewHandler[] Handlers() =>
    [
        Handler(CompiledSettings.Default, Testbed.View),
        Handler(ServerSettings.Read(Path.Combine(Corpus, "rules.yaml")), Testbed.TwoClouds),
        Handler(CompiledSettings.Of(new StepRules(), new PlacementPolicy { Mode = PlacementMode.Required }), Testbed.TwoClouds),
    ];

    static ReviewHandler Handler(CompiledSettings settings, ClusterView view)
    {
        var state = new ClusterState(TimeProvider.System);
        state.Publish(view);
        return new ReviewHandler(new Settings(settings), state, Usages.UsageCache(), EnglishDecisionText.Instance);
    }

    static JsonObject? PodOf(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 1000 })!["request"]!["object"]!.AsObject();
        }
        // A name with half a surrogate pair, in a part of the pod that is not read, is more than the library's model holds.
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    static byte[][] Reviews() =>
    [
        .. Directory.GetFiles(Corpus, "pod.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file =>
        {
            using var text = File.OpenText(file);
            return Encoding.UTF8.GetBytes(SampleReview.Of(JsonObject.Create(YamlJson.ReadObjects(text)[0])!, "a-uid").ToJsonString());
        }),
    ];

    internal static byte[] Mutate(Random random, byte[][] reviews)
    {
        var review = reviews[random.Next(reviews.Length)];
        return random.Next(10) switch
        {
            0 => Noise(random),
            1 => review[..random.Next(review.Length)],
            2 => FlipBytes(random, review),
            3 => Splice(random, review, reviews[random.Next(reviews.Length)]),
            4 => Repeat(random, review),
            5 => review,
            6 or 7 => ChangeTokens(random, review),
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

    /// <summary>What no model of JSON can hold: members that stand twice, half surrogate pairs, nesting beyond the reader's limit.</summary>
    static byte[] ChangeTokens(Random random, byte[] review)
    {
        var changed = review;
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var tokens = Tokens(changed);
            if (tokens.Count == 0)
            {
                return changed;
            }

            var (start, end, isName) = tokens[random.Next(tokens.Count)];
            changed = isName
                ? random.Next(3) switch
                {
                    // The member once more, in front of itself, with another value.
                    0 => [.. changed[..start], .. changed[start..end], (byte)':', .. Token(random), (byte)',', .. changed[start..]],
                    // A name of another place.
                    1 when tokens.Where(t => t.IsName).ToArray() is { Length: > 0 } names && names[random.Next(names.Length)] is var other =>
                        [.. changed[..start], .. changed[other.Start..other.End], .. changed[end..]],
                    _ => [.. changed[..start], .. "\"\\ud800"u8, .. changed[(start + 1)..]],
                }
                : [.. changed[..start], .. Token(random), .. changed[end..]];
        }

        return changed;
    }

    static byte[] Token(Random random) => random.Next(10) switch
    {
        0 => [.. "null"u8],
        1 => [.. "-0.0e-9999"u8],
        2 => [.. "\"\\udc00\\ud800\""u8],
        3 => [.. "\"\\u0050redict\""u8],
        4 => [.. "{\"a\":1,\"a\":{}}"u8],
        5 => Encoding.UTF8.GetBytes($"\"{string.Concat(Enumerable.Repeat("\ud83d\ude80", random.Next(300)))}\""),
        6 when random.Next(980, 1020) is var levels => Encoding.UTF8.GetBytes(new string('[', levels) + new string(']', levels)),
        7 => Encoding.UTF8.GetBytes(new string('9', random.Next(1, 400))),
        8 => [.. "[{},{\"name\":null}]"u8],
        _ => [.. "[[{}]]"u8],
    };

    // The names and simple values with where they stand; nothing beyond the first fault, for a change before may have broken the rest.
    static List<(int Start, int End, bool IsName)> Tokens(byte[] json)
    {
        var tokens = new List<(int Start, int End, bool IsName)>();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 1000 });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.EndObject or JsonTokenType.StartArray or JsonTokenType.EndArray))
                {
                    var start = (int)reader.TokenStartIndex;
                    var isText = reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String;
                    tokens.Add((start, start + reader.ValueSpan.Length + (isText ? 2 : 0), reader.TokenType == JsonTokenType.PropertyName));
                }
            }
        }
        catch (JsonException)
        {
        }

        return tokens;
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

    internal static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;
}
