using System.Text.Json;
using System.Text.Unicode;
using AdmissionLas.Placement;
using static AdmissionLas.Admission.JsonReading;

namespace AdmissionLas.Admission;

/// <summary>
/// Reads an admission review in one pass over its bytes, keeping only what a decision and its patch need. Everything else is stepped over
/// and not judged. Where a key stands twice the last one counts, as in the API server.
/// </summary>
sealed class ReviewReader(PodReader pods)
{
    const string Group = "admission.k8s.io/";
    const string Version1 = Group + "v1";
    const string Version1Beta1 = Group + "v1beta1";

    static readonly NameSet Versions = new([Version1, Version1Beta1]);
    static readonly NameSet Words = new(["AdmissionReview", "Pod", "v1", "CREATE", ""]);

    // The API server's own objects nest about 30 levels; this is room to spare that costs nothing until it is used.
    static readonly JsonReaderOptions Options = new() { MaxDepth = 1000, CommentHandling = JsonCommentHandling.Disallow };

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
            var reader = new Utf8JsonReader(body, Options);
            var review = ReadReview(ref reader);
            // To the end of the body: whatever else stands there makes it no JSON.
            reader.Read();
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

    AdmissionReview ReadReview(ref Utf8JsonReader reader)
    {
        string? apiVersion = null, kind = null;
        Request? request = null;
        if (!ReadObject(ref reader, "the body"))
        {
            throw new NotAReviewException("the body is null");
        }

        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("apiVersion"u8))
            {
                apiVersion = ReadText(ref reader, Versions, "apiVersion");
            }
            else if (reader.ValueTextEquals("kind"u8))
            {
                kind = ReadText(ref reader, Words, "kind");
            }
            else if (reader.ValueTextEquals("request"u8))
            {
                request = ReadRequest(ref reader);
            }
            else
            {
                SkipValue(ref reader);
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
                NoPodBecause = read.WhyNoPod,
                PodIsUnreadable = read is { IsPodCreation: true, Fault: not null },
            };
    }

    Request? ReadRequest(ref Utf8JsonReader reader)
    {
        if (!ReadObject(ref reader, "request"))
        {
            return null;
        }

        var request = new Request();
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("uid"u8))
            {
                request.Uid = ReadText(ref reader, "request.uid");
            }
            else if (reader.ValueTextEquals("kind"u8))
            {
                request.IsPod = ReadKindIsPod(ref reader);
            }
            else if (reader.ValueTextEquals("operation"u8))
            {
                request.Operation = ReadText(ref reader, Words, "request.operation");
            }
            else if (reader.ValueTextEquals("namespace"u8))
            {
                request.Namespace = ReadText(ref reader, "request.namespace");
            }
            else if (reader.ValueTextEquals("object"u8))
            {
                ReadPod(ref reader, request);
            }
            else if (reader.ValueTextEquals("dryRun"u8))
            {
                request.IsDryRun = ReadFlag(ref reader, "request.dryRun");
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        return request;
    }

    // What is wrong inside the object must not keep us from the uid that may stand behind it: step over it and go on.
    void ReadPod(ref Utf8JsonReader reader, Request request)
    {
        request.Pod = null;
        request.Fault = null;
        var before = reader;
        try
        {
            request.Pod = pods.Read(ref reader);
        }
        catch (Exception fault) when (fault is UnreadablePodException or InvalidOperationException)
        {
            request.Fault = fault is UnreadablePodException ? fault.Message : "a name in it is not valid Unicode";
            reader = before;
            SkipValue(ref reader);
        }
    }

    static bool ReadKindIsPod(ref Utf8JsonReader reader)
    {
        string? group = null, version = null, kind = null;
        if (!ReadObject(ref reader, "request.kind"))
        {
            return false;
        }

        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("group"u8))
            {
                group = ReadText(ref reader, Words, "request.kind.group");
            }
            else if (reader.ValueTextEquals("version"u8))
            {
                version = ReadText(ref reader, Words, "request.kind.version");
            }
            else if (reader.ValueTextEquals("kind"u8))
            {
                kind = ReadText(ref reader, Words, "request.kind.kind");
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        return string.IsNullOrEmpty(group) && version == "v1" && kind == "Pod";
    }

    /// <summary>The request while it is being read: its members come in any order.</summary>
    sealed class Request
    {
        internal string? Uid;
        internal string? Operation;
        internal string? Namespace;
        internal bool IsPod;
        internal bool IsDryRun;
        internal AdmittedPod? Pod;
        internal string? Fault;

        internal bool IsPodCreation => IsPod && Operation == "CREATE";

        // The pod's own namespace may be absent; the request knows it all the same.
        internal AdmittedPod? PodInItsNamespace => Pod is null or { Facts.Namespace.Length: > 0 }
            ? Pod
            : Pod with { Facts = Pod.Facts with { Namespace = Namespace ?? "" } };

        internal string? WhyNoPod =>
            !IsPod ? "the object is not a pod"
            : Operation != "CREATE" ? "the operation is not CREATE"
            : Fault ?? (Pod is null ? "there is no object" : null);
    }
}
