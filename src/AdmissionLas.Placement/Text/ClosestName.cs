namespace AdmissionLas.Placement;

/// <summary>Finds the name that a person most likely meant, for a warning that says what to do next.</summary>
public static class ClosestName
{
    const int MaxEdits = 3;

    /// <summary>The most names that are compared: a review may not cost more because nodes name many locations.</summary>
    internal const int MaxNames = 1024;

    /// <summary>
    /// The known name with the fewest single-character edits (Levenshtein, letter case free), at most three and fewer than the
    /// length of the text; <see langword="null"/> when none is that close, or when there are more than 1,024 names: whichever of them were left
    /// out, a node with made-up locations could choose them. Ties go to the first in ordinal order.
    /// </summary>
    /// <param name="text">What was written; anything longer than a label value finds nothing.</param>
    /// <param name="known">The names that exist.</param>
    public static string? Of(string text, IReadOnlyCollection<string> known)
    {
        if (text.Length is 0 or > LabelSyntax.MaxLength || known.Count > MaxNames)
        {
            return null;
        }

        string? best = null;
        var bestEdits = Math.Min(MaxEdits, text.Length - 1);
        foreach (var name in known)
        {
            var edits = Edits(text, name, bestEdits);
            if (edits < bestEdits || (edits == bestEdits && (best is null || string.CompareOrdinal(name, best) < 0)))
            {
                best = name;
                bestEdits = edits;
            }
        }

        return best;
    }

    // The edits as far as there are at most this many, and more than that otherwise. A cell that far off the diagonal cannot count, so only a band
    // around it is filled (Ukkonen 1985, https://doi.org/10.1016/S0019-9958(85)80046-2).
    static int Edits(string a, string b, int most)
    {
        if (Math.Abs(a.Length - b.Length) > most)
        {
            return most + 1;
        }

        Span<int> row = stackalloc int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            var (first, last) = (Math.Max(1, i - most), Math.Min(b.Length, i + most));
            var diagonal = row[first - 1];
            var least = row[first - 1] = first == 1 ? i : most + 1;
            for (var j = first; j <= last; j++)
            {
                var substituted = diagonal + (char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(j == i + most ? most + 1 : row[j], row[j - 1]) + 1);
                least = Math.Min(least, row[j]);
            }

            if (least > most)
            {
                return least;
            }
        }

        return row[b.Length];
    }
}
