using System.Text.Unicode;

namespace AdmissionLas.Webhook;

/// <summary>
/// Reads an admission review in one pass over its bytes, keeping only what a decision and its patch need. Everything else is skipped and not
/// checked. Where a key stands twice the last one counts, as in the API server.
/// </summary>
sealed class ReviewReader
{
    /// <summary>A uid has 36 characters; some room for a server that makes others.</summary>
    internal const int LongestUid = 128;

    const string Group = "admission.k8s.io/";
    const string Version1 = Group + "v1";
    const string Version1Beta1 = Group + "v1beta1";

    static readonly JsonNames<string> Versions = new() { [Version1] = Version1, [Version1Beta1] = Version1Beta1 };

    static readonly JsonMembers<ObjectKind> ObjectKindMembers = new()
    {
        ["group"] = (ref json, ref kind) => kind.HasGroup = !json.ReadUtf8().IsEmpty,
        ["version"] = (ref json, ref kind) => kind.IsV1 = json.ReadUtf8().SequenceEqual("v1"u8),
        ["kind"] = (ref json, ref kind) => kind.IsPod = json.ReadUtf8().SequenceEqual("Pod"u8),
    };

    readonly PodReader pods;
    readonly JsonMembers<Envelope> envelopeMembers;

    /// <summary>Sets up the reader.</summary>
    internal ReviewReader(PodReader pods)
    {
        this.pods = pods;
        var requestMembers = new JsonMembers<Request>
        {
            ["uid"] = (ref json, ref request) => request.Uid = json.ReadText(LongestUid),
            ["kind"] = (ref json, ref request) => request.IsPod = ObjectKindMembers.Read(ref json) is { HasGroup: false, IsV1: true, IsPod: true },
            ["operation"] = (ref json, ref request) => request.IsCreation = json.ReadUtf8().SequenceEqual("CREATE"u8),
            ["namespace"] = (ref json, ref request) => request.Namespace = json.ReadText(NameSyntax.LongestLabel),
            ["object"] = (ref json, ref request) => ReadPod(pods, ref json, ref request),
            ["dryRun"] = (ref json, ref request) => request.IsDryRun = json.ReadFlag(),
        };
        envelopeMembers = new()
        {
            ["apiVersion"] = (ref json, ref envelope) => envelope.ApiVersion = Versions.Find(json.ReadUtf8()),
            ["kind"] = (ref json, ref envelope) => envelope.IsReview = json.ReadUtf8().SequenceEqual("AdmissionReview"u8),
            ["request"] = (ref json, ref envelope) => envelope.Request = requestMembers.Read(ref json),
        };
    }

    /// <summary>Reads a body.</summary>
    /// <exception cref="NotAReviewException">It is not an admission review, with what is wrong.</exception>
    internal AdmissionReview Read(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body))
        {
            throw new NotAReviewException("the body is not valid UTF-8");
        }

        try
        {
            var json = new JsonCursor(body);
            var envelope = envelopeMembers.Read(ref json) ?? throw new NotAReviewException("the body is null");
            var review = Review(envelope, body);
            json.End();
            return review;
        }
        catch (JsonException fault)
        {
            throw new NotAReviewException($"the body is not JSON: line {fault.LineNumber + 1}, byte {fault.BytePositionInLine + 1}", fault);
        }
        catch (UnreadablePodException fault)
        {
            throw new NotAReviewException(fault.In(body).Message, fault);
        }
        // What the library says of a name that escapes half a surrogate pair.
        catch (InvalidOperationException fault)
        {
            throw new NotAReviewException("a name in the body is not valid Unicode", fault);
        }
    }

    /// <summary>Reads a pod by itself; <see langword="null"/> when it cannot be read.</summary>
    internal AdmittedPod? ReadPod(ReadOnlySpan<byte> pod)
    {
        try
        {
            var json = new JsonCursor(pod);
            return pods.Read(ref json);
        }
        catch (Exception fault) when (fault is JsonException or UnreadablePodException or InvalidOperationException)
        {
            return null;
        }
    }

    static AdmissionReview Review(in Envelope envelope, ReadOnlySpan<byte> body)
    {
        if (!envelope.IsReview)
        {
            throw new NotAReviewException("kind is not AdmissionReview");
        }

        var apiVersion = envelope.ApiVersion ?? throw new NotAReviewException($"apiVersion is neither {Version1} nor {Version1Beta1}");
        var request = envelope.Request ?? throw new NotAReviewException("there is no request");
        if (string.IsNullOrEmpty(request.Uid))
        {
            throw new NotAReviewException("request.uid is missing");
        }

        var fault = request is { IsPod: true, IsCreation: true } ? request.Fault : null;
        var unreadable = (fault as UnreadablePodException)?.In(body);
        return new AdmissionReview
        {
            ApiVersion = apiVersion,
            Uid = request.Uid,
            IsDryRun = request.IsDryRun,
            Pod = request.WhyNoPod is null ? request.PodInItsNamespace : null,
            SkipReason = fault is null ? request.WhyNoPod : unreadable?.Message ?? "a name in it is not valid Unicode",
            PodIsUnreadable = fault is not null,
            UnreadablePath = unreadable?.Path,
        };
    }

    // What is wrong inside the object must not keep us from the uid that may stand behind it: skip the object and go on.
    static void ReadPod(PodReader pods, ref JsonCursor json, ref Request request)
    {
        var earlier = request.Fault;
        (request.Pod, request.Fault) = (null, null);
        var before = json;
        try
        {
            request.Pod = pods.Read(ref json);
        }
        // A fault costs far more than the bytes that make it: a body with a second one is refused.
        catch (Exception fault) when (fault is UnreadablePodException or InvalidOperationException && earlier is null)
        {
            request.Fault = fault;
            json = before;
            json.SkipValue();
        }
    }

    record struct Envelope(string? ApiVersion, bool IsReview, Request? Request);

    record struct ObjectKind(bool HasGroup, bool IsV1, bool IsPod);

    record struct Request(string? Uid, string? Namespace, bool IsPod, bool IsCreation, bool IsDryRun, AdmittedPod? Pod, Exception? Fault)
    {
        // The pod's own namespace may be absent; the request knows it all the same.
        internal readonly AdmittedPod? PodInItsNamespace => Pod is null or { Facts.Namespace.Length: > 0 }
            ? Pod
            : Pod with { Facts = Pod.Facts with { Namespace = Namespace ?? "" } };

        internal readonly string? WhyNoPod =>
            !IsPod ? "the object is not a pod"
            : !IsCreation ? "the operation is not CREATE"
            : Pod is null ? "there is no object"
            // The API server creates no such pod, and who calls us otherwise has no say about the pod's namespace.
            : Pod.Facts.Namespace.Length > 0 && Pod.Facts.Namespace != Namespace ? "the pod's namespace is not that of the request"
            : null;
    }
}
