using YamlDotNet.Core;

namespace AdmissionLas.Configuration;

/// <summary>Turns options into settings, or lists every fault in them.</summary>
static class SettingsCompiler
{
    /// <summary>Reads and compiles a configuration file.</summary>
    /// <exception cref="InvalidDataException">It is missing, or it is not YAML.</exception>
    /// <exception cref="OptionsValidationException">It has faults.</exception>
    internal static CompiledSettings FromFile(string file) => Build(builder => ConfigurationFile.Add(builder, file));

    /// <summary>Compiles a configuration's text.</summary>
    /// <exception cref="InvalidDataException">It is not YAML.</exception>
    /// <exception cref="OptionsValidationException">It has faults.</exception>
    internal static CompiledSettings FromText(string text)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return Build(builder => builder.AddYamlStream(stream));
    }

    static CompiledSettings Build(Func<IConfigurationBuilder, IConfigurationBuilder> add)
    {
        try
        {
            using var configuration = (ConfigurationRoot)add(new ConfigurationBuilder()).Build();
            return Compile(configuration);
        }
        catch (Exception fault) when (fault is FormatException or YamlException)
        {
            throw new InvalidDataException($"the webhook's configuration cannot be used: {fault.InnerException?.Message ?? fault.Message}", fault);
        }
    }

    /// <summary>Binds, checks and compiles these sections of a configuration.</summary>
    /// <exception cref="OptionsValidationException">They have faults.</exception>
    internal static CompiledSettings Compile(IConfiguration configuration)
    {
        try
        {
            return Compile(
                OptionsRules.Checked(configuration.GetSection(PlacementOptions.Section).Get<PlacementOptions>()),
                OptionsRules.Checked(configuration.GetSection(TrainingOptions.Section).Get<TrainingOptions>()),
                OptionsRules.Checked(configuration.GetSection(StepOptions.Section).Get<StepOptions>()),
                configuration.GetSection(NodeOptions.Section).Get<NodeOptions>() ?? new NodeOptions(),
                out var faults) ?? throw OptionsRules.Refused(faults);
        }
        // The binder throws this for a value of the wrong type, such as text where a number belongs.
        catch (InvalidOperationException unbindable)
        {
            throw OptionsRules.Refused(unbindable.Message);
        }
    }

    /// <summary>Compiles the sections.</summary>
    /// <param name="placement">How predict steps are placed.</param>
    /// <param name="training">Which requests and nodes training steps get.</param>
    /// <param name="steps">How the webhook recognises a step.</param>
    /// <param name="nodes">What is read of the nodes.</param>
    /// <param name="faults">Each fault with its key and what to write instead; empty when there is none.</param>
    /// <returns>The settings, or <see langword="null"/> when there are faults.</returns>
    internal static CompiledSettings? Compile(PlacementOptions placement, TrainingOptions training, StepOptions steps, NodeOptions nodes, out IReadOnlyList<string> faults)
    {
        var found = new List<string>();
        faults = found;
        var policy = Policy(placement, training, nodes, found);
        var rules = Rules(steps, found);
        return found.Count == 0 ? CompiledSettings.Of(rules, policy) : null;
    }

    static PlacementPolicy Policy(PlacementOptions placement, TrainingOptions training, NodeOptions nodes, List<string> faults)
    {
        if (!Quantity.TryParseMilli(training.Cpu, out var cpuMilli) || cpuMilli == 0)
        {
            faults.Add($"training.cpu: \"{training.Cpu}\" is not a positive Kubernetes quantity; write for example 2 or 500m");
        }

        if (!Quantity.TryParseUnits(training.Memory, out var memoryBytes) || memoryBytes == 0)
        {
            faults.Add($"training.memory: \"{training.Memory}\" is not a positive Kubernetes quantity; write for example 4Gi");
        }

        NodeSelectorTerm? cloud = null;
        if (!string.IsNullOrWhiteSpace(training.CloudSelector) && !LabelSelector.TryParse(training.CloudSelector, out cloud))
        {
            faults.Add($"training.cloudSelector: \"{training.CloudSelector}\" is not a label selector; write for example tier=cloud or tier in (cloud, core)");
        }

        var maxLatenciesMs = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var (ns, latency) in placement.MaxLatencies)
        {
            if (!LatencyLabels.TryParseMs(latency, out var latencyMs))
            {
                faults.Add($"placement.maxLatencies.{ns}: \"{latency}\" is not a latency; write for example 20ms");
            }

            maxLatenciesMs[ns] = latencyMs;
        }

        return new PlacementPolicy
        {
            LatencyLabels = nodes.LatencyLabels == LatencyLabelForms.Restricted ? LatencyLabels.Restricted : LatencyLabels.All,
            Mode = placement.Mode,
            MaxLatenciesMs = maxLatenciesMs,
            NodeTerms = placement.NodeTerms,
            Spread = placement.Spread,
            NamedNodes = placement.NamedNodes,
            NearFactor = placement.NearFactor,
            NearSlackMs = placement.NearSlackMs,
            NodeAffinityWeight = placement.NodeAffinityWeight,
            ScoringStrategy = placement.ScoringStrategy,
            TrainingRequests = training.Requests,
            TrainingCpuMilli = cpuMilli,
            TrainingMemoryBytes = memoryBytes,
            CloudSelector = cloud,
            TopClassShare = training.TopClassShare,
            PlatformContainers = [.. PlacementPolicy.DefaultPlatformContainers, .. training.PlatformContainers],
        };
    }

    static StepRules Rules(StepOptions steps, List<string> faults)
    {
        var rules = new List<StepRule>();
        foreach (var (i, options) in steps.Rules.Index())
        {
            var key = $"steps.rules[{i}]";
            var rule = Rule(options, options.Name.Length > 0 ? options.Name : key, faults, key);
            if (!rule.HasPattern)
            {
                faults.Add($"{key}: it has no pattern and would match every pod; add namespace, nodeName, function, inferenceService or labels");
            }

            if (!rule.GivesKind && rule.Location is null)
            {
                faults.Add($"{key}: it sets neither component nor location; set one of them");
            }

            rules.Add(rule);
        }

        foreach (var (ns, location) in steps.DefaultLocations)
        {
            CheckLocation(location, $"steps.defaultLocations.{ns}", faults);
        }

        return new StepRules(steps.ComponentLabel, steps.LocationLabel, rules, steps.DefaultLocations.ToDictionary(StringComparer.Ordinal));
    }

    static StepRule Rule(StepRuleOptions options, string name, List<string> faults, string key)
    {
        if (options.Location is not null)
        {
            CheckLocation(options.Location, $"{key}.location", faults);
        }

        var rule = new StepRule
        {
            Name = name,
            Namespace = options.Namespace,
            NodeName = options.NodeName,
            Function = options.Function,
            InferenceService = options.InferenceService,
            Labels = options.Labels.ToDictionary(StringComparer.Ordinal),
            Location = options.Location,
            WinsOverLabel = options.WinsOverLabel,
        };
        if (options.Component is not { Length: > 0 } word)
        {
            return rule;
        }

        var kind = StepKinds.Find(word);
        if (kind is null && !word.Equals("None", StringComparison.OrdinalIgnoreCase))
        {
            faults.Add($"{key}.component: \"{word}\" is not one of {string.Join(", ", StepKinds.Default.Select(k => k.Name))}, None");
        }

        return rule with { Kind = kind };
    }

    static void CheckLocation(string location, string key, List<string> faults)
    {
        if (!LabelSyntax.IsName(location))
        {
            faults.Add($"{key}: \"{location}\" is not a valid label name, so no node can have a latency to it");
        }
    }
}
