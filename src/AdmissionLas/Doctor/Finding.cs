namespace AdmissionLas.Doctor;

/// <summary>How a check went.</summary>
enum Verdict
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Works, or cannot be seen from here; somebody should look.</summary>
    Warning,

    /// <summary>Pods go unplaced, or soon will.</summary>
    Failed,
}

/// <summary>What a check found.</summary>
/// <param name="Verdict">How it went.</param>
/// <param name="What">What was found.</param>
/// <param name="Remedy">What to do about it; <see langword="null"/> for nothing.</param>
sealed record Finding(Verdict Verdict, string What, string? Remedy = null)
{
    internal static Finding Ok(string what) => new(Verdict.Ok, what);

    internal static Finding Warning(string what, string remedy) => new(Verdict.Warning, what, remedy);

    internal static Finding Failed(string what, string remedy) => new(Verdict.Failed, what, remedy);

    /// <summary>A line for the admin.</summary>
    public override string ToString()
    {
        var verdict = Verdict switch { Verdict.Ok => "ok", Verdict.Warning => "warning", _ => "failed" };
        return $"{verdict,-7}  {What}" + (Remedy is null ? "" : $"  — {Remedy}");
    }
}
