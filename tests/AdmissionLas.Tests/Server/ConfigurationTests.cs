using AdmissionLas.Configuration;
using AdmissionLas.Server;
using Microsoft.Extensions.Options;

namespace AdmissionLas.Tests.Server;

public sealed class ConfigurationTests : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("admissionlas-tests-").FullName;

    [Fact]
    public async Task Rules_are_reloaded_without_a_restart_and_a_faulty_change_keeps_the_last_good_ones()
    {
        var file = Path.Combine(directory, "config.yaml");
        await File.WriteAllTextAsync(file, DefaultLocation("HOME-EDGE"));
        await using var webhook = await RunningWebhook.StartAsync(file: file);
        Assert.Equal("home-edge-node", await NodeAsync(webhook));

        await File.WriteAllTextAsync(file, DefaultLocation("NITLAB-EDGE"));
        await Eventually.IsTrueAsync("the new location counts", async () => await NodeAsync(webhook) == "nitlab-edge-node");

        await File.WriteAllTextAsync(file, DefaultLocation("no place"));
        await Task.Delay(TimeSpan.FromSeconds(5));
        Assert.Equal("nitlab-edge-node", await NodeAsync(webhook));

        await File.WriteAllTextAsync(file, DefaultLocation("NITOS-CLOUD"));
        await Eventually.IsTrueAsync("the mended location counts", async () => await NodeAsync(webhook) == "nitos-cloud-node");
    }

    [Theory]
    [InlineData("tier=cloud", "tier In cloud")]
    [InlineData("tier==cloud", "tier In cloud")]
    [InlineData("tier!=edge", "tier NotIn edge")]
    [InlineData("tier in (cloud, core)", "tier In cloud|core")]
    [InlineData("tier notin (edge)", "tier NotIn edge")]
    [InlineData("example.com/tier", "example.com/tier Exists ")]
    [InlineData("!spot", "spot DoesNotExist ")]
    [InlineData("tier=cloud, !spot ,zone in (a,b)", "tier In cloud; spot DoesNotExist ; zone In a|b")]
    [InlineData("in", "in Exists ")]
    public void A_label_selector_is_read_as_kubectl_reads_it(string text, string expected)
    {
        Assert.True(LabelSelector.TryParse(text, out var term));
        Assert.Equal(expected, string.Join("; ", term.MatchExpressions.Select(e => $"{e.Key} {e.Operator} {string.Join('|', e.Values)}")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("=cloud")]
    [InlineData("tier=cloud,")]
    [InlineData("tier in cloud")]
    [InlineData("tier in (cloud")]
    [InlineData("tier cloud")]
    [InlineData("tier=clo ud")]
    public void What_is_no_label_selector_is_refused(string text) => Assert.False(LabelSelector.TryParse(text, out _));

    [Fact]
    public void Every_fault_is_told_at_once()
    {
        var settings = SettingsCompiler.Compile(
            new PlacementOptions(),
            new TrainingOptions { Cpu = "0", Memory = "lots", CloudSelector = "(" },
            new StepOptions { Rules = [new StepRuleOptions { Name = "empty" }] },
            new NodeOptions(),
            out var faults);

        Assert.Null(settings);
        Assert.Equal(5, faults.Count);
    }

    [Fact]
    public void Text_that_is_no_yaml_is_told_as_such() => Assert.Throws<InvalidDataException>(() => SettingsCompiler.FromText("placement: ["));

    [Fact]
    public void The_defaults_of_the_options_are_the_defaults_of_the_policy()
    {
        var compiled = SettingsCompiler.Compile(new PlacementOptions(), new TrainingOptions(), new StepOptions(), new NodeOptions(), out _)!;
        var policy = new PlacementPolicy();

        Assert.Same(policy.LatencyLabels, compiled.Policy.LatencyLabels);
        Assert.Equal(policy.Mode, compiled.Policy.Mode);
        Assert.Equal(policy.NamedNodes, compiled.Policy.NamedNodes);
        Assert.Equal(policy.NearFactor, compiled.Policy.NearFactor);
        Assert.Equal(policy.NearSlackMs, compiled.Policy.NearSlackMs);
        Assert.Equal(policy.TrainingRequests, compiled.Policy.TrainingRequests);
        Assert.Equal(policy.TrainingCpuMilli, compiled.Policy.TrainingCpuMilli);
        Assert.Equal(policy.TrainingMemoryBytes, compiled.Policy.TrainingMemoryBytes);
        Assert.Equal(policy.TopClassShare, compiled.Policy.TopClassShare);
        Assert.Equal(policy.PlatformContainers, compiled.Policy.PlatformContainers);
        Assert.Equal(policy.CloudSelector!.MatchExpressions[0].Key, compiled.Policy.CloudSelector!.MatchExpressions[0].Key);
    }

    [Fact]
    public void An_admin_can_take_the_latency_labels_that_no_kubelet_can_write_and_no_others()
    {
        Assert.Same(LatencyLabels.Restricted, SettingsCompiler.FromText("nodes: { latencyLabels: restricted }").Policy.LatencyLabels);
        Assert.Throws<OptionsValidationException>(() => SettingsCompiler.FromText("nodes: { latencyLabels: safe }"));
    }

    [Theory]
    [InlineData("tier=cloud")]
    [InlineData("tier!=edge,!spot,gpu")]
    [InlineData("tier in (cloud, core),zone notin (a, b)")]
    public void A_selector_is_written_as_it_was_read(string text)
    {
        Assert.True(LabelSelector.TryParse(text, out var term));
        Assert.Equal(text, LabelSelector.Write(term));
    }

    // YAML 1.1 takes these words for booleans.
    [Theory]
    [InlineData("on", TrainingRequests.On)]
    [InlineData("full", TrainingRequests.Full)]
    [InlineData("Off", TrainingRequests.Off)]
    [InlineData("'off'", TrainingRequests.Off)]
    public void Requests_are_turned_on_and_off_by_these_words_alone(string word, TrainingRequests requests)
    {
        Assert.Equal(requests, SettingsCompiler.FromText($"training: {{ requests: {word} }}").Policy.TrainingRequests);
        Assert.Throws<OptionsValidationException>(() => SettingsCompiler.FromText("training: { requests: false }"));
    }

    [Fact]
    public void A_development_certificate_is_made_once_and_its_key_is_its_owners_alone()
    {
        var now = DateTimeOffset.UtcNow;
        var (certificate, key) = DevelopmentCertificate.InDirectory(directory, now);
        var first = File.ReadAllText(certificate);

        DevelopmentCertificate.InDirectory(directory, now.AddDays(1));

        Assert.Equal(first, File.ReadAllText(certificate));
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(key) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.True(File.Exists(Path.Combine(directory, "ca.crt")));
    }

    [Fact]
    public void A_development_certificate_that_is_about_to_expire_is_made_anew()
    {
        var now = DateTimeOffset.UtcNow;
        var (certificate, _) = DevelopmentCertificate.InDirectory(directory, now);
        var first = File.ReadAllText(certificate);

        DevelopmentCertificate.InDirectory(directory, now.AddDays(29.5));

        Assert.NotEqual(first, File.ReadAllText(certificate));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    static string DefaultLocation(string location) => $"steps: {{ defaultLocations: {{ kubeflow: '{location}' }} }}";

    static async Task<string?> NodeAsync(RunningWebhook webhook)
    {
        var pod = RunningWebhook.Predict("");
        pod["metadata"]!["labels"]!.AsObject().Remove("OurLocation");
        return (await webhook.ReviewAsync(pod))["auditAnnotations"]?["node"]?.ToString();
    }
}
