using AdmissionLas.Explain;

namespace AdmissionLas.Tests.Explain;

/// <summary>
/// A pod has what the API server puts into it before it calls a webhook
/// (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/, https://kubernetes.io/docs/concepts/containers/runtime-class/#scheduling).
/// </summary>
public sealed class AdmissionClassesTests
{
    static readonly JsonObject High = Text.Object("kind: PriorityClass\nmetadata: { name: high }\nvalue: 1000");
    static readonly JsonObject Patient = Text.Object("kind: PriorityClass\nmetadata: { name: patient }\nvalue: 900\npreemptionPolicy: Never");
    static readonly JsonObject Usual = Text.Object("kind: PriorityClass\nmetadata: { name: usual }\nvalue: 10\nglobalDefault: true");
    static readonly JsonObject Usual2 = Text.Object("kind: PriorityClass\nmetadata: { name: usual-2 }\nvalue: 20\nglobalDefault: true");

    static readonly JsonObject Sandbox = Text.Object("""
        kind: RuntimeClass
        metadata: { name: sandbox }
        overhead: { podFixed: { cpu: 250m, memory: 120Mi } }
        scheduling: { nodeSelector: { runtime: sandbox }, tolerations: [ { key: sandbox, operator: Exists } ] }
        """);

    [Theory]
    [InlineData("priorityClassName: high", "priority: 1000")]
    [InlineData("priorityClassName: patient", "priority: 900, preemptionPolicy: Never")]
    [InlineData("priorityClassName: high, preemptionPolicy: Never", "priority: 1000")]
    // It has been through admission, as a pod of the cluster has.
    [InlineData("priorityClassName: high, priority: 7", "")]
    // Of several default classes the one with the lowest value counts.
    [InlineData("", "priority: 10")]
    [InlineData("runtimeClassName: sandbox, priority: 1", "overhead: { cpu: 250m, memory: 120Mi }, nodeSelector: { runtime: sandbox }, tolerations: [ { key: sandbox, operator: Exists } ]")]
    [InlineData(
        "runtimeClassName: sandbox, priority: 1, nodeSelector: { tier: edge }, tolerations: [ { key: gpu } ]",
        "overhead: { cpu: 250m, memory: 120Mi }, nodeSelector: { runtime: sandbox, tier: edge }, tolerations: [ { key: gpu }, { key: sandbox, operator: Exists } ]")]
    [InlineData(
        "runtimeClassName: sandbox, priority: 1, overhead: { cpu: 1 }, nodeSelector: { runtime: sandbox }, tolerations: [ { key: sandbox, operator: Exists } ]", "")]
    public void A_pod_gets_the_fields_of_its_classes(string spec, string added)
    {
        var step = AdmissionClasses.Resolve(Step(spec), [High, Patient, Usual2, Usual, Sandbox]);

        var expected = Text.Object($"{{ {spec} }}");
        Text.Object($"{{ {added} }}").ToList().ForEach(m => expected[m.Key] = m.Value?.DeepClone());
        Assert.True(JsonNode.DeepEquals(expected, step.Pod["spec"]), step.Pod.ToJsonString());
        Assert.Empty(step.Notes);
    }

    [Theory]
    [InlineData("priorityClassName: gone", "its priority class gone is not known here and does not count; with a priority above zero it is kept to near nodes only while these have room to spare")]
    [InlineData("runtimeClassName: gone", "its runtime class gone is not known here and does not count; it may add to what the pod asks for, and to its node selector and tolerations")]
    public void A_class_that_is_not_known_is_told(string spec, string note) => Assert.Equal([note], AdmissionClasses.Resolve(Step(spec), [High]).Notes);

    [Theory]
    [InlineData("", "")]
    [InlineData("priorityClassName: 7, runtimeClassName: [ x ]", "")]
    [InlineData("priorityClassName: odd, runtimeClassName: odd, priority: 0", "")]
    public void What_is_of_no_use_changes_nothing(string spec, string notes)
    {
        JsonObject[] odd = [Text.Object("kind: RuntimeClass\nmetadata: { name: odd }\noverhead: 7\nscheduling: [ x ]"), Text.Object("kind: PriorityClass\nmetadata: 3\nvalue: {}")];

        var step = AdmissionClasses.Resolve(Step(spec), odd);

        Assert.True(JsonNode.DeepEquals(Text.Object($"{{ {spec} }}"), step.Pod["spec"]));
        Assert.Equal(notes, string.Join(", ", step.Notes));
    }

    static InputStep Step(string spec) => new("p", "Pod p", 1, new JsonObject { ["spec"] = Text.Object($"{{ {spec} }}") }, []);
}
