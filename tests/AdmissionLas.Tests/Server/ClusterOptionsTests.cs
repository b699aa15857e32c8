using AdmissionLas.Cli;

namespace AdmissionLas.Tests.Server;

/// <summary>Which cluster a verb talks to. The environment belongs to all tests, so these run alone.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class ClusterOptionsTests : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("admissionlas-tests-").FullName;
    readonly string? before = Environment.GetEnvironmentVariable("KUBECONFIG");

    [Fact]
    public void The_first_file_of_the_list_that_is_there_counts()
    {
        Environment.SetEnvironmentVariable("KUBECONFIG", string.Join(Path.PathSeparator, "/nowhere/first", Write("second", "https://second.example.org"), Write("third", "https://third.example.org")));

        Assert.Equal("https://second.example.org/", HostOf());
    }

    [Fact]
    public void What_is_named_wins_over_the_environment()
    {
        Environment.SetEnvironmentVariable("KUBECONFIG", Write("first", "https://first.example.org"));

        Assert.Equal("https://named.example.org/", HostOf("--kubeconfig", Write("named", "https://named.example.org")));
        Assert.Equal("https://other.example.org/", HostOf("--kubeconfig", Write("named", "https://named.example.org"), "--context", "other"));
    }

    [Fact]
    public void Without_any_the_admin_is_told_where_was_looked()
    {
        Environment.SetEnvironmentVariable("KUBECONFIG", "/nowhere/first:/nowhere/second");

        var fault = Assert.Throws<InvalidDataException>(() => HostOf());

        Assert.Contains("there is no /nowhere/first or /nowhere/second; give --kubeconfig <file>", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: [")]
    [InlineData("this: is not one")]
    public void A_file_that_is_no_kubeconfig_is_named(string text)
    {
        var file = Path.Combine(directory, "broken");
        File.WriteAllText(file, text);

        Assert.Contains(file, Assert.Throws<InvalidDataException>(() => HostOf("--kubeconfig", file)).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("KUBECONFIG", before);
        Directory.Delete(directory, recursive: true);
    }

    static string HostOf(params string[] options) => new Uri(ClusterOptions.Configuration(Root.Create().Parse(["unregister", .. options])).Host).ToString();

    string Write(string name, string server)
    {
        var file = Path.Combine(directory, name);
        File.WriteAllText(file, $$"""
            apiVersion: v1
            kind: Config
            clusters: [{ name: one, cluster: { server: "{{server}}" } }, { name: other, cluster: { server: "https://other.example.org" } }]
            users: [{ name: me, user: { token: none } }]
            contexts: [{ name: one, context: { cluster: one, user: me } }, { name: other, context: { cluster: other, user: me } }]
            current-context: one
            """);
        return file;
    }
}
