using AdmissionLas.Cli;

namespace AdmissionLas.Tests.Server;

/// <summary>The messages for a wrong command line or a wrong file.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class ServeCommandTests : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("admissionlas-tests-").FullName;

    [Theory]
    [InlineData("server: { port: 70000 }", "port")]
    [InlineData("server: { port: many }", "port")]
    [InlineData("server: { address: everywhere }", "server.address: \"everywhere\" is no IP address")]
    [InlineData("placement: { mode: sometimes }", "mode")]
    [InlineData("placement: { namedNodes: 17 }", "NamedNodes")]
    [InlineData("training: { cpu: much }", "training.cpu: \"much\" is not a positive Kubernetes quantity; write for example 2 or 500m")]
    [InlineData("training: { cloudSelector: 'tier in cloud' }", "training.cloudSelector: \"tier in cloud\" is not a label selector")]
    [InlineData("steps: { rules: [{ name: all, component: Predict }] }", "steps.rules[0]: it has no pattern")]
    [InlineData("steps: { rules: [{ function: f, component: Guess }] }", "steps.rules[0].component: \"Guess\" is not one of Predict, Training, None")]
    [InlineData("steps: { rules: [{ function: f }] }", "steps.rules[0]: it sets neither component nor location")]
    [InlineData("steps: { defaultLocations: { team: 'no place' } }", "steps.defaultLocations.team: \"no place\" is not a valid label name")]
    [InlineData("a: [", "configuration file")]
    public async Task A_fault_in_the_configuration_ends_the_start_and_names_the_key(string yaml, string expected)
    {
        // Nothing on the command line that would win over the file.
        var (certificate, key) = AdmissionLas.Server.DevelopmentCertificate.InDirectory(directory, DateTimeOffset.UtcNow);

        var (exitCode, _, errors) = await CommandLine.RunAsync("serve", "--snapshot", Snapshot(), "--certificate", certificate, "--certificate-key", key, "--config", Write("c.yaml", yaml));

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("--port: abc is not a port", "serve", "--port", "abc")]
    [InlineData("--health-port: 70000 is not a port", "serve", "--health-port", "70000")]
    [InlineData("--page: -1 is not a port", "serve", "--page=-1")]
    [InlineData("--port: https is not a port", "register", "--port", "https")]
    [InlineData("--nodes: all is not a number of at least 1", "explain", "--nodes", "all")]
    [InlineData("--nodes: 0 is not a number of at least 1", "explain", "--nodes", "0")]
    [InlineData("--patience: soon is not a number of seconds", "certs", "rotate", "--patience", "soon")]
    [InlineData("--trust-delay: NaN is not a number of seconds", "certs", "init", "--trust-delay", "NaN")]
    public async Task A_number_that_is_none_is_refused_with_the_option_that_wants_it(string expected, params string[] arguments)
    {
        var (exitCode, output, errors) = await CommandLine.RunAsync(arguments);

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
        Assert.EndsWith($"See: admission-las {string.Join(' ', arguments.TakeWhile(a => !a.StartsWith('-')))} --help\n", errors, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Theory]
    [InlineData("--certificate")]
    [InlineData("--certificate-key")]
    public async Task A_missing_certificate_file_is_named(string option)
    {
        var (certificate, key) = AdmissionLas.Server.DevelopmentCertificate.InDirectory(directory, DateTimeOffset.UtcNow);
        string[] files = option == "--certificate" ? ["/nowhere/tls.crt", key] : [certificate, "/nowhere/tls.key"];

        var (exitCode, _, errors) = await CommandLine.RunAsync("serve", "--snapshot", Snapshot(), "--certificate", files[0], "--certificate-key", files[1]);

        Assert.Equal(1, exitCode);
        Assert.Contains("/nowhere/tls.", errors, StringComparison.Ordinal);
        Assert.Contains("--dev-certificate", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_of_another_certificate_is_refused()
    {
        var (certificate, _) = AdmissionLas.Server.DevelopmentCertificate.InDirectory(directory, DateTimeOffset.UtcNow);
        var (_, otherKey) = AdmissionLas.Server.DevelopmentCertificate.InDirectory(Path.Combine(directory, "other"), DateTimeOffset.UtcNow);

        var (exitCode, _, errors) = await CommandLine.RunAsync("serve", "--snapshot", Snapshot(), "--certificate", certificate, "--certificate-key", otherKey);

        Assert.Equal(1, exitCode);
        Assert.Contains(otherKey, errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "holds no Node")]
    [InlineData("kind: Pod", "holds no Node")]
    [InlineData("a: b: c", "line 1")]
    public async Task A_snapshot_that_cannot_be_used_is_named_with_the_reason(string yaml, string expected)
    {
        var (exitCode, _, errors) = await CommandLine.RunAsync("serve", "--snapshot", Write("nodes.yaml", yaml), "--dev-certificate", directory);

        Assert.Equal(1, exitCode);
        Assert.Contains("nodes.yaml", errors, StringComparison.Ordinal);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no/such/kubeconfig", null)]
    [InlineData("kubeconfig", "this: is not one")]
    public async Task A_kubeconfig_that_cannot_be_used_is_named(string file, string? text)
    {
        var path = text is null ? file : Write(file, text);

        var (exitCode, _, errors) = await CommandLine.RunAsync("serve", "--kubeconfig", path, "--dev-certificate", directory);

        Assert.Equal(1, exitCode);
        Assert.Contains(file, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outside_a_cluster_the_user_is_told_how_to_name_one()
    {
        var (exitCode, _, errors) = await CommandLine.RunAsync("serve", "--dev-certificate", directory);

        Assert.Equal(1, exitCode);
        Assert.Contains("--kubeconfig <file>", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_sources_exclude_each_other()
    {
        var (exitCode, _, errors) = await CommandLine.RunAsync("serve", "--snapshot", "a", "--kubeconfig", "b");

        Assert.NotEqual(0, exitCode);
        Assert.Contains("exclude each other", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_names_every_option()
    {
        var (exitCode, output, _) = await CommandLine.RunAsync("serve", "--help");

        Assert.Equal(0, exitCode);
        Assert.All((string[])["--kubeconfig", "--snapshot", "--config", "--certificate", "--dev-certificate", "--port"],
            option => Assert.Contains(option, output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_unknown_option_is_refused()
    {
        var (exitCode, _, errors) = await CommandLine.RunAsync("serve", "--no-such-option");

        Assert.NotEqual(0, exitCode);
        Assert.Contains("--no-such-option", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_demo_shows_every_step_of_the_pipeline_where_it_belongs()
    {
        var (exitCode, output, errors) = await CommandLine.RunAsync("demo");

        Assert.True(exitCode == 0, errors);
        Assert.Matches(@"data-fetching.*untouched", output);
        Assert.Matches(@"training .*nitos-cloud-node.*requests", output);
        Assert.Matches(@"predict-nitos-cloud .*NITOS-CLOUD .*nitos-cloud-node .*0\.289 ms", output);
        Assert.Matches(@"predict-nitlab-edge .*NITLAB-EDGE .*nitlab-edge-node .*0\.306 ms", output);
        Assert.Matches(@"predict-home-edge .*HOME-EDGE .*home-edge-node .*9\.8 ms", output);
        Assert.Matches(@"evaluation.*untouched", output);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    static string Snapshot() => Path.Combine(AppContext.BaseDirectory, "testbed", "nodes.yaml");

    string Write(string name, string text)
    {
        var path = Path.Combine(directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}
