namespace AdmissionLas.Placement;

/// <summary>The kinds of pipeline step that placement tells apart.</summary>
public enum StepType
{
    /// <summary>Neither of the two: left untouched.</summary>
    Other,

    /// <summary>Answers requests and belongs near the one who asks.</summary>
    Predict,

    /// <summary>Needs a big machine.</summary>
    Training,
}

/// <summary>The words that name a step type in labels and rules.</summary>
public static class StepTypeNames
{
    /// <summary>All the words that are understood, in any letter case.</summary>
    public static IReadOnlyList<string> Known { get; } = ["Predict", "Predicting", "Prediction", "Training", "Train"];

    /// <summary>The type that a word names; <see cref="StepType.Other"/> for every word that is not known.</summary>
    public static StepType Parse(string word) =>
        IsAny(word, "Predict", "Predicting", "Prediction") ? StepType.Predict
        : IsAny(word, "Training", "Train") ? StepType.Training
        : StepType.Other;

    static bool IsAny(string word, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (word.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
