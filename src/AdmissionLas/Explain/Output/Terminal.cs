using Spectre.Console;
using Spectre.Console.Rendering;

namespace AdmissionLas.Explain;

/// <summary>
/// Writes a command's output for people: with colours and borders at a terminal, plain columns when piped, no colour with <c>NO_COLOR</c>
/// (https://no-color.org). Most colour-blind people can tell the colours apart, and the text says the same without them.
/// </summary>
sealed class Terminal
{
    /// <summary>A program that reads a pipe needs whole lines.</summary>
    const int WidthWhenPiped = 10_000;

    readonly TextWriter output;
    readonly IAnsiConsole console;

    /// <summary>Writes to a command's output.</summary>
    /// <param name="output">The output; a terminal only if it is the process's own.</param>
    /// <param name="isTerminal">Whether it is a terminal; <see langword="null"/> to detect it.</param>
    /// <param name="hasColour">Whether colours are wanted; <see langword="null"/> to detect it.</param>
    /// <param name="width">Its width in characters; <see langword="null"/> to detect it.</param>
    internal Terminal(TextWriter output, bool? isTerminal = null, bool? hasColour = null, int? width = null)
    {
        this.output = output;
        IsTerminal = isTerminal ?? (ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected);
        HasColour = IsTerminal && (hasColour ?? string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")));
        console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = HasColour ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = HasColour ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        if (width is not null || !IsTerminal)
        {
            console.Profile.Width = width ?? WidthWhenPiped;
        }

        if (hasColour == true)
        {
            console.Profile.Capabilities.Ansi = true;
            console.Profile.Capabilities.ColorSystem = ColorSystem.EightBit;
        }
    }

    /// <summary>Whether it is a terminal.</summary>
    internal bool IsTerminal { get; }

    /// <summary>Whether colours are shown.</summary>
    internal bool HasColour { get; }

    /// <summary>How many characters fit into a line.</summary>
    internal int Width => console.Profile.Width;

    /// <summary>Blue: good news.</summary>
    internal static Style Good { get; } = new(Color.DeepSkyBlue1);

    /// <summary>Orange: bad news.</summary>
    internal static Style Bad { get; } = new(Color.Orange1);

    internal static Style Faint { get; } = new(decoration: Decoration.Dim);

    internal static Style Strong { get; } = new(decoration: Decoration.Bold);

    /// <summary>A line, wrapped at a terminal's width.</summary>
    internal void Line(string text = "", Style? style = null)
    {
        if (IsTerminal)
        {
            console.Write(Text(text, style));
            console.WriteLine();
        }
        else
        {
            output.WriteLine(Safe(text));
        }
    }

    /// <summary>A line that is never wrapped, as a patch must not be.</summary>
    internal void Verbatim(string text, Style? style = null)
    {
        if (HasColour && style is { } coloured)
        {
            var width = console.Profile.Width;
            console.Profile.Width = WidthWhenPiped;
            console.Write(new Text(Safe(text), coloured));
            console.WriteLine();
            console.Profile.Width = width;
        }
        else
        {
            output.WriteLine(Safe(text));
        }
    }

    /// <summary>An empty table; the first column names the row.</summary>
    internal Table Table(params string[] columns)
    {
        var table = new Table { Border = IsTerminal ? TableBorder.Rounded : TableBorder.None, UseSafeBorder = true };
        foreach (var (i, column) in columns.Index())
        {
            table.AddColumn(new TableColumn(new Text(column, Strong)) { NoWrap = i > 0, Alignment = Justify.Left });
        }

        return table;
    }

    internal void Write(IRenderable table) => console.Write(table);

    /// <summary>Text for a cell. It is never markup, because it may come from a stranger.</summary>
    internal static Text Text(string text, Style? style = null) => new(Safe(text), style);

    /// <summary>The text such that it cannot control the terminal.</summary>
    internal static string Safe(string text) => PlainText.Of(text);
}
