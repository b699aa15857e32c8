using System.Runtime.InteropServices;

namespace AdmissionLas.Server;

/// <summary>
/// What the C library does with native memory that is free: TLS and the bodies of large reviews take it. With another library than glibc nothing happens.
/// </summary>
static partial class NativeHeap
{
    const int MmapThreshold = -3;
    const int MaxArenas = -8;

    /// <summary>
    /// Has it give large blocks back to the system as soon as they are free, where it would learn from the first ones to keep them; and share two heaps
    /// among all threads, where up to eight for each core would keep what other threads have freed (https://man7.org/linux/man-pages/man3/mallopt.3.html).
    /// 2,000 new connections a second then leave a third as much behind (scripts/abuse.sh idle).
    /// </summary>
    internal static void Economize()
    {
        _ = Call(static () => SetOption(MmapThreshold, 128 * 1024));
        _ = Call(static () => SetOption(MaxArenas, 2));
    }

    /// <summary>Has it give back now what is free (https://man7.org/linux/man-pages/man3/malloc_trim.3.html).</summary>
    internal static void Trim() => Call(static () => Trim(0));

    static int Call(Func<int> function)
    {
        try
        {
            return function();
        }
        catch (Exception fault) when (fault is DllNotFoundException or EntryPointNotFoundException)
        {
            return 0;
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);

    [LibraryImport("libc.so.6", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint kept);
}
