using System.Text.Json.Serialization;
using k8s;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// The JSON code for the objects that we exchange with API servers, generated at build time. The client has such a context for its 700 types; one call of
/// one of its operations brings all of them into the native binary, which is then a third larger, takes a fifth more memory and starts later.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(KubernetesJson.KubernetesDateTimeConverter), typeof(KubernetesJson.KubernetesDateTimeOffsetConverter)])]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(Corev1Event))]
[JsonSerializable(typeof(V1ConfigMap))]
[JsonSerializable(typeof(V1DeleteOptions))]
[JsonSerializable(typeof(V1Lease))]
[JsonSerializable(typeof(V1MutatingWebhookConfiguration))]
[JsonSerializable(typeof(V1NamespaceList))]
[JsonSerializable(typeof(V1PodList))]
[JsonSerializable(typeof(V1Secret))]
[JsonSerializable(typeof(V1Service))]
[JsonSerializable(typeof(V1ServiceAccount))]
[JsonSerializable(typeof(V1SubjectAccessReview))]
sealed partial class KubeJson : JsonSerializerContext;
