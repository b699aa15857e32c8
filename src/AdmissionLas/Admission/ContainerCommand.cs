using System.Text.Json;
using static AdmissionLas.Admission.JsonReading;

namespace AdmissionLas.Admission;

/// <summary>
/// What a container's command line says of its place in a KFP v2 pipeline. Argo puts its own executor in front of the command, so words
/// are looked for wherever they stand.
/// </summary>
/// <remarks>Source: kubeflow/pipelines, backend/src/v2/compiler/argocompiler.</remarks>
/// <param name="RunsDriver">The command runs a program called driver; Spark and others have one too.</param>
/// <param name="PlansTask">It is told <c>--type</c> CONTAINER, DAG or ROOT_DAG, as KFP's driver is.</param>
/// <param name="Function">The value after <c>--function_to_execute</c>: the executor runs this function of the pipeline's author.</param>
readonly record struct ContainerCommand(bool RunsDriver, bool PlansTask, string? Function)
{
    /// <summary>It runs KFP's driver, which plans a step and is not one.</summary>
    internal bool IsPipelineDriver => RunsDriver && PlansTask;

    /// <summary>Reads a list of words on whose member name the reader stands.</summary>
    internal static ContainerCommand Read(ref Utf8JsonReader reader, string path, bool isCommand)
    {
        var member = isCommand ? ".command" : ".args";
        var read = default(ContainerCommand);
        if (!ReadArray(ref reader, path, member))
        {
            return read;
        }

        var (afterFunction, afterType) = (false, false);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String)
            {
                throw new UnreadablePodException($"an item of {path}{member} is not a string");
            }

            read = new ContainerCommand(
                read.RunsDriver || (isCommand && (reader.ValueTextEquals("driver"u8) || reader.ValueSpan.EndsWith("/driver"u8))),
                read.PlansTask || (afterType && (reader.ValueTextEquals("CONTAINER"u8) || reader.ValueTextEquals("DAG"u8) || reader.ValueTextEquals("ROOT_DAG"u8))),
                afterFunction ? GetText(ref reader, path) : read.Function);
            afterFunction = reader.ValueTextEquals("--function_to_execute"u8);
            afterType = reader.ValueTextEquals("--type"u8);
        }

        return read;
    }

    /// <summary>Both halves of a command line together.</summary>
    internal ContainerCommand With(ContainerCommand other) =>
        new(RunsDriver || other.RunsDriver, PlansTask || other.PlansTask, Function ?? other.Function);
}
