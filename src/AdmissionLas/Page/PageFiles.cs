using System.Security.Cryptography;

namespace AdmissionLas.Page;

/// <summary>The files in this folder that a browser gets; they are part of the program.</summary>
static class PageFiles
{
    const string Prefix = "page/";

    static readonly Lazy<IReadOnlyDictionary<string, PageAnswer>> Files = new(Read);

    /// <summary>The file at a path of the page, <see langword="null"/> when there is none.</summary>
    internal static PageAnswer? Find(string path) => Files.Value.GetValueOrDefault(path == "/" ? "/index.html" : path);

    static Dictionary<string, PageAnswer> Read()
    {
        var assembly = typeof(PageFiles).Assembly;
        var files = new Dictionary<string, PageAnswer>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var from = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[from.Length];
            from.ReadExactly(bytes);
            files[$"/{name[Prefix.Length..]}"] = PageAnswer.Of(TypeOf(name), bytes, Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]);
        }

        return files;
    }

    static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
}
