using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace AdmissionLas.Page;

/// <summary>
/// The files in this folder that a browser gets; they are part of the program. The page itself brings along what its first picture needs, style
/// and modules, since a browser that has to ask for each of them takes twice as long; everything else it asks for later.
/// </summary>
static partial class PageFiles
{
    const string Prefix = "page/";

    static readonly Lazy<(IReadOnlyDictionary<string, CachedResponse> Files, string ScriptHash, string StyleHash)> Page = new(Read);

    // Each after those that it imports.
    static readonly string[] FirstModules = ["dom", "capacity", "latency", "page"];

    /// <summary>What the Content-Security-Policy must allow beside the files: the page's own script.</summary>
    internal static string ScriptHash => Page.Value.ScriptHash;

    /// <summary>The page's own style.</summary>
    internal static string StyleHash => Page.Value.StyleHash;

    /// <summary>The file at a path, <see langword="null"/> when there is none.</summary>
    internal static CachedResponse? Find(string path) => Page.Value.Files.GetValueOrDefault(path == "/" ? "/index.html" : path);

    static (IReadOnlyDictionary<string, CachedResponse> Files, string ScriptHash, string StyleHash) Read()
    {
        var assembly = typeof(PageFiles).Assembly;
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var from = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
            texts[name[Prefix.Length..]] = from.ReadToEnd();
        }

        var script = $"\n{string.Concat(FirstModules.Select(m => Scoped(m, texts[$"{m}.js"])))}";
        var style = $"\n{texts["page.css"]}";
        // Within HTML an SVG needs no namespace.
        var icon = texts["icon.svg"].TrimEnd().Replace(" xmlns=\"http://www.w3.org/2000/svg\"", "", StringComparison.Ordinal);
        texts["index.html"] = texts["index.html"]
            .Replace("<img src=\"/icon.svg\" alt=\"\">", icon, StringComparison.Ordinal)
            .Replace("<link rel=\"stylesheet\" href=\"/page.css\">", $"<style>{style}</style>", StringComparison.Ordinal)
            .Replace("<script type=\"module\" src=\"/page.js\"></script>", $"<script type=\"module\">{script}</script>", StringComparison.Ordinal);
        var files = texts.ToDictionary(t => $"/{t.Key}", t => Answer(t.Key, Encoding.UTF8.GetBytes(t.Value)), StringComparer.Ordinal);
        return (files, Hash(script), Hash(style));
    }

    /// <summary>
    /// A module as a part of a script that holds several: in a scope of its own, which gives what the module exports and takes what it imports from
    /// the scopes before it. It knows the forms of import and export that our modules have.
    /// </summary>
    static string Scoped(string name, string module)
    {
        var exports = string.Join(", ", Exports().Matches(module).Select(m => m.Groups["name"].Value));
        var body = Exports().Replace(Imports().Replace(module, "const {${names}} = module_${from};"), "${kind} ${name}");
        return $"const module_{name} = (() => {{\n{body}\nreturn {{ {exports} }};\n}})();\n";
    }

    static string Hash(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";

    static CachedResponse Answer(string name, byte[] bytes) => CachedResponse.Of(TypeOf(name), bytes, Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]);

    static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };

    [GeneratedRegex("""^import \{(?<names>[^}]+)\} from '\./(?<from>\w+)\.js';""", RegexOptions.Multiline)]
    private static partial Regex Imports();

    [GeneratedRegex("""^export (?<kind>(?:async )?function|const|class) (?<name>\w+)""", RegexOptions.Multiline)]
    private static partial Regex Exports();
}
