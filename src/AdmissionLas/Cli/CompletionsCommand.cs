using System.CommandLine;

namespace AdmissionLas.Cli;

/// <summary>
/// <c>admission-las completions</c>: prints a shell script that completes the command line with this program's <c>[suggest]</c> directive.
/// Where the program suggests nothing, the shell completes file names.
/// </summary>
static class CompletionsCommand
{
    static readonly Argument<string> Shell = new("shell") { Description = "The shell" };

    internal static Command Create()
    {
        Shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        var command = new Command(
            "completions", "Print a script that completes this program's commands and options. bash: source <(admission-las completions bash)")
        {
            Shell,
        };
        command.SetAction(arguments => arguments.InvocationConfiguration.Output.Write(Scripts[arguments.GetValue(Shell)!]));
        return command;
    }

    static readonly Dictionary<string, string> Scripts = new(StringComparer.Ordinal)
    {
        ["bash"] = """
            # source <(admission-las completions bash)
            _admission_las() {
              local word="${COMP_WORDS[COMP_CWORD]}" IFS=$'\n'
              COMPREPLY=($(compgen -W "$("$1" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "$word"))
            }
            complete -o default -F _admission_las admission-las

            """,
        ["zsh"] = """
            # source <(admission-las completions zsh)
            _admission_las() {
              local -a found
              found=("${(@f)$("${words[1]}" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
              if [[ -n "${found[1]}" ]]; then compadd -- "${found[@]}"; else _files; fi
            }
            compdef _admission_las admission-las

            """,
        ["fish"] = """
            # admission-las completions fish | source
            complete -c admission-las -a '(set -l line (commandline -cp); admission-las "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)'

            """,
    };
}
