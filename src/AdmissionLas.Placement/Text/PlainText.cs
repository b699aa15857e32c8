using System.Text;

namespace AdmissionLas.Placement;

/// <summary>
/// Text in which a stranger's words cannot break a line, control a terminal or make the API server drop it: it takes no warning with control characters
/// or without valid Unicode (k8s.io/apimachinery, pkg/util/net: NewWarningHeader).
/// </summary>
public static class PlainText
{
    /// <summary>The text with question marks for control and format characters, line separators and halves of characters.</summary>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        var plain = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            // Half a character is read as the replacement character.
            plain.Append(rune == Rune.ReplacementChar || IsUnsafe(Rune.GetUnicodeCategory(rune)) ? "?" : rune.ToString());
        }

        return plain.ToString();
    }

    /// <summary>The text, or its beginning and an ellipsis where it has more than so many characters; never half a character.</summary>
    public static string Cut(string text, int most) =>
        text.Length <= most ? text : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[most - 1]) ? most - 1 : most), "…");

    static bool IsUnsafe(UnicodeCategory category) =>
        category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
