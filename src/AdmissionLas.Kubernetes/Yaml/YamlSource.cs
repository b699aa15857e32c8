using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace AdmissionLas.Kubernetes;

/// <summary>A text is not YAML, or YAML that JSON cannot express.</summary>
/// <param name="line">The line, from 1.</param>
/// <param name="column">The column, from 1.</param>
/// <param name="why">What is wrong there.</param>
/// <param name="cause">The parser's exception.</param>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1032", Justification = "Without its place the fault is of no use.")]
public sealed class YamlFaultException(long line, long column, string why, Exception? cause = null)
    : Exception(string.Create(CultureInfo.InvariantCulture, $"line {line}, column {column}: {why}"), cause)
{
    /// <summary>The line, from 1.</summary>
    public int Line { get; } = (int)line;

    /// <summary>What is wrong there, without the place.</summary>
    public string Why { get; } = why;
}

/// <summary>One document of a YAML text, as JSON.</summary>
/// <param name="Root">The value; <see langword="null"/> for an empty document.</param>
/// <param name="Line">The line on which it begins, from 1.</param>
/// <param name="Lines">The line on which each value stands.</param>
public sealed record SourceDocument(JsonNode? Root, int Line, IReadOnlyDictionary<JsonNode, int> Lines)
{
    /// <summary>The line on which a value stands; the document's first line for a value of another document.</summary>
    public int LineOf(JsonNode? value) => value is null ? Line : Lines.GetValueOrDefault(value, Line);
}

/// <summary>
/// Reads YAML, and JSON with it, document by document, from the parser's events. Text that is nested too deeply, or that aliases multiply, is
/// refused before it costs more than a few thousand values.
/// </summary>
public static class YamlSource
{
    /// <summary>The deepest nesting that System.Text.Json reads back.</summary>
    const int DeepestNesting = 64;

    /// <summary>How many values the aliases of a text may add. Nine levels of nine aliases each are a few hundred bytes and 400 million values.</summary>
    const int MaxAliased = 100_000;

    /// <summary>Reads every document.</summary>
    /// <exception cref="YamlFaultException">The text is not YAML, or YAML that JSON cannot express.</exception>
    public static IReadOnlyList<SourceDocument> Read(TextReader text)
    {
        try
        {
            return new Reading(new Parser(text)).Documents();
        }
        catch (YamlException fault)
        {
            throw new YamlFaultException(fault.End.Line, fault.End.Column, fault.Message, fault);
        }
    }

    // The core schema of YAML 1.2: a scalar without quotes may be null, a boolean or a number.
    internal static JsonValue? Plain(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => JsonValue.Create(true),
        "false" or "False" or "FALSE" => JsonValue.Create(false),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(whole),
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) && char.IsAsciiDigit(text[^1]) => JsonValue.Create(real),
        _ => JsonValue.Create(text),
    };

    sealed class Reading(IParser parser)
    {
        readonly Dictionary<AnchorName, JsonNode?> anchors = [];
        readonly HashSet<AnchorName> open = [];
        Dictionary<JsonNode, int> lines = [];
        long aliased;

        internal List<SourceDocument> Documents()
        {
            var documents = new List<SourceDocument>();
            while (Move())
            {
                if (parser.Current is not DocumentStart start)
                {
                    continue;
                }

                anchors.Clear();
                lines = new Dictionary<JsonNode, int>(ReferenceEqualityComparer.Instance);
                Next();
                var line = Math.Max(start.End.Line, parser.Current is Scalar { Value.Length: 0 } ? start.End.Line : parser.Current!.Start.Line);
                documents.Add(new SourceDocument(Value(1), (int)line, lines));
            }

            return documents;
        }

        void Next()
        {
            if (!Move())
            {
                throw new YamlFaultException(1, 1, "the text ends in the middle");
            }
        }

        bool Move()
        {
            var before = parser.Current?.End;
            try
            {
                return parser.MoveNext();
            }
            // The parser throws this for some texts that are not YAML, without a place.
            catch (InvalidOperationException fault)
            {
                throw new YamlFaultException(before?.Line ?? 1, before?.Column ?? 1, "what follows is out of place", fault);
            }
        }

        // Reads the value that begins at the current event and leaves the parser on its last event.
        JsonNode? Value(int depth)
        {
            var start = parser.Current!.Start;
            if (parser.Current is MappingStart or SequenceStart && depth > DeepestNesting)
            {
                throw TooDeep(start);
            }

            // Most values have none. They share the empty name, which no alias can have.
            var anchor = parser.Current is NodeEvent node ? node.Anchor : AnchorName.Empty;
            open.Add(anchor);
            JsonNode? value = parser.Current switch
            {
                AnchorAlias alias => Aliased(alias, depth),
                MappingStart => Mapping(depth),
                SequenceStart => Sequence(depth),
                Scalar { Style: ScalarStyle.Plain, Tag.IsEmpty: true } scalar => Plain(scalar.Value),
                Scalar scalar => JsonValue.Create(scalar.Value),
                _ => throw Fault(start, "a value is missing"),
            };
            open.Remove(anchor);
            anchors[anchor] = value;
            if (value is not null)
            {
                lines[value] = (int)start.Line;
            }

            return value;
        }

        JsonObject Mapping(int depth)
        {
            var mapping = new JsonObject();
            for (Next(); parser.Current is not MappingEnd; Next())
            {
                if (parser.Current is not Scalar key)
                {
                    throw Fault(parser.Current!.Start, "a key must be text");
                }

                Next();
                if (!mapping.TryAdd(key.Value, Value(depth + 1)))
                {
                    throw Fault(key.Start, $"the key {Shorten(key.Value)} stands twice");
                }
            }

            return mapping;
        }

        JsonArray Sequence(int depth)
        {
            var sequence = new JsonArray();
            for (Next(); parser.Current is not SequenceEnd; Next())
            {
                sequence.Add(Value(depth + 1));
            }

            return sequence;
        }

        JsonNode? Aliased(AnchorAlias alias, int depth)
        {
            if (open.Contains(alias.Value))
            {
                throw Fault(alias.Start, $"the alias *{Shorten(alias.Value.Value)} stands in what it names, which has no end");
            }

            if (!anchors.TryGetValue(alias.Value, out var named))
            {
                throw Fault(alias.Start, $"the alias *{Shorten(alias.Value.Value)} names nothing that stands before it");
            }

            var (size, deepest) = Measure(named);
            aliased += size;
            if (aliased > MaxAliased)
            {
                throw Fault(alias.Start, $"the aliases make more than {MaxAliased} values of the text; write out what is meant");
            }

            return depth + deepest > DeepestNesting + 1 ? throw TooDeep(alias.Start) : named?.DeepClone();
        }

        /// <returns>How many values it is, itself included, and how many levels it is deep.</returns>
        static (int Size, int Depth) Measure(JsonNode? value)
        {
            if (value is not (JsonObject or JsonArray))
            {
                return (1, 0);
            }

            var children = (value is JsonArray array ? array : value.AsObject().Select(m => m.Value)).Select(Measure).ToList();
            return (1 + children.Sum(c => c.Size), 1 + children.Select(c => c.Depth).DefaultIfEmpty().Max());
        }

        static string Shorten(string text) => text.Length <= 63 ? text : $"{text.AsSpan(0, 63)}…";

        static YamlFaultException TooDeep(Mark at) => Fault(at, $"nested more than {DeepestNesting} levels deep");

        static YamlFaultException Fault(Mark at, string why) => new(at.Line, at.Column, why);
    }
}
