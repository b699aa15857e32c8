using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using AdmissionLas.Configuration;
using Xunit.Abstractions;

namespace AdmissionLas.Tests.Documents;

/// <summary>What the documents say is so. The commands that need a control plane run in the cluster tests.</summary>
public sealed partial class DocumentTests(ITestOutputHelper report)
{
    static readonly string Program = Path.Combine(AppContext.BaseDirectory, "admission-las.dll");

    public static TheoryData<string> Documents => [.. Clone.Documents];

    [Fact]
    public void Every_shell_block_says_whether_a_test_runs_it()
    {
        Assert.NotEmpty(Clone.Blocks);
        foreach (var block in Clone.Blocks)
        {
            Assert.True(block.RunsIn != RunsIn.Unsaid,
                $"{block}: after ```sh stands \"{block.Reason}\"; write one of: {string.Join("; ", ShellBlock.Words.Keys)}; not run: and the reason");
            if (block.RunsIn == RunsIn.Nowhere)
            {
                report.WriteLine($"{block} is not run, since {block.Reason}:\n{block.Script}");
            }
        }
    }

    [Fact]
    public async Task The_commands_that_need_no_cluster_run_in_a_clone()
    {
        using var clone = Clone.Make(Program);

        var printed = await clone.RunAsync([.. Clone.Blocks.Where(b => b.RunsIn == RunsIn.Clone)]);

        var demo = printed.Single(b => b.Key.Script.Contains("-- demo", StringComparison.Ordinal));
        var shown = TableRows(await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "README.md")), '|').Where(r => r.Length == 6).ToArray();
        Assert.Equal(TableRows(demo.Value, '│').Select(r => string.Join(" | ", r[..^1])), shown.Select(r => string.Join(" | ", r)));
    }

    [Fact]
    public void Every_row_of_the_threat_model_names_tests_that_are_there()
    {
        var rows = File.ReadLines(Checkout.PathOf(".github/SECURITY.md")).Where(l => l.StartsWith("| ", StringComparison.Ordinal)).Skip(1).ToArray();
        Assert.NotEmpty(rows);
        foreach (var row in rows)
        {
            var named = row.Split('|')[4];
            var tests = TestClass().Matches(named).ToArray();
            Assert.True(tests.Length > 0 || named.Trim() == "the same", row);
            foreach (var test in tests)
            {
                var folder = Checkout.PathOf(test.Groups["cluster"].Success ? "tests/AdmissionLas.ClusterTests" : "tests");
                Assert.True(Directory.EnumerateFiles(folder, $"{test.Groups["name"]}.cs", SearchOption.AllDirectories).Any(), $"{test} is not there: {row}");
            }
        }
    }

    [Theory, MemberData(nameof(Documents))]
    public void Every_link_within_the_repository_leads_somewhere(string document)
    {
        var text = File.ReadAllText(Path.Combine(Checkout.Root, document));
        foreach (Match link in Link().Matches(CodeBlock().Replace(text, "")))
        {
            var (path, anchor) = (link.Groups["path"].Value, link.Groups["anchor"].Value);
            var target = path.Length == 0
                ? Path.Combine(Checkout.Root, document)
                : Path.GetFullPath(Path.Combine(Checkout.Root, Path.GetDirectoryName(document)!, path));
            Assert.True(Path.Exists(target), $"{document} links to {path}, which is not there");
            if (anchor.Length > 0)
            {
                var headings = Heading().Matches(CodeBlock().Replace(File.ReadAllText(target), "")).Select(h => Anchor(h.Groups["text"].Value));
                Assert.True(headings.Contains(anchor), $"{document} links to {path}#{anchor}, and there is no such heading");
            }
        }
    }

    [Fact]
    public void The_settings_that_the_guides_show_are_accepted()
    {
        var shown = Clone.Documents
            .SelectMany(d => YamlBlock().Matches(File.ReadAllText(Path.Combine(Checkout.Root, d))))
            .Select(block => block.Groups["text"].Value)
            .Where(yaml => yaml.StartsWith("steps:", StringComparison.Ordinal) || yaml.StartsWith("placement:", StringComparison.Ordinal) || yaml.StartsWith("nodes:", StringComparison.Ordinal))
            .ToArray();

        Assert.NotEmpty(shown);
        Assert.All(shown, yaml =>
        {
            var file = Path.GetTempFileName();
            try
            {
                File.WriteAllText(file, yaml);
                Assert.NotNull(ServerSettings.Read(file));
            }
            finally
            {
                File.Delete(file);
            }
        });
    }

    [Fact]
    public void Every_setting_stands_in_the_guide_with_its_default()
    {
        var rows = File.ReadLines(Path.Combine(Checkout.Root, "manifests", "configuration.md")).Where(l => l.StartsWith("| `", StringComparison.Ordinal));
        var shown = rows.Select(r => r.Split('|', StringSplitOptions.TrimEntries)).SelectMany(cells =>
        {
            string[] keys = [.. Code().Matches(cells[1]).Select(c => c.Groups["text"].Value)];
            string[] defaults = [.. Code().Matches(cells[2]).Select(c => c.Groups["text"].Value)];
            var section = keys[0].Split('.')[0];
            return keys.Select((key, i) => $"{(key[0] == '.' ? section : "")}{key} = {(defaults.Length == 0 ? "none" : defaults[i])}");
        }).Where(s => !s.StartsWith("logging.", StringComparison.Ordinal));

        // The policy of certificates is a file of its own.
        var options = typeof(ServerOptions).Assembly.GetTypes()
            .Where(type => type != typeof(CertificateOptions) && type.GetField("Section", BindingFlags.Static | BindingFlags.NonPublic) is { IsLiteral: true });
        var known = options.SelectMany(type => type.GetProperties().Select(p =>
        {
            var value = p.GetValue(Activator.CreateInstance(type));
            var text = value switch
            {
                null or "" or System.Collections.IEnumerable and not string => "none",
                bool yes => yes ? "true" : "false",
                _ => Convert.ToString(value, CultureInfo.InvariantCulture),
            };
            return $"{type.GetField("Section", BindingFlags.Static | BindingFlags.NonPublic)!.GetRawConstantValue()}.{JsonNamingPolicy.CamelCase.ConvertName(p.Name)} = {text}";
        }));

        Assert.Equal(known.Order(StringComparer.Ordinal), shown.Order(StringComparer.Ordinal));
    }

    // The cells of a table's rows, without its head and rules.
    static IEnumerable<string[]> TableRows(string text, char bar) => text.Split('\n')
        .Select(line => line.Trim())
        .Where(line => line.StartsWith(bar) && line.EndsWith(bar) && !line.Contains("---", StringComparison.Ordinal))
        .Select(line => line[1..^1].Split(bar, StringSplitOptions.TrimEntries))
        .Where(cells => cells[0] != "Step" && cells[0].Length > 0);

    // As GitHub makes them.
    static string Anchor(string heading) =>
        NoAnchor().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex("""\]\((?!https?:)(?<path>[^)#\s]*)(#(?<anchor>[^)\s]+))?\)""")]
    private static partial Regex Link();

    [GeneratedRegex("""`(?<text>[^`]+)`""")]
    private static partial Regex Code();

    [GeneratedRegex("""^```.*?^```$""", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex("""^```ya?ml\n(?<text>.*?)^```$""", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex YamlBlock();

    [GeneratedRegex("""^#+ (?<text>.+)$""", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"`(?<name>\w+Tests)`(?<cluster> \*\(cluster\)\*)?", RegexOptions.ExplicitCapture)]
    private static partial Regex TestClass();

    [GeneratedRegex("""[^\w\- ]""")]
    private static partial Regex NoAnchor();
}
