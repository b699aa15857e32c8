using System.Text.Json;

namespace AdmissionLas.Observers;

/// <summary>The object that a pod's author knows: what created the pod, or the pod itself where nothing did.</summary>
/// <param name="ApiVersion">Its API group and version.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="Uid">Its uid; empty for a pod, which has none before it is created.</param>
readonly record struct InvolvedObject(string ApiVersion, string Kind, string Name, string Uid)
{
    /// <summary>A pod that nobody else stands for.</summary>
    internal static InvolvedObject Pod(string name) => new("v1", "Pod", name, "");

    /// <summary>
    /// The controller among the owners of a review's pod, as its <c>metadata.ownerReferences</c> say it; <see langword="null"/> when there is
    /// none or it cannot be read. No further than to the metadata is read, and only for the few reviews that something is told of.
    /// </summary>
    internal static InvolvedObject? Of(ReadOnlySpan<byte> review)
    {
        var reader = new Utf8JsonReader(review);
        try
        {
            return reader.Read() && Enter(ref reader, "request"u8) && Enter(ref reader, "object"u8) && Enter(ref reader, "metadata"u8) && Enter(ref reader, "ownerReferences"u8)
                ? Controller(ref reader)
                : null;
        }
        // It was a review a moment ago; what is odd in its owners is for the API server to say.
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    // From the start of an object to the value of one of its members.
    static bool Enter(ref Utf8JsonReader reader, ReadOnlySpan<byte> member)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.ValueTextEquals(member);
            reader.Read();
            if (isIt)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }

    // At most one owner is the controller: the API server sees to that.
    static InvolvedObject? Controller(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return null;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            string? apiVersion = null, kind = null, name = null, uid = null;
            var isController = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("apiVersion"u8))
                {
                    apiVersion = Text(ref reader);
                }
                else if (reader.ValueTextEquals("kind"u8))
                {
                    kind = Text(ref reader);
                }
                else if (reader.ValueTextEquals("name"u8))
                {
                    name = Text(ref reader);
                }
                else if (reader.ValueTextEquals("uid"u8))
                {
                    uid = Text(ref reader);
                }
                else
                {
                    var saysWhether = reader.ValueTextEquals("controller"u8);
                    reader.Read();
                    isController = saysWhether ? reader.TokenType == JsonTokenType.True : isController;
                    reader.Skip();
                }
            }

            if (isController && apiVersion is not null && kind is not null && name is not null)
            {
                return new InvolvedObject(apiVersion, kind, name, uid ?? "");
            }
        }

        return null;
    }

    static string? Text(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.GetString();
    }
}
