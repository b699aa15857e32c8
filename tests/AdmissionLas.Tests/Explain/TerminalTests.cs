using AdmissionLas.Explain;

namespace AdmissionLas.Tests.Explain;

/// <summary>What a person sees: colours where they are wanted, and no line longer than the terminal is wide.</summary>
public sealed class TerminalTests
{
    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(140)]
    public void No_line_of_a_table_is_wider_than_the_terminal(int width)
    {
        var (explanation, matrix) = Show(width, hasColour: false);

        Assert.All((explanation + matrix).Split('\n').Where(l => l.Length > 0 && !"+-@ ".Contains(l[0], StringComparison.Ordinal)), line => Assert.True(line.TrimEnd('\r').Length <= width, line));
    }

    [Fact]
    public void Without_colours_no_escape_is_written() => Assert.DoesNotContain('\e', Show(100, hasColour: false).Explanation + Show(100, hasColour: false).Matrix);

    [Fact]
    public void Colours_say_nothing_that_the_text_does_not()
    {
        var (plain, coloured) = (Show(100, hasColour: false), Show(100, hasColour: true));

        Assert.Contains('\e', coloured.Explanation);
        Assert.Equal(Words(plain.Explanation), Words(coloured.Explanation));
        Assert.Equal(Words(plain.Matrix), Words(coloured.Matrix));
    }

    [Fact]
    public void A_matrix_that_is_too_wide_goes_on_below()
    {
        var nodes = Enumerable.Range(0, 2).Select(n => new NodeFacts { Name = $"node-{n}", Labels = Enumerable.Range(0, 30).ToDictionary(l => $"{LatencyLabels.Prefix}location-{l:00}", l => $"{l}.5") }.WithLatenciesOf(LatencyLabels.All));
        using var output = new StringWriter();

        LatencyMatrix.Write(new Terminal(output, isTerminal: true, hasColour: false, width: 80), new ClusterView(nodes), LatencyLabels.Prefix);

        var text = output.ToString();
        Assert.All(Enumerable.Range(0, 30), l => Assert.Contains($"location-{l:00}", text, StringComparison.Ordinal));
        Assert.All(text.Split('\n'), line => Assert.True(line.TrimEnd('\r').Length <= 80, line));
        Assert.True(text.Split("node-1").Length > 3);
    }

    static (string Explanation, string Matrix) Show(int width, bool hasColour)
    {
        using var explanation = new StringWriter();
        using var matrix = new StringWriter();
        ExplanationTables.Write(new Terminal(explanation, isTerminal: true, hasColour, width), Assert.Single(Text.Explain(Text.PredictPod)), int.MaxValue);
        LatencyMatrix.Write(new Terminal(matrix, isTerminal: true, hasColour, width), Testbed.View, LatencyLabels.Prefix);
        return (explanation.ToString(), matrix.ToString());
    }

    static string[] Words(string text) => System.Text.RegularExpressions.Regex.Replace(text, "\e\\[[0-9;]*m", "").Split((char[])[' ', '\n', '\r', '│', '╭', '╮', '╰', '╯', '─', '┬', '┴', '├', '┤', '┼'], StringSplitOptions.RemoveEmptyEntries);
}
