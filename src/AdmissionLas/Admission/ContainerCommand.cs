using System.Text.Json;
using static AdmissionLas.Admission.JsonReading;

namespace AdmissionLas.Admission;

/// <summary>What a container's command line says of its place in a KFP v2 pipeline.</summary>
/// <param name="IsDriver">It runs KFP's driver, which plans a step and is not one.</param>
/// <param name="Function">The value after <c>--function_to_execute</c>: the executor runs this function of the pipeline's author.</param>
readonly record struct ContainerCommand(bool IsDriver, string? Function)
{
    /// <summary>Reads a list of words, <c>command</c> or <c>args</c>, on whose member name the reader stands.</summary>
    internal static ContainerCommand Read(ref Utf8JsonReader reader, string path)
    {
        var command = default(ContainerCommand);
        if (!ReadArray(ref reader, path, ".command"))
        {
            return command;
        }

        var isFunction = false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String)
            {
                throw new UnreadablePodException($"an item of {path}.command is not a string");
            }

            if (isFunction)
            {
                command = command with { Function = GetText(ref reader, path) };
            }

            isFunction = reader.ValueTextEquals("--function_to_execute"u8);
            command = command with { IsDriver = command.IsDriver || reader.ValueTextEquals("driver"u8) };
        }

        return command;
    }

    /// <summary>Both halves of a command line together.</summary>
    internal ContainerCommand With(ContainerCommand other) => new(IsDriver || other.IsDriver, Function ?? other.Function);
}
