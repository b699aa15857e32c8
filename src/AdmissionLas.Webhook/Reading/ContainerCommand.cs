namespace AdmissionLas.Webhook;

/// <summary>
/// What a container's command line says of its place in a KFP v2 pipeline. Argo puts its own executor in front of the command, so words
/// are looked for wherever they stand.
/// </summary>
/// <remarks>Source: kubeflow/pipelines, backend/src/v2/compiler/argocompiler.</remarks>
/// <param name="RunsDriver">The command runs a program called driver; Spark and others have one too.</param>
/// <param name="PlansTask">Its <c>--type</c> is CONTAINER, DAG or ROOT_DAG, as that of KFP's driver is.</param>
/// <param name="Function">The value after <c>--function_to_execute</c>: the executor runs this function of the pipeline's author.</param>
readonly record struct ContainerCommand(bool RunsDriver, bool PlansTask, string? Function)
{
    /// <summary>It runs KFP's driver, which plans a step and is not one.</summary>
    internal bool IsPipelineDriver => RunsDriver && PlansTask;

    /// <summary>Reads a list of words, which are the container's command or its args.</summary>
    internal static ContainerCommand Read(ref JsonCursor json, bool isCommand)
    {
        var (runsDriver, plansTask, afterFunction, afterType) = (false, false, false, false);
        string? function = null;
        if (!json.ReadArray())
        {
            return default;
        }

        while (json.NextItem())
        {
            if (json.ReadScalar() != JsonValueKind.String)
            {
                throw json.Fault("is not a string");
            }

            runsDriver |= isCommand && (json.TextIs("driver"u8) || json.Raw.EndsWith("/driver"u8));
            plansTask |= afterType && (json.TextIs("CONTAINER"u8) || json.TextIs("DAG"u8) || json.TextIs("ROOT_DAG"u8));
            function = afterFunction ? json.GetText() : function;
            afterFunction = json.TextIs("--function_to_execute"u8);
            afterType = json.TextIs("--type"u8);
        }

        return new ContainerCommand(runsDriver, plansTask, function);
    }

    /// <summary>Both halves of a command line together.</summary>
    internal ContainerCommand With(ContainerCommand other) =>
        new(RunsDriver || other.RunsDriver, PlansTask || other.PlansTask, Function ?? other.Function);
}
