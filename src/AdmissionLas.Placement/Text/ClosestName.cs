namespace AdmissionLas.Placement;

/// <summary>Finds the name that a person most likely meant, for a warning that says what to do next.</summary>
public static class ClosestName
{
    const int MaxEdits = 3;

    /// <summary>
    /// The known name with the fewest single-character edits (Levenshtein, letter case free), at most three and fewer than the
    /// length of the text; <see langword="null"/> when none is that close. Ties go to the first in ordinal order.
    /// </summary>
    /// <param name="text">What was written; anything longer than a label value finds nothing.</param>
    /// <param name="known">The names that exist.</param>
    public static string? Of(string text, IEnumerable<string> known)
    {
        if (text.Length is 0 or > LabelSyntax.MaxLength)
        {
            return null;
        }

        string? best = null;
        var bestEdits = Math.Min(MaxEdits, text.Length - 1) + 1;
        foreach (var name in known)
        {
            // The lengths alone already differ by more than the best so far.
            if (Math.Abs(name.Length - text.Length) > bestEdits)
            {
                continue;
            }

            var edits = Edits(text, name);
            if (edits < bestEdits || (edits == bestEdits && best is not null && string.CompareOrdinal(name, best) < 0))
            {
                best = name;
                bestEdits = edits;
            }
        }

        return best;
    }

    static int Edits(string a, string b)
    {
        Span<int> row = stackalloc int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
