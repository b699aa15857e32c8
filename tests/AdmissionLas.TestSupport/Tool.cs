using System.Collections.ObjectModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace AdmissionLas.TestSupport;

/// <summary>What a program said and how it ended.</summary>
public sealed record ToolResult(int ExitCode, string Output, string Errors);

/// <summary>A program that runs until it is done with.</summary>
public sealed class Tool : IAsyncDisposable
{
    static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);
    static readonly TimeSpan RunBound = TimeSpan.FromMinutes(20);

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

    /// <summary>What the kernel knows it by.</summary>
    public int Id => process.Id;

    /// <summary>Starts one that goes on.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    public static Tool Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        new(Process.Start(With(new(program, arguments), environment))!);

    /// <summary>Starts admission-las itself.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    /// <param name="program">The program, <c>admission-las</c> or <c>admission-las.dll</c>, if not the one beside the tests.</param>
    public static Tool StartAdmissionLas(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? program = null)
    {
        program ??= Path.Combine(AppContext.BaseDirectory, "admission-las.dll");
        return program.EndsWith(".dll", StringComparison.Ordinal)
            ? Start("dotnet", [program, .. arguments], environment)
            : Start(program, arguments, environment);
    }

    /// <summary>Runs one to its end.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="input">Its standard input.</param>
    /// <param name="environment">Variables beside those of this process; an empty one is taken away.</param>
    /// <param name="folder">Where it runs; in the checkout without it.</param>
    public static async Task<ToolResult> RunAsync(
        string program, IEnumerable<string> arguments, string input = "", IReadOnlyDictionary<string, string>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, WorkingDirectory = folder ?? Checkout.Root };
        using var process = Process.Start(With(start, environment))!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync().WaitAsync(RunBound);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return new ToolResult(process.ExitCode, await output, await errors);
    }

    /// <summary>Runs one that must succeed.</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task<string> OutputOfAsync(string program, IEnumerable<string> arguments, string input = "")
    {
        var result = await RunAsync(program, arguments, input);
        return result.ExitCode == 0
            ? result.Output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {result.Errors}");
    }

    /// <summary>Waits until it has written this.</summary>
    public Task WritesAsync(string text) =>
        Eventually.IsTrueAsync($"\"{text}\" in the output", () => Task.FromResult(Log.Contains(text, StringComparison.Ordinal)));

    /// <summary>Waits for its end.</summary>
    public async Task<int> ExitCodeAsync()
    {
        await process.WaitForExitAsync().WaitAsync(Bound);
        return process.ExitCode;
    }

    /// <summary>What a kubelet does first to end a pod.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        return await ExitCodeAsync();
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

    static ProcessStartInfo With(ProcessStartInfo start, IReadOnlyDictionary<string, string>? environment)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        foreach (var (name, value) in environment ?? ReadOnlyDictionary<string, string>.Empty)
        {
            start.Environment[name] = value.Length == 0 ? null : value;
        }

        return start;
    }

    void Note(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is { } text)
        {
            lock (log)
            {
                log.AppendLine(text);
            }
        }
    }
}
