using System.Diagnostics;

namespace AdmissionLas.TestSupport;

/// <summary>
/// What a reader has in hand: the repository's files in a folder of their own, a home of their own, and the program on the PATH as
/// <c>admission-las</c>. Deleted when it is disposed of.
/// </summary>
public sealed class Clone : IDisposable
{
    readonly string root = Directory.CreateTempSubdirectory("admissionlas-clone-").FullName;
    readonly Dictionary<string, string> environment;

    Clone(string program)
    {
        var realHome = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        environment = new()
        {
            ["HOME"] = Path.Combine(root, "home"),
            // What is downloaded or built once for a user need not be so for a test.
            ["XDG_CACHE_HOME"] = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? Path.Combine(realHome, ".cache"),
            ["NUGET_PACKAGES"] = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(realHome, ".nuget", "packages"),
            ["XDG_STATE_HOME"] = "",
            ["KUBECONFIG"] = "",
            ["DOTNET_NOLOGO"] = "1",
            ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
            // No server is left behind by a build.
            ["MSBUILDDISABLENODEREUSE"] = "1",
            ["UseSharedCompilation"] = "false",
            ["ADMISSION_LAS_BIN"] = program,
            ["PATH"] = $"{Path.Combine(root, "bin")}:{Environment.GetEnvironmentVariable("PATH")}",
        };
    }

    /// <summary>The folder with the files.</summary>
    public string Files => Path.Combine(root, "main");

    /// <summary>The reader's home.</summary>
    public string Home => Path.Combine(root, "home");

    /// <summary>Every document of the repository, by its path.</summary>
    public static string[] Documents { get; } = [.. Tracked().Where(f => f.EndsWith(".md", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>The shell blocks of every document.</summary>
    public static ShellBlock[] Blocks { get; } = [.. Documents.SelectMany(d => ShellBlock.Of(d, File.ReadAllText(Checkout.PathOf(d))))];

    /// <summary>Copies what git knows or would add; a clone of the last commit would try yesterday's documents.</summary>
    /// <param name="program">The program's .dll.</param>
    public static Clone Make(string program)
    {
        var clone = new Clone(program);
        foreach (var file in Tracked())
        {
            var copy = Path.Combine(clone.Files, file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Checkout.PathOf(file), copy);
        }

        Directory.CreateDirectory(clone.Home);
        var command = Path.Combine(clone.root, "bin", "admission-las");
        Directory.CreateDirectory(Path.GetDirectoryName(command)!);
        // Not the variable of the scripts: the program takes variables of this prefix for its settings.
        File.WriteAllText(command, $"#!/bin/sh\nunset ADMISSION_LAS_BIN\nexec dotnet '{program}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(command, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return clone;
    }

    /// <summary>Runs blocks one after the other in one shell; the first that fails, or prints something else than the document says, is thrown.</summary>
    /// <param name="blocks">The blocks, in the order of a reader.</param>
    /// <param name="variables">Further variables of the environment.</param>
    /// <returns>What each block printed.</returns>
    public async Task<IReadOnlyDictionary<ShellBlock, string>> RunAsync(IReadOnlyCollection<ShellBlock> blocks, params (string Name, string Value)[] variables)
    {
        var script = string.Concat(blocks.Select(b => $"\n{Mark}\n{b.Script}"));
        var (exitCode, output) = await BashAsync($"set -eo pipefail\nexec 2>&1 </dev/null\n{script}\n{Mark}", variables);
        var printed = output.Split(Marker);
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"{blocks.ElementAt(Math.Min(printed.Length - 2, blocks.Count - 1))} failed with exit code {exitCode}:\n{output}");
        }

        var byBlock = blocks.Zip(printed.Skip(1)).ToDictionary(b => b.First, b => b.Second);
        var wrong = byBlock.FirstOrDefault(b => b.Key.Printed is { } said && !b.Value.Contains(said.Trim(), StringComparison.Ordinal));
        return wrong.Key is null
            ? byBlock
            : throw new InvalidOperationException($"{wrong.Key} should print\n{wrong.Key.Printed}\nand printed\n{wrong.Value}");
    }

    /// <summary>Runs one command and gives what it printed.</summary>
    public async Task<string> CommandAsync(string command, params (string Name, string Value)[] variables)
    {
        var (exitCode, output) = await BashAsync($"set -eo pipefail\n{command}", variables);
        return exitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{command} failed with exit code {exitCode}:\n{output}");
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(root, recursive: true);

    const string Marker = "::next-block";
    const string Mark = $"echo '{Marker}'";

    async Task<(int ExitCode, string Output)> BashAsync(string script, (string Name, string Value)[] variables)
    {
        var all = new Dictionary<string, string>(environment);
        foreach (var (name, value) in variables)
        {
            all[name] = value;
        }

        var (exitCode, output, errors) = await Tool.RunAsync("bash", ["-c", script], environment: all, folder: Files);
        return (exitCode, output + (exitCode == 0 ? "" : errors));
    }

    static string[] Tracked()
    {
        var start = new ProcessStartInfo("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        {
            WorkingDirectory = Checkout.Root,
            RedirectStandardOutput = true,
        };
        using var git = Process.Start(start)!;
        var files = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        return [.. files.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(f => File.Exists(Checkout.PathOf(f)))];
    }
}
