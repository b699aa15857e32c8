using System.Diagnostics;

namespace AdmissionLas.Tests.Explain;

/// <summary>Completion by a real bash, which runs the program itself.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class CompletionsTests
{
    [Theory]
    [InlineData("admission-las expl", "explain")]
    [InlineData("admission-las explain --sna", "--snapshot")]
    [InlineData("admission-las explain --demo --out", "--output")]
    [InlineData("admission-las explain x --output ", "json table yaml")]
    [InlineData("admission-las certs ro", "rotate")]
    [InlineData("admission-las completions ", "bash fish zsh")]
    [InlineData("admission-las explain no-such-thing", "")]
    public async Task Bash_completes(string line, string words) => Assert.Equal(words, await CompleteAsync(line));

    [Fact]
    public async Task Another_shell_is_told_which_there_are()
    {
        var (exitCode, _, errors) = await CommandLine.RunAsync("completions", "tcsh");

        Assert.Equal(1, exitCode);
        Assert.Contains("bash", errors, StringComparison.Ordinal);
    }

    static async Task<string> CompleteAsync(string line)
    {
        var script = $$"""
            admission-las() { dotnet '{{Path.Combine(AppContext.BaseDirectory, "admission-las.dll")}}' "$@"; }
            source <(admission-las completions bash)
            COMP_LINE='{{line}}'; COMP_POINT=${#COMP_LINE}
            read -ra COMP_WORDS <<< "$COMP_LINE"; [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            complete -p admission-las | grep -q -- '-F _admission_las' || exit 9
            _admission_las admission-las
            printf '%s\n' "${COMPREPLY[@]}" | grep -v '^[-/]*[?h]$\|^--help$' | sort | tr '\n' ' '
            """;
        using var bash = Process.Start(new ProcessStartInfo("bash", ["--norc", "-c", script]) { RedirectStandardOutput = true })!;
        var output = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync();
        return output.Trim();
    }
}
