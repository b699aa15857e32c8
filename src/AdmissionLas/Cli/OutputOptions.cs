using System.Buffers;
using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;

namespace AdmissionLas.Cli;

/// <summary>The option for the output format, and writing JSON and YAML.</summary>
static class OutputOptions
{
    internal const string Table = "table";
    internal const string Json = "json";
    internal const string Yaml = "yaml";

    static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Creates the option for a command.</summary>
    internal static Option<string> Create()
    {
        var option = new Option<string>("--output", "-o") { Description = "The output format", DefaultValueFactory = _ => Table };
        option.AcceptOnlyFromAmong(Table, Json, Yaml);
        return option;
    }

    /// <summary>Writes an object as JSON or YAML.</summary>
    internal static void Write(TextWriter output, string format, Action<Utf8JsonWriter> write)
    {
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
    }
}
