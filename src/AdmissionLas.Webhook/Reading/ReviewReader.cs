using System.Text.Json;
using System.Text.Unicode;
using AdmissionLas.Placement;

namespace AdmissionLas.Webhook;

/// <summary>
/// Reads an admission review in one pass over its bytes, keeping only what a decision and its patch need. Everything else is stepped over
/// and not judged. Where a key stands twice the last one counts, as in the API server.
/// </summary>
sealed class ReviewReader(PodReader pods)
{
    const string Group = "admission.k8s.io/";
    const string Version1 = Group + "v1";
    const string Version1Beta1 = Group + "v1beta1";

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
            var review = ReadReview(ref json);
            json.End();
            return review;
        }
        catch (JsonException fault)
        {
            throw new NotAReviewException($"the body is not JSON: line {fault.LineNumber + 1}, byte {fault.BytePositionInLine + 1}", fault);
        }
        catch (UnreadablePodException fault)
        {
            throw new NotAReviewException(fault.Message, fault);
        }
        // What the parser says when it compares a name that is escaped to half a surrogate pair.
        catch (InvalidOperationException fault)
        {
            throw new NotAReviewException("a name in the body is not valid Unicode", fault);
        }
    }

    AdmissionReview ReadReview(ref JsonCursor json)
    {
        string? apiVersion = null, kind = null;
        Request? request = null;
        if (!json.ReadObject("the body"))
        {
            throw new NotAReviewException("the body is null");
        }

        while (json.NextMember())
        {
            if (json.TextIs("apiVersion"u8))
            {
                apiVersion = json.ReadSharedText("apiVersion");
            }
            else if (json.TextIs("kind"u8))
            {
                kind = json.ReadSharedText("kind");
            }
            else if (json.TextIs("request"u8))
            {
                request = ReadRequest(ref json);
            }
            else
            {
                json.SkipValue();
            }
        }

        if (kind != "AdmissionReview")
        {
            throw new NotAReviewException("kind is not AdmissionReview");
        }

        if (apiVersion is not (Version1 or Version1Beta1))
        {
            throw new NotAReviewException($"apiVersion is neither {Version1} nor {Version1Beta1}");
        }

        if (request is not { } read)
        {
            throw new NotAReviewException("there is no request");
        }

        return string.IsNullOrEmpty(read.Uid)
            ? throw new NotAReviewException("request.uid is missing")
            : new AdmissionReview
            {
                ApiVersion = apiVersion,
                Uid = read.Uid,
                IsDryRun = read.IsDryRun,
                Pod = read.WhyNoPod is null ? read.PodInItsNamespace : null,
                SkipReason = read.WhyNoPod,
                PodIsUnreadable = read is { IsPodCreation: true, Fault: not null },
            };
    }

    Request? ReadRequest(ref JsonCursor json)
    {
        if (!json.ReadObject("request"))
        {
            return null;
        }

        var request = default(Request);
        while (json.NextMember())
        {
            if (json.TextIs("uid"u8))
            {
                request.Uid = json.ReadText("request.uid");
            }
            else if (json.TextIs("kind"u8))
            {
                request.IsPod = ReadKindIsPod(ref json);
            }
            else if (json.TextIs("operation"u8))
            {
                request.Operation = json.ReadSharedText("request.operation");
            }
            else if (json.TextIs("namespace"u8))
            {
                request.Namespace = json.ReadSharedText("request.namespace");
            }
            else if (json.TextIs("object"u8))
            {
                ReadPod(ref json, ref request);
            }
            else if (json.TextIs("dryRun"u8))
            {
                request.IsDryRun = json.ReadFlag("request.dryRun");
            }
            else
            {
                json.SkipValue();
            }
        }

        return request;
    }

    // What is wrong inside the object must not keep us from the uid that may stand behind it: step over it and go on.
    void ReadPod(ref JsonCursor json, ref Request request)
    {
        request.Pod = null;
        request.Fault = null;
        var before = json;
        try
        {
            request.Pod = pods.Read(ref json);
        }
        catch (Exception fault) when (fault is UnreadablePodException or InvalidOperationException)
        {
            request.Fault = fault is UnreadablePodException ? fault.Message : "a name in it is not valid Unicode";
            json = before;
            json.SkipValue();
        }
    }

    static bool ReadKindIsPod(ref JsonCursor json)
    {
        string? group = null, version = null, kind = null;
        if (!json.ReadObject("request.kind"))
        {
            return false;
        }

        while (json.NextMember())
        {
            if (json.TextIs("group"u8))
            {
                group = json.ReadSharedText("request.kind.group");
            }
            else if (json.TextIs("version"u8))
            {
                version = json.ReadSharedText("request.kind.version");
            }
            else if (json.TextIs("kind"u8))
            {
                kind = json.ReadSharedText("request.kind.kind");
            }
            else
            {
                json.SkipValue();
            }
        }

        return string.IsNullOrEmpty(group) && version == "v1" && kind == "Pod";
    }

    /// <summary>The request while it is being read: its members come in any order.</summary>
    struct Request
    {
        internal string? Uid;
        internal string? Operation;
        internal string? Namespace;
        internal bool IsPod;
        internal bool IsDryRun;
        internal AdmittedPod? Pod;
        internal string? Fault;

        internal readonly bool IsPodCreation => IsPod && Operation == "CREATE";

        // The pod's own namespace may be absent; the request knows it all the same.
        internal readonly AdmittedPod? PodInItsNamespace => Pod is null or { Facts.Namespace.Length: > 0 }
            ? Pod
            : Pod with { Facts = Pod.Facts with { Namespace = Namespace ?? "" } };

        internal readonly string? WhyNoPod =>
            !IsPod ? "the object is not a pod"
            : Operation != "CREATE" ? "the operation is not CREATE"
            : Fault ?? (Pod is null ? "there is no object" : null);
    }
}
