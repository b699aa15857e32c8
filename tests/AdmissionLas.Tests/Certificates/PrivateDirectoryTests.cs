using System.Runtime.Versioning;
using AdmissionLas.Certificates;
using AdmissionLas.Server;

namespace AdmissionLas.Tests.Certificates;

/// <summary>What a local user can do to the directory that keys are kept in.</summary>
[Collection(ConsoleCollection.Name)]
[UnsupportedOSPlatform("windows")]
public sealed class PrivateDirectoryTests : IDisposable
{
    const UnixFileMode Sticky = UnixFileMode.StickyBit;
    const UnixFileMode Everyones = (UnixFileMode)0b111_111_111;
    const int AnotherUser = 12345;

    readonly string root = Directory.CreateTempSubdirectory("admissionlas-tests-").FullName;
    readonly string directory;
    readonly string elsewhere;

    public PrivateDirectoryTests()
    {
        directory = Path.Combine(root, "certs");
        elsewhere = Directory.CreateDirectory(Path.Combine(root, "elsewhere")).FullName;
        File.WriteAllText(Path.Combine(elsewhere, "theirs"), "theirs");
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    public async Task A_link_in_place_of_the_directory_is_refused_and_nothing_is_written_behind_it(string end)
    {
        File.CreateSymbolicLink(directory, elsewhere);

        await RefusesAsync($"{directory} is a symbolic link", directory + end);
        Assert.Throws<IOException>(() => DevelopmentCertificate.InDirectory(directory + end, DateTimeOffset.UtcNow));
    }

    [Theory]
    [InlineData("serving")]
    [InlineData("authority")]
    [InlineData("trust")]
    public async Task So_is_one_in_place_of_a_folder(string folder)
    {
        await MadeAsync();
        Directory.Delete(Path.Combine(directory, folder), recursive: true);
        File.CreateSymbolicLink(Path.Combine(directory, folder), elsewhere);

        await RefusesAsync($"{directory}/{folder} is a symbolic link");
    }

    [Theory]
    [InlineData("", UnixFileMode.GroupWrite)]
    [InlineData("", UnixFileMode.OtherWrite)]
    [InlineData("", UnixFileMode.OtherWrite | Sticky)]
    [InlineData("/serving", UnixFileMode.GroupWrite)]
    public async Task What_others_can_write_to_is_refused_with_the_command(string folder, UnixFileMode more)
    {
        await MadeAsync();
        File.SetUnixFileMode(directory + folder, File.GetUnixFileMode(directory + folder) | more);

        await RefusesAsync($"other users can write to {directory}{folder}; look what is in it, then run: chmod go-w {directory}{folder}");
    }

    // Only root can give a directory away.
    [Theory]
    [InlineData("")]
    [InlineData("/serving")]
    public async Task What_belongs_to_another_user_is_refused(string folder)
    {
        if (Environment.IsPrivilegedProcess)
        {
            await MadeAsync();
            await GiveAwayAsync(directory + folder);

            await RefusesAsync($"{directory}{folder} belongs to another user (uid {AnotherUser})");
        }
    }

    [Fact]
    public async Task A_directory_in_the_systems_folder_for_temporary_files_is_fine_and_one_where_others_can_replace_it_is_not()
    {
        File.SetUnixFileMode(root, Everyones | Sticky);
        await MadeAsync();

        File.SetUnixFileMode(root, Everyones);

        await RefusesAsync($"other users can put something else in place of {directory}, because of {root}");
    }

    [Fact]
    public async Task A_link_of_another_user_on_the_way_to_the_directory_is_refused_and_ones_own_is_not()
    {
        var way = Path.Combine(root, "way");
        File.CreateSymbolicLink(way, elsewhere);
        Assert.Equal(0, (await CertsAsync("init", $"{way}/certs")).ExitCode);

        if (Environment.IsPrivilegedProcess)
        {
            await GiveAwayAsync(way);

            await RefusesAsync($"other users can put something else in place of {way}/certs, because of {way}", $"{way}/certs");
        }
    }

    [Theory]
    [InlineData("serving/..data")]
    [InlineData(".lock")]
    public async Task A_link_inside_that_leads_elsewhere_is_refused(string link)
    {
        await MadeAsync();
        File.Delete(Path.Combine(directory, link));
        File.CreateSymbolicLink(Path.Combine(directory, link), elsewhere);

        var (exitCode, _, errors) = await CertsAsync("rotate", directory);

        Assert.Equal(1, exitCode);
        Assert.Contains($"{directory}/{link} is ", errors, StringComparison.Ordinal);
        AssertUntouched();
    }

    [Fact]
    public async Task A_renewal_deletes_what_earlier_ones_made_and_nothing_else()
    {
        await MadeAsync();
        var serving = Path.Combine(directory, "serving");
        var earlier = new DirectoryInfo(Path.Combine(serving, "..data")).LinkTarget!;
        string[] foreign = ["..2026_11_28", "..data.old", $"..{new string('A', 32)}", $"..{new string('a', 33)}", new string('a', 32)];
        foreach (var name in foreign)
        {
            Directory.CreateDirectory(Path.Combine(serving, name));
        }

        File.CreateSymbolicLink(Path.Combine(serving, "notes"), elsewhere);
        File.CreateSymbolicLink(Path.Combine(serving, "old.crt"), "..data/old.crt");
        File.CreateSymbolicLink(Path.Combine(serving, "other.crt"), "..data/old.crt");
        File.CreateSymbolicLink(Path.Combine(serving, $"..{new string('b', 32)}"), elsewhere);

        Assert.Equal(0, (await CertsAsync("rotate", directory, "--force", "serving")).ExitCode);

        string[] left = [.. Directory.EnumerateFileSystemEntries(serving).Select(e => Path.GetFileName(e)!)];
        Assert.Empty(foreign.Append("notes").Append("other.crt").Append($"..{new string('b', 32)}").Except(left));
        Assert.DoesNotContain("old.crt", left);
        Assert.DoesNotContain(earlier, left);
        AssertUntouched();
    }

    [Theory]
    [InlineData("tls.key")]
    [InlineData("tls.crt")]
    [InlineData("ca.crt")]
    public void A_development_certificate_replaces_a_link_and_does_not_follow_it(string file)
    {
        PrivateFiles.CreateDirectory(directory);
        File.CreateSymbolicLink(Path.Combine(directory, file), Path.Combine(elsewhere, "theirs"));

        DevelopmentCertificate.InDirectory(directory, DateTimeOffset.UtcNow);

        Assert.Null(new FileInfo(Path.Combine(directory, file)).LinkTarget);
        Assert.StartsWith("-----BEGIN", File.ReadAllText(Path.Combine(directory, file)), StringComparison.Ordinal);
        AssertUntouched();
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    async Task MadeAsync() => Assert.Equal(0, (await CertsAsync("init", directory)).ExitCode);

    async Task RefusesAsync(string message, string? of = null)
    {
        foreach (var verb in (string[])["init", "rotate", "status"])
        {
            var (exitCode, _, errors) = await CertsAsync(verb, of ?? directory);

            Assert.Equal(1, exitCode);
            Assert.StartsWith($"admission-las: {message}", errors, StringComparison.Ordinal);
        }

        AssertUntouched();
    }

    void AssertUntouched() => Assert.Contains(Path.Combine(elsewhere, "theirs"), Directory.EnumerateFileSystemEntries(elsewhere).Where(e => Path.GetFileName(e) != "certs").Single());

    static async Task GiveAwayAsync(string path) => await Tool.OutputOfAsync("chown", ["-h", AnotherUser.ToString(CultureInfo.InvariantCulture), path]);

    static Task<(int ExitCode, string Output, string Errors)> CertsAsync(string verb, string directory, params string[] arguments) => CommandLine.RunAsync(
        ["certs", verb, "--directory", directory, .. verb == "status" ? [] : (string[])["--trust-delay", "0"], .. arguments]);
}
