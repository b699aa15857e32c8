namespace AdmissionLas.Configuration;

/// <summary>Whether Kubernetes Events are written; section <c>events</c>. Read at start.</summary>
sealed class EventOptions
{
    internal const string Section = "events";

    /// <summary>Whether the owner of a prediction step that could not be placed near its location is told so by an Event.</summary>
    public bool Enabled { get; set; } = true;
}
