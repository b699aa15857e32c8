using System.Diagnostics;
using System.Text;

namespace AdmissionLas.TestSupport;

/// <summary>What a program said and how it ended.</summary>
public sealed record ToolResult(int ExitCode, string Output, string Errors);

/// <summary>A program that runs until it is done with.</summary>
public sealed class Tool : IAsyncDisposable
{
    readonly Process process;
    readonly StringBuilder log = new();

    Tool(Process process)
    {
        this.process = process;
        process.OutputDataReceived += Note;
        process.ErrorDataReceived += Note;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>All that it has written.</summary>
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
    public static Tool Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new Tool(Process.Start(start)!);
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
        lock (log)
        {
            log.AppendLine(line.Data);
        }
    }
}
