namespace AdmissionLas.Doctor;

/// <summary>How serious a finding is.</summary>
enum Severity
{
    /// <summary>Nothing to do.</summary>
    Ok,

    /// <summary>It works, or cannot be checked from here; the admin should look at it.</summary>
    Warning,

    /// <summary>Pods are not placed, or soon will not be.</summary>
    Failed,
}

/// <summary>What a check found.</summary>
/// <param name="Severity">How serious it is.</param>
/// <param name="What">What was found.</param>
/// <param name="Remedy">What the admin can do; <see langword="null"/> when there is nothing to do.</param>
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
