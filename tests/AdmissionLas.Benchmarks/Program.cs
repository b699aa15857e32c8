using System.Globalization;
using System.Reflection;
using AdmissionLas.Benchmarks;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

// The first words are for scripts/benchmark.sh, scripts/cluster-cost.sh and scripts/page-cost.sh; anything else goes to BenchmarkDotNet.
switch (args)
{
    case ["workload", var directory]:
        File.WriteAllBytes(Path.Combine(directory, "review.json"), Workload.Review("Predict", "LOCATION-7"));
        foreach (var count in (int[])[5, 500, 5000])
        {
            File.WriteAllText(Path.Combine(directory, $"nodes-{count}.yaml"), Workload.NodeList(count).ToJsonString());
        }

        return 0;
    case ["watch-cost", .. var arguments]:
        return await WatchCost.RunAsync(arguments);
    case ["admission-duration", var kubeconfig, var count]:
        return await AdmissionDuration.RunAsync(kubeconfig, int.Parse(count, CultureInfo.InvariantCulture));
    case ["page-cost", var server, var page, var chromium, var loads]:
        return await PageCost.RunAsync(server, page, chromium, int.Parse(loads, CultureInfo.InvariantCulture));
    case ["usage-memory", ..]:
        return await UsageMemory.RunAsync(args.Length > 1 ? args[1] : Path.Combine(AppContext.BaseDirectory, "admission-las.dll"));
}

// In process: the generated project of the usual toolchain would be built under this repository's rules for people.
var config = ManualConfig.Create(DefaultConfig.Instance)
    .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(4).WithIterationCount(10))
    .AddDiagnoser(MemoryDiagnoser.Default)
    .HideColumns(Column.Error, Column.RatioSD)
    .WithOptions(ConfigOptions.DisableLogFile);
BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(args, config);
return 0;
