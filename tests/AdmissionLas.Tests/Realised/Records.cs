using System.Buffers;
using System.Text;
using System.Text.Json;

namespace AdmissionLas.Tests.Realised;

/// <summary>Records of decisions, as the webhook writes them on pods.</summary>
static class Records
{
    internal static string Of(Decision decision)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            PlacementRecord.Write(json, decision);
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    internal static PlacementRecord Read(string record) => PlacementRecord.TryRead(record)!;
}
