using System.Buffers;
using System.CommandLine;
using System.Text.Encodings.Web;
using AdmissionLas.Explain;

namespace AdmissionLas.Cli;

/// <summary>The option for the output format, and writing in that format.</summary>
static class OutputOptions
{
    const string Table = "table";
    const string Json = "json";
    const string Yaml = "yaml";

    static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static Option<string> Form { get; } = Create();

    /// <summary>Writes tables, JSON or YAML.</summary>
    /// <returns>Whether it was tables, for people.</returns>
    internal static bool Write(ParseResult arguments, Action<Terminal> tables, Action<Utf8JsonWriter> write)
    {
        var (output, format) = (arguments.InvocationConfiguration.Output, arguments.GetValue(Form));
        if (format == Table)
        {
            tables(new Terminal(output));
            return true;
        }

        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, Indented))
        {
            write(json);
        }

        if (format == Json)
        {
            output.WriteLine(Encoding.UTF8.GetString(bytes.WrittenSpan));
        }
        else
        {
            YamlJson.Write(JsonNode.Parse(bytes.WrittenSpan)!.AsObject(), output);
        }

        return false;
    }

    static Option<string> Create()
    {
        var option = new Option<string>("--output", "-o") { Description = "The output format", DefaultValueFactory = _ => Table };
        option.AcceptOnlyFromAmong(Table, Json, Yaml);
        return option;
    }
}
