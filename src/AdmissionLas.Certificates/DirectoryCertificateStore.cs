using System.Text.RegularExpressions;

namespace AdmissionLas.Certificates;

/// <summary>
/// Keeps certificates in a directory: <c>serving/tls.crt</c>, <c>serving/tls.key</c> and <c>serving/ca.crt</c> for the server,
/// <c>authority/</c> for the rotation only, <c>trust/ca.crt</c> for callers. Each folder is laid out like a Secret volume, with a symbolic
/// link to the current files, so that its files change at once and a reader never sees half of a change. Directories that other users can change
/// are refused with an <see cref="IOException"/> (<see cref="PrivateFiles.CheckDirectory"/>).
/// </summary>
public sealed partial class DirectoryCertificateStore(string directory) : ICertificateStore, ICaBundleStore
{
    const string Current = "..data";
    const string BundleFile = StoredCertificates.Bundle;

    string TrustFolder => Path.Combine(directory, "trust");

    /// <inheritdoc/>
    public string Place => Path.Combine(TrustFolder, BundleFile);

    /// <inheritdoc/>
    public string PlaceOf(CertificateGroup group) => Path.Combine(directory, group == CertificateGroup.Serving ? "serving" : "authority");

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, string>?> ReadAsync(CertificateGroup group, CancellationToken stop) => ReadFolderAsync(PlaceOf(group), stop);

    /// <inheritdoc/>
    public Task WriteAsync(CertificateGroup group, IReadOnlyDictionary<string, string> texts, CancellationToken stop) => WriteFolderAsync(PlaceOf(group), texts);

    /// <inheritdoc/>
    public Task<IRotationLock> LockAsync(CancellationToken stop)
    {
        PrivateFiles.CreateDirectory(directory);
        var file = Path.Combine(directory, ".lock");
        if (new FileInfo(file).LinkTarget is not null)
        {
            throw new IOException($"{file} is a symbolic link, which certs does not make; delete it");
        }

        try
        {
            // The system releases it when the process ends, however it ends.
            return Task.FromResult<IRotationLock>(new DirectoryLock(new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None)));
        }
        catch (IOException fault) when (File.Exists(file))
        {
            throw new RotationInProgressException($"another rotation is running in {directory} ({fault.Message})");
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, TrustBundle?>?> ReadAsync(CancellationToken stop)
    {
        var texts = await ReadFolderAsync(TrustFolder, stop).ConfigureAwait(false);
        return new Dictionary<string, TrustBundle?> { [BundleFile] = texts?.TryGetValue(BundleFile, out var pem) == true ? TrustBundle.Read(pem) : TrustBundle.Empty };
    }

    /// <inheritdoc/>
    public Task WriteAsync(TrustBundle bundle, CancellationToken stop) =>
        WriteFolderAsync(TrustFolder, new Dictionary<string, string> { [BundleFile] = bundle.Pem });

    /// <summary>Not known: files do not show who reads them.</summary>
    public Task<IReadOnlyList<Replica>?> ReplicasAsync(CancellationToken stop) => Task.FromResult<IReadOnlyList<Replica>?>(null);

    async Task<IReadOnlyDictionary<string, string>?> ReadFolderAsync(string folder, CancellationToken stop)
    {
        foreach (var existing in (string[])[directory, folder])
        {
            if (Directory.Exists(existing))
            {
                PrivateFiles.CheckDirectory(existing);
            }
        }

        var current = Path.Combine(folder, Current);
        if (!Directory.Exists(current))
        {
            return null;
        }

        if (new DirectoryInfo(current).LinkTarget is not { } target || !MadeHere().IsMatch(target))
        {
            throw new IOException($"{current} is not the link that certs makes; delete it");
        }

        current = Path.Combine(folder, target);
        PrivateFiles.CheckDirectory(current);
        var texts = new Dictionary<string, string>();
        foreach (var file in Directory.EnumerateFiles(current))
        {
            texts[Path.GetFileName(file)] = await File.ReadAllTextAsync(file, stop).ConfigureAwait(false);
        }

        return texts;
    }

    // Like the kubelet's atomic writer: a new folder, one rename of the link, then the old folder is deleted.
    Task WriteFolderAsync(string folder, IReadOnlyDictionary<string, string> texts)
    {
        PrivateFiles.CreateDirectory(directory);
        PrivateFiles.CreateDirectory(folder);
        var name = $"..{Guid.NewGuid():N}";
        var next = Path.Combine(folder, name);
        PrivateFiles.CreateDirectory(next);
        foreach (var (file, text) in texts)
        {
            PrivateFiles.Write(Path.Combine(next, file), text);
        }

        // A rename replaces a link at once. The link is created where its target does not exist: File.Move takes a link to a folder for a folder.
        var link = Path.Combine(next, Current);
        File.CreateSymbolicLink(link, name);
        File.Move(link, Path.Combine(folder, Current), overwrite: true);
        foreach (var file in texts.Keys)
        {
            var visible = Path.Combine(folder, file);
            if (new FileInfo(visible).LinkTarget != $"{Current}/{file}")
            {
                File.Delete(visible);
                File.CreateSymbolicLink(visible, $"{Current}/{file}");
            }
        }

        Tidy(folder, name, texts);
        return Task.CompletedTask;
    }

    // Deletes what earlier writes have made, and nothing else.
    static void Tidy(string folder, string current, IReadOnlyDictionary<string, string> texts)
    {
        var entries = new DirectoryInfo(folder).EnumerateFileSystemInfos();
        foreach (var entry in entries.Where(e => e.Name != Current && e.Name != current && !texts.ContainsKey(e.Name)))
        {
            if (entry is DirectoryInfo { LinkTarget: null } old && MadeHere().IsMatch(old.Name))
            {
                old.Delete(recursive: true);
            }
            else if (entry.LinkTarget == $"{Current}/{entry.Name}")
            {
                entry.Delete();
            }
        }
    }

    [GeneratedRegex(@"^\.\.[0-9a-f]{32}\z", RegexOptions.CultureInvariant)]
    private static partial Regex MadeHere();

    sealed class DirectoryLock(FileStream file) : IRotationLock
    {
        public ValueTask DisposeAsync() => file.DisposeAsync();
    }
}
