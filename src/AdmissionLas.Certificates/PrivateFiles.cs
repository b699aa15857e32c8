using System.Runtime.InteropServices;
using System.Text;

namespace AdmissionLas.Certificates;

/// <summary>
/// Directories and files for keys. Only their owner may read the files, and only their owner and root may say where they are: a link that
/// a local user plants would have a key written, or a folder deleted, behind it.
/// </summary>
public static partial class PrivateFiles
{
    const UnixFileMode ByOthers = UnixFileMode.OtherWrite;
    const UnixFileMode ByGroupOrOthers = UnixFileMode.GroupWrite | ByOthers;

    /// <summary>Creates a directory where it is missing, and checks what is there then.</summary>
    /// <exception cref="IOException">It is not fit for keys, as in <see cref="CheckDirectory"/>.</exception>
    public static void CreateDirectory(string path)
    {
        path = Path.TrimEndingDirectorySeparator(path);
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        CheckDirectory(path);
    }

    /// <summary>
    /// Checks that a directory is itself and no link, is ours or root's, and can be changed by its owner alone; and that no other user can put
    /// something else in its place, on the way to it. Once that is so it stays so: only its owner and root could change it.
    /// </summary>
    /// <exception cref="IOException">It is not; the message says what to do.</exception>
    public static void CheckDirectory(string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var (isLink, owner, mode) = Look(path);
        if (isLink)
        {
            throw new IOException($"{path} is a symbolic link, and who made it decides where keys are; name the directory itself");
        }

        if (!IsOwnOrRoots(owner))
        {
            throw new IOException($"{path} belongs to another user (uid {owner}), who could read and replace keys; choose a directory of your own");
        }

        if ((mode & ByGroupOrOthers) != 0)
        {
            throw new IOException($"other users can write to {path}; look what is in it, then run: chmod go-w {path}");
        }

        // In a sticky directory, such as /tmp, others cannot rename or replace what is ours.
        for (var above = Path.GetDirectoryName(path); above is not null; above = Path.GetDirectoryName(above))
        {
            (isLink, owner, mode) = Look(above);
            if (isLink ? !IsOwnOrRoots(owner) : (mode & ByOthers) != 0 && (mode & UnixFileMode.StickyBit) == 0)
            {
                throw new IOException($"other users can put something else in place of {path}, because of {above}; choose another directory");
            }
        }
    }

    /// <summary>Writes a new file that its owner alone can read; its bytes are on the disk when this returns.</summary>
    /// <exception cref="IOException">There is a file or a link of this name.</exception>
    public static void Write(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(Encoding.ASCII.GetBytes(text));
        file.Flush(flushToDisk: true);
    }

    static bool IsOwnOrRoots(uint owner) => owner == 0 || owner == OwnUser();

    // .NET tells no file's owner. Elsewhere than on Linux the links and modes alone are checked.
    static (bool IsLink, uint Owner, UnixFileMode Mode) Look(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return (new DirectoryInfo(path).LinkTarget is not null, 0, OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(path));
        }

        const int currentDirectory = -100;
        const int noFollow = 0x100;
        const uint typeModeAndOwner = 0x1 | 0x2 | 0x8;
        const int permissions = 0xFFF;
        const int type = 0xF000;
        const int link = 0xA000;
        return Stat(currentDirectory, path, noFollow, typeModeAndOwner, out var found) == 0
            ? ((found.Mode & type) == link, found.Owner, (UnixFileMode)(found.Mode & permissions))
            : throw new IOException($"{path} cannot be examined (error {Marshal.GetLastPInvokeError()}); choose a directory that you can read");
    }

    static uint OwnUser() => OperatingSystem.IsLinux() ? EffectiveUser() : 0;

    // Its layout is the same on every architecture, unlike that of stat: https://man7.org/linux/man-pages/man2/statx.2.html.
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Stat(int directory, string path, int flags, uint mask, out Statx found);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint EffectiveUser();

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    struct Statx
    {
        [FieldOffset(20)]
        internal uint Owner;

        [FieldOffset(28)]
        internal ushort Mode;
    }
}
