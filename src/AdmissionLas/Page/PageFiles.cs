using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace AdmissionLas.Page;

/// <summary>
/// The files in this folder that a browser gets; they are part of the program. The page itself carries the style and the modules of its first
/// view, since a browser that asks for each of them takes twice as long; it asks for everything else later.
/// </summary>
static partial class PageFiles
{
    const string Prefix = "page/";

    static readonly Lazy<(IReadOnlyDictionary<string, FileContentHttpResult> Files, string ScriptHash, string StyleHash)> Page = new(Read);

    // Each after those that it imports.
    static readonly string[] FirstModules = ["dom", "capacity", "latency", "page"];

    /// <summary>What the Content-Security-Policy allows beside the files: the page's own script.</summary>
    internal static string ScriptHash => Page.Value.ScriptHash;

    /// <summary>The page's own style.</summary>
    internal static string StyleHash => Page.Value.StyleHash;

    /// <summary>The files by their paths. The page is at / and at /index.html.</summary>
    internal static IReadOnlyDictionary<string, FileContentHttpResult> Files => Page.Value.Files;

    /// <summary>
    /// An answer that a browser keeps and asks for again by its tag. The tag is weak because it names the content, whether compressed or not.
    /// </summary>
    internal static FileContentHttpResult Tagged(byte[] content, string contentType, string tag) =>
        TypedResults.Bytes(content, contentType, entityTag: new EntityTagHeaderValue($"\"{tag}\"", isWeak: true));

    static (IReadOnlyDictionary<string, FileContentHttpResult> Files, string ScriptHash, string StyleHash) Read()
    {
        var assembly = typeof(PageFiles).Assembly;
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var from = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
            texts[$"/{name[Prefix.Length..]}"] = from.ReadToEnd();
        }

        var script = $"\n{string.Concat(FirstModules.Select(m => Scoped(m, texts[$"/{m}.js"])))}";
        var style = $"\n{texts["/page.css"]}";
        // Within HTML an SVG needs no namespace.
        var icon = texts["/icon.svg"].TrimEnd().Replace(" xmlns=\"http://www.w3.org/2000/svg\"", "", StringComparison.Ordinal);
        texts["/"] = texts["/index.html"] = texts["/index.html"]
            .Replace("<img src=\"/icon.svg\" alt=\"\">", icon, StringComparison.Ordinal)
            .Replace("<link rel=\"stylesheet\" href=\"/page.css\">", $"<style>{style}</style>", StringComparison.Ordinal)
            .Replace("<script type=\"module\" src=\"/page.js\"></script>", $"<script type=\"module\">{script}</script>", StringComparison.Ordinal);
        var types = new FileExtensionContentTypeProvider();
        return (texts.ToDictionary(t => t.Key, t => File(t.Key, Encoding.UTF8.GetBytes(t.Value)), StringComparer.Ordinal), Hash(script), Hash(style));

        FileContentHttpResult File(string path, byte[] content) => Tagged(
            content, types.TryGetContentType(path, out var type) ? type : "text/html; charset=utf-8", Convert.ToHexStringLower(SHA256.HashData(content))[..16]);
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

    [GeneratedRegex("""^import \{(?<names>[^}]+)\} from '\./(?<from>\w+)\.js';""", RegexOptions.Multiline)]
    private static partial Regex Imports();

    [GeneratedRegex("""^export (?<kind>(?:async )?function|const|class) (?<name>\w+)""", RegexOptions.Multiline)]
    private static partial Regex Exports();
}
