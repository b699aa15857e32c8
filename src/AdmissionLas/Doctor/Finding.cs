namespace AdmissionLas.Doctor;

/// <summary>How a check went.</summary>
enum Severity
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Works, or cannot be seen from here; somebody should look.</summary>
    Warning,

    /// <summary>Pods go unplaced, or soon will.</summary>
    Failed,
}

/// <summary>What a check found.</summary>
/// <param name="Severity">How it went.</param>
/// <param name="What">What was found.</param>
/// <param name="Remedy">What to do about it; <see langword="null"/> for nothing.</param>
sealed record Finding(Severity Severity, string What, string? Remedy = null)
{
    internal static Finding Ok(string what) => new(Severity.Ok, what);

    internal static Finding Warning(string what, string remedy) => new(Severity.Warning, what, remedy);

    internal static Finding Failed(string what, string remedy) => new(Severity.Failed, what, remedy);

    /// <summary>A line for the admin.</summary>
    public override string ToString()
    {
        var severity = Severity switch { Severity.Ok => "ok", Severity.Warning => "warning", _ => "failed" };
        return $"{severity,-7}  {What}" + (Remedy is null ? "" : $"  — {Remedy}");
    }
}
