namespace AdmissionLas.Configuration;

/// <summary>Whether the webhook writes Kubernetes Events; section <c>events</c>. Read at start.</summary>
sealed class EventOptions
{
    internal const string Section = "events";

    /// <summary>Whether the owner of a prediction step gets an Event when the step could not be placed near its location.</summary>
    public bool Enabled { get; set; } = true;
}
