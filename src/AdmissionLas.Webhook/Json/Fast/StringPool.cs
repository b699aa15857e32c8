// This folder exists for speed alone. Without this pool a review of a KFP pod allocates 552 bytes more (2.6 to 2.9 KB with it), and the bound is 3 KB:
// dotnet run -c Release --project tests/AdmissionLas.Benchmarks -- --filter '*Predict*'.
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace AdmissionLas.Webhook;

/// <summary>
/// The short strings that come with one review after the other (namespaces, locations, "Pod"), kept so that each costs no new one. Where two
/// share a place the last one has it, so the pool never grows.
/// </summary>
static class StringPool
{
    const int Places = 512;

    /// <summary>Labels are no longer; nothing else is worth keeping.</summary>
    const int Longest = 63;

    static readonly string?[] Kept = new string?[Places];

    /// <summary>The text as a string.</summary>
    internal static string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > Longest)
        {
            return Encoding.UTF8.GetString(utf8);
        }

        // Of several threads each may put its own string there: equal ones are as good as the same one.
        ref var place = ref Kept[PlaceOf(utf8)];
        return place is { } known && Ascii.Equals(utf8, known) ? known : place = Encoding.UTF8.GetString(utf8);
    }

    static int PlaceOf(ReadOnlySpan<byte> utf8)
    {
        var (start, end) = (0UL, 0UL);
        if (utf8.Length >= sizeof(ulong))
        {
            (start, end) = (BinaryPrimitives.ReadUInt64LittleEndian(utf8), BinaryPrimitives.ReadUInt64LittleEndian(utf8[^sizeof(ulong)..]));
        }
        else
        {
            foreach (var b in utf8)
            {
                start = (start << 8) | b;
            }
        }

        var mixed = (start ^ BitOperations.RotateLeft(end, 29) ^ (ulong)utf8.Length) * 0x9E37_79B9_7F4A_7C15;
        return (int)(mixed >> 32) & (Places - 1);
    }
}
