namespace AdmissionLas.Abuse;

/// <summary>Reviews that nobody should send.</summary>
static class Bodies
{
    internal const int Megabyte = 1 << 20;

    /// <summary>A usual one, for the location; each has its own uid.</summary>
    internal static byte[] Usual(string location = "HOME-EDGE", string @namespace = "kubeflow") =>
        Bytes(SampleReview.Of(ServedWebhook.Predict(location), Guid.NewGuid().ToString(), @namespace));

    /// <summary>With this member of its metadata.</summary>
    internal static byte[] WithMetadata(string member, JsonNode value)
    {
        var pod = ServedWebhook.Predict("HOME-EDGE");
        pod["metadata"]![member] = value;
        return Bytes(SampleReview.Of(pod, Guid.NewGuid().ToString(), "kubeflow"));
    }

    /// <summary>With this member of its spec.</summary>
    internal static byte[] WithSpec(string member, JsonNode value)
    {
        var pod = ServedWebhook.Predict("HOME-EDGE");
        pod["spec"]![member] = value;
        return Bytes(SampleReview.Of(pod, Guid.NewGuid().ToString(), "kubeflow"));
    }

    /// <summary>With a uid of this many characters.</summary>
    internal static byte[] WithUid(int length) => Bytes(SampleReview.Of(ServedWebhook.Predict("HOME-EDGE"), new string('u', length), "kubeflow"));

    /// <summary>A pod whose only container has these requests.</summary>
    internal static byte[] Requesting(IEnumerable<KeyValuePair<string, string>> requests, string name, string @namespace)
    {
        var pod = ServedWebhook.Predict("HOME-EDGE");
        pod["metadata"]!["name"] = name;
        pod["spec"]!["containers"]![0]!["resources"] = new JsonObject { ["requests"] = new JsonObject(requests.Select(r => KeyValuePair.Create(r.Key, (JsonNode?)r.Value))) };
        return Bytes(SampleReview.Of(pod, Guid.NewGuid().ToString(), @namespace));
    }

    static byte[] Bytes(JsonObject review) => Encoding.UTF8.GetBytes(review.ToJsonString());
}
