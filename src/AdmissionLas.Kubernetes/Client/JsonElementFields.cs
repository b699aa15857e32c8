namespace AdmissionLas.Kubernetes;

/// <summary>Reads fields of objects from the API server. A field that is missing or has the wrong type counts as absent: one odd object must not stop an informer.</summary>
static class JsonElementFields
{
    internal static JsonElement Member(this JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) ? member : default;

    internal static IEnumerable<JsonProperty> Members(this JsonElement parent) =>
        parent.ValueKind == JsonValueKind.Object ? parent.EnumerateObject() : Enumerable.Empty<JsonProperty>();

    internal static IEnumerable<JsonElement> Items(this JsonElement parent) =>
        parent.ValueKind == JsonValueKind.Array ? parent.EnumerateArray() : Enumerable.Empty<JsonElement>();

    /// <summary>A string, or a number's text: hand-written snapshots have <c>pods: 110</c> where the API server has "110".</summary>
    internal static string? Text(this JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number => element.GetRawText(),
        _ => null,
    };

    /// <summary>
    /// Reads an object; <see langword="null"/> when it holds text that is not valid Unicode. Half a surrogate pair or invalid UTF-8 passes the JSON
    /// parser and fails only when it is read, where an exception would cost the whole list.
    /// </summary>
    internal static T? ReadValid<T>(this JsonElement item, Func<JsonElement, T?> read) where T : class
    {
        try
        {
            return read(item);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The same as <see cref="Member"/>, beside names that are not valid Unicode too.</summary>
    internal static JsonElement ValidMember(this JsonElement parent, string name)
    {
        try
        {
            return parent.Member(name);
        }
        catch (InvalidOperationException)
        {
            return default;
        }
    }

    /// <summary>The same as <see cref="Text"/>; <see langword="null"/> for one that is not valid Unicode.</summary>
    internal static string? ValidText(this JsonElement element)
    {
        try
        {
            return element.Text();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A ResourceList without its <c>pods</c>.</summary>
    /// <param name="list">The list.</param>
    /// <param name="names">The resources that count beside CPU and memory; <see langword="null"/> for all.</param>
    /// <param name="most">How many of them.</param>
    internal static Resources ResourceList(this JsonElement list, ResourceNames? names = null, int most = int.MaxValue)
    {
        long? cpuMilli = null;
        long? memoryBytes = null;
        List<ResourceAmount>? other = null;
        foreach (var entry in list.Members())
        {
            var text = entry.Value.Text() ?? "";
            switch (entry.Name)
            {
                case "cpu" when Quantity.TryParseMilli(text, out var milli): cpuMilli = milli; break;
                case "memory" when Quantity.TryParseUnits(text, out var bytes): memoryBytes = bytes; break;
                case "cpu" or "memory" or "pods": break;
                default:
                    if ((other?.Count ?? 0) < most && (names is null ? entry.Name : names.Find(entry.Name)) is { } name && Quantity.TryParseUnits(text, out var amount))
                    {
                        (other ??= []).Add(new ResourceAmount(name, amount));
                    }

                    break;
            }
        }

        return new Resources(cpuMilli, memoryBytes, other);
    }
}
