using System.Text.Encodings.Web;

namespace AdmissionLas.Webhook;

/// <summary>
/// The fixed names and values of answers, patches and records, encoded once: the writer looks at each character of any other for what it must escape.
/// </summary>
static class JsonTexts
{
    internal static readonly JsonEncodedText ApiVersion = Encoded("apiVersion");
    internal static readonly JsonEncodedText Kind = Encoded("kind");
    internal static readonly JsonEncodedText AdmissionReview = Encoded("AdmissionReview");
    internal static readonly JsonEncodedText Response = Encoded("response");
    internal static readonly JsonEncodedText Uid = Encoded("uid");
    internal static readonly JsonEncodedText Allowed = Encoded("allowed");
    internal static readonly JsonEncodedText PatchType = Encoded("patchType");
    internal static readonly JsonEncodedText JsonPatch = Encoded("JSONPatch");
    internal static readonly JsonEncodedText Patch = Encoded("patch");
    internal static readonly JsonEncodedText AuditAnnotations = Encoded("auditAnnotations");
    internal static readonly JsonEncodedText Decision = Encoded("decision");
    internal static readonly JsonEncodedText Revised = Encoded("revised");
    internal static readonly JsonEncodedText Outcome = Encoded("outcome");
    internal static readonly JsonEncodedText Type = Encoded("type");
    internal static readonly JsonEncodedText TypeRule = Encoded("type-rule");
    internal static readonly JsonEncodedText Node = Encoded("node");
    internal static readonly JsonEncodedText Location = Encoded("location");
    internal static readonly JsonEncodedText LocationRule = Encoded("location-rule");
    internal static readonly JsonEncodedText LatencyMs = Encoded("latency-ms");
    internal static readonly JsonEncodedText Warnings = Encoded("warnings");
    internal static readonly JsonEncodedText Version = Encoded("version");
    internal static readonly JsonEncodedText Mode = Encoded("mode");
    internal static readonly JsonEncodedText Required = Encoded("required");
    internal static readonly JsonEncodedText RequiredNames = Encoded("requiredNames");
    internal static readonly JsonEncodedText Requests = Encoded("requests");
    internal static readonly JsonEncodedText Preferred = Encoded("preferred");
    internal static readonly JsonEncodedText PreferredTerms = Encoded("preferredTerms");
    internal static readonly JsonEncodedText NeutralSpread = Encoded("neutralSpread");
    internal static readonly JsonEncodedText Key = Encoded("key");
    internal static readonly JsonEncodedText Hostname = Encoded(NodeSelectorTerm.HostnameKey);
    internal static readonly JsonEncodedText NameField = Encoded(NodeSelectorTerm.NameField);
    internal static readonly JsonEncodedText Operator = Encoded("operator");
    internal static readonly JsonEncodedText Values = Encoded("values");
    internal static readonly JsonEncodedText Op = Encoded("op");
    internal static readonly JsonEncodedText Add = Encoded("add");
    internal static readonly JsonEncodedText Copy = Encoded("copy");
    internal static readonly JsonEncodedText From = Encoded("from");
    internal static readonly JsonEncodedText Remove = Encoded("remove");
    internal static readonly JsonEncodedText Path = Encoded("path");
    internal static readonly JsonEncodedText Value = Encoded("value");
    internal static readonly JsonEncodedText Weight = Encoded("weight");
    internal static readonly JsonEncodedText Preference = Encoded("preference");
    internal static readonly JsonEncodedText MatchExpressions = Encoded("matchExpressions");
    internal static readonly JsonEncodedText MatchFields = Encoded("matchFields");
    internal static readonly JsonEncodedText NodeSelectorTerms = Encoded("nodeSelectorTerms");
    internal static readonly JsonEncodedText NodeAffinity = Encoded("nodeAffinity");
    internal static readonly JsonEncodedText RequiredDuringSchedulingIgnoredDuringExecution = Encoded("requiredDuringSchedulingIgnoredDuringExecution");
    internal static readonly JsonEncodedText PreferredDuringSchedulingIgnoredDuringExecution = Encoded("preferredDuringSchedulingIgnoredDuringExecution");

    internal static JsonEncodedText Encoded(string text) => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
}
