using System.Text.Json;
using CsCheck;

namespace AdmissionLas.Tests.Webhook;

public sealed class JsonCursorTests
{
    // Quotes, backslashes and brackets above all, and lengths around the 16 and 32 bytes that are searched together.
    static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String[Gen.Char["\"\\{}[],:a é\n"], 0, 20],
        Gen.String[Gen.Char["\"\\}a"], 40, 200],
        Gen.Int[0, 140].Select(n => new string('\\', n)));

    static readonly Gen<JsonNode?> Values = Gen.Recursive<JsonNode?>((depth, value) => depth > 4
        ? Texts.Select(t => (JsonNode?)JsonValue.Create(t))
        : Gen.Frequency(
            (2, Texts.Select(t => (JsonNode?)JsonValue.Create(t))),
            (1, Gen.Int.Select(n => (JsonNode?)JsonValue.Create(n))),
            (1, Gen.Bool.Select(b => (JsonNode?)JsonValue.Create(b))),
            (1, Gen.Const((JsonNode?)null)),
            (2, value.Array[0, 5].Select(items => (JsonNode?)new JsonArray([.. items.Select(i => i?.DeepClone())]))),
            (2, Gen.Select(Texts, value).Array[0, 5].Select(Object))));

    static readonly Gen<(JsonNode? Value, bool Indented)> Documents = Gen.Select(Values, Gen.Bool);

    [Fact]
    public void A_value_that_is_stepped_over_ends_where_it_ends() => Documents.Sample(
        document =>
        {
            var text = Written(document.Value, document.Indented);
            var json = new JsonCursor(Encoding.UTF8.GetBytes($"[{text},\"end\"]"));

            Assert.True(json.ReadArray());
            Assert.True(json.NextItem());
            Assert.Equal(document.Value?.GetValueKind() ?? JsonValueKind.Null, json.ReadScalar());
            Assert.True(json.NextItem());
            Assert.Equal("end", json.ReadText());
            Assert.False(json.NextItem());
            json.End();
        },
        iter: 3000);

    [Fact]
    public void What_is_read_is_what_the_library_reads() => Documents.Sample(
        document =>
        {
            var text = Written(document.Value, document.Indented);
            var json = new JsonCursor(Encoding.UTF8.GetBytes(text));

            var read = Read(ref json);
            json.End();

            Assert.Equal(Written(JsonNode.Parse(text), indented: false), Written(read, indented: false));
        },
        iter: 3000);

    [Fact]
    public void A_value_that_is_cut_off_has_no_end() => Documents.Where(d => d.Value is JsonObject or JsonArray or JsonValue).Sample(
        document =>
        {
            var whole = Encoding.UTF8.GetBytes($"[{Written(document.Value, document.Indented)}]");
            for (var length = 0; length < whole.Length; length++)
            {
                Assert.Throws<JsonException>(() => new JsonCursor(whole.AsSpan(0, length)).SkipValue());
            }
        },
        iter: 200);

    [Theory]
    [InlineData("{\"a\":1,}")]
    [InlineData("{\"a\" 1}")]
    [InlineData("{\"a\":1 \"b\":2}")]
    [InlineData("{,\"a\":1}")]
    [InlineData("{a:1}")]
    [InlineData("{\"a\":}")]
    [InlineData("{\"a\":tru}")]
    [InlineData("{\"a\":nul}")]
    [InlineData("{\"a\":01}")]
    [InlineData("{\"a\":-}")]
    [InlineData("{\"a\":1.}")]
    [InlineData("{\"a\":'b'}")]
    [InlineData("{\"a\":\"b}")]
    [InlineData("{\"a\":\"b\\")]
    [InlineData("{\"a\":1]")]
    public void What_is_read_must_be_JSON(string text) => Assert.Throws<JsonException>(() =>
    {
        var json = new JsonCursor(Encoding.UTF8.GetBytes(text));
        Read(ref json);
        json.End();
    });

    [Fact]
    public void A_fault_is_told_with_its_line_and_place_in_it()
    {
        var fault = Assert.Throws<JsonException>(() =>
        {
            var json = new JsonCursor("{\n  \"a\": 1,\n  \"b\" 2\n}"u8);
            Read(ref json);
        });

        Assert.Equal((2, 6), (fault.LineNumber, fault.BytePositionInLine));
    }

    [Fact]
    public void An_escaped_name_is_the_name_it_spells()
    {
        var json = new JsonCursor("""{ "\u0075id": "\u0041\n" }"""u8);

        Assert.True(json.ReadObject());
        Assert.True(json.NextMember());
        Assert.True(json.TextIs("uid"u8));
        Assert.Equal("A\n", json.ReadText());
        Assert.True(json.TextIs("A\n"u8));
        Assert.False(json.TextIs("A"u8));
    }

    [Theory]
    [InlineData("a", "is missing", "a is missing")]
    [InlineData("request.object.spec", "is not an object", "spec is not an object")]
    [InlineData("request.objects", "is not a list", "request.objects is not a list")]
    [InlineData("request.object.spec.containers[]", "is not an object", "an item of spec.containers is not an object")]
    [InlineData("", "is not an object", "the body is not an object")]
    public void A_fault_names_the_path_as_the_author_knows_it(string path, string problem, string message) =>
        Assert.Equal(message, new UnreadableValue(path, problem).Message);

    [Fact]
    public void A_fault_has_the_path_of_its_value()
    {
        var text = """ { "a": {"b":[1], "c.\u0064": [ {"e": 1}, [ ], {"f" : [ 2 , 3 ]}], "g":{ } } , "h": 4 } """;

        Assert.Equal(
            [
                "the body", "a", "a.b", "an item of a.b", "a.c.d", "an item of a.c.d", "a.c.d[].e", "in a.c.d", "an item of a.c.d", "an item of a.c.d",
                "a.c.d[].f", "an item of a.c.d[].f", "an item of a.c.d[].f", "in a.c.d", "a.g", "in a.g", "in a", "h", "in ",
            ],
            Paths(text));
    }

    [Fact]
    public void The_path_to_a_fault_ends_where_the_text_is_no_JSON() =>
        Assert.Equal("a", JsonCursor.PathOf("""{ "a": { "b": 1 x "c": 2 } }"""u8, position: 19));

    static List<string> Paths(string text)
    {
        var (paths, utf8) = (new List<string>(), Encoding.UTF8.GetBytes(text));
        var json = new JsonCursor(utf8);
        Visit(ref json);
        return paths;

        void Visit(ref JsonCursor json)
        {
            var before = json;
            var kind = json.ReadScalar();
            paths.Add(json.Fault("").In(utf8).Message.TrimEnd());
            if (kind == JsonValueKind.Object)
            {
                json = before;
                json.ReadObject();
                while (json.NextMember())
                {
                    Visit(ref json);
                }

                paths.Add($"in {json.FaultInParent("").In(utf8).Path}");
            }
            else if (kind == JsonValueKind.Array)
            {
                json = before;
                json.ReadArray();
                while (json.NextItem())
                {
                    Visit(ref json);
                }
            }
        }
    }

    static JsonNode? Read(ref JsonCursor json)
    {
        // One look ahead is enough to know what comes, as a reader of a schema does.
        var before = json;
        switch (json.ReadScalar())
        {
            case JsonValueKind.Object:
                json = before;
                Assert.True(json.ReadObject());
                var members = new JsonObject();
                while (json.NextMember())
                {
                    var name = json.GetText();
                    members[name] = Read(ref json);
                }

                return members;
            case JsonValueKind.Array:
                json = before;
                Assert.True(json.ReadArray());
                var items = new JsonArray();
                while (json.NextItem())
                {
                    items.Add(Read(ref json));
                }

                return items;
            case JsonValueKind.String:
                return JsonValue.Create(json.GetText());
            case JsonValueKind.True or JsonValueKind.False:
                return JsonValue.Create(json.Raw[0] == 't');
            case JsonValueKind.Number:
                return JsonValue.Create(int.Parse(json.Raw, CultureInfo.InvariantCulture));
            default:
                return null;
        }
    }

    static JsonNode? Object((string Name, JsonNode? Value)[] members)
    {
        var made = new JsonObject();
        foreach (var (name, value) in members)
        {
            made[name] = value?.DeepClone();
        }

        return made;
    }

    static readonly JsonSerializerOptions Compact = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    static readonly JsonSerializerOptions Indented = new(Compact) { WriteIndented = true };

    static string Written(JsonNode? value, bool indented) => value?.ToJsonString(indented ? Indented : Compact) ?? "null";
}
