using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace AdmissionLas.TestSupport;

/// <summary>What a program said and how it ended.</summary>
public sealed record ToolResult(int ExitCode, string Output, string Errors);

/// <summary>A program that runs until it is done with.</summary>
public sealed class Tool : IAsyncDisposable
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    readonly Process process;
    readonly Func<string, bool> isKept;
    readonly StringBuilder log = new();

    Tool(Process process, Func<string, bool> isKept)
    {
        this.process = process;
        this.isKept = isKept;
        process.OutputDataReceived += Note;
        process.ErrorDataReceived += Note;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>All that it has written and that is kept.</summary>
    public string Log
    {
        get
        {
            lock (log)
            {
                return log.ToString();
            }
        }
    }

    /// <summary>Whether it has ended by itself.</summary>
    public bool HasExited => process.HasExited;

    /// <summary>Starts one that goes on.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    /// <param name="isKept">Which lines of its output are kept; without it all.</param>
    public static Tool Start(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, Func<string, bool>? isKept = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new Tool(Process.Start(start)!, isKept ?? (_ => true));
    }

    /// <summary>Runs one to its end.</summary>
    public static async Task<ToolResult> RunAsync(string program, IEnumerable<string> arguments, string input = "")
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Checkout.Root,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return new ToolResult(process.ExitCode, await output, await errors);
    }

    /// <summary>What a kubelet does first to end a pod.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync().WaitAsync(Bound);
        return process.ExitCode;
    }

    /// <summary>What the kernel does when memory is short.</summary>
    public void Kill() => process.Kill();

    /// <summary>Ends it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    void Note(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is { } text && isKept(text))
        {
            lock (log)
            {
                log.AppendLine(text);
            }
        }
    }
}
