namespace AdmissionLas.ClusterTests.Support;

/// <summary>
/// A service account of an overlay on the real API server, with the rights that the overlay's roles give it, or one fewer, and a kubeconfig
/// with a token of its own. The real RBAC authorizer decides. Its namespace goes with it.
/// </summary>
/// <remarks>
/// A test that nothing is granted which is not used:
/// <code>
/// await using var account = await RestrictedAccount.CreateAsync(cluster, await Overlay.RenderAsync("default"), "admission-las-certificates");
/// Assert.Empty(await account.SuperfluousRightsAsync(async kubeconfig => /* whether it works */));
/// </code>
/// </remarks>
sealed class RestrictedAccount : IAsyncDisposable
{
    const string Namespace = "admission-las";

    readonly ControlPlane cluster;
    readonly Kubectl admin;
    readonly string serviceAccount;
    readonly JsonObject[] roles;
    readonly JsonObject[] bindings;
    readonly DirectoryInfo files = Directory.CreateTempSubdirectory("admissionlas-account-");

    RestrictedAccount(ControlPlane cluster, Overlay overlay, string serviceAccount)
    {
        (this.cluster, this.serviceAccount) = (cluster, serviceAccount);
        admin = new Kubectl(cluster.Kubeconfig);
        bindings = [.. overlay.OfKind("RoleBinding", "ClusterRoleBinding").Where(b => b["subjects"]!.AsArray().Any(s => s!["name"]!.GetValue<string>() == serviceAccount))];
        roles = [.. bindings.Select(b => overlay.Object($"{b["roleRef"]!["kind"]}", $"{b["roleRef"]!["name"]}"))];
        Rights = [.. roles.SelectMany(Right.Of)];
    }

    /// <summary>All that the overlay's roles give it.</summary>
    internal IReadOnlyList<Right> Rights { get; }

    /// <summary>The file that a program uses the account with.</summary>
    internal string Kubeconfig => Path.Combine(files.FullName, "kubeconfig");

    /// <summary>Makes the account, with all its rights.</summary>
    internal static async Task<RestrictedAccount> CreateAsync(ControlPlane cluster, Overlay overlay, string serviceAccount)
    {
        var account = new RestrictedAccount(cluster, overlay, serviceAccount);
        await account.admin.ApplyAsync([overlay.Object("Namespace", Namespace), overlay.Object("ServiceAccount", serviceAccount), .. account.bindings]);
        await account.GrantAsync(account.Rights);
        await account.WriteKubeconfigAsync();
        return account;
    }

    /// <summary>Gives it exactly these rights and waits until the authorizer knows.</summary>
    internal async Task GrantAsync(IEnumerable<Right> rights)
    {
        HashSet<Right> granted = [.. rights];
        await admin.ApplyAsync(roles.Select(r => r.DeepClone().AsObject().With(role =>
            role["rules"] = new JsonArray([.. Right.Of(r).Where(granted.Contains).Select(right => right.ToRule())]))));
        foreach (var right in Rights)
        {
            await Eventually.IsTrueAsync($"the authorizer {(granted.Contains(right) ? "allows" : "forbids")} \"{right}\"", async () => await IsAllowedAsync(right) == granted.Contains(right));
        }
    }

    /// <summary>Runs something with all rights, then with each of them missing.</summary>
    /// <param name="works">Given the kubeconfig: whether it works. It is called many times and must leave nothing behind.</param>
    /// <returns>The rights without which it works all the same.</returns>
    internal async Task<IReadOnlyList<Right>> SuperfluousRightsAsync(Func<string, Task<bool>> works)
    {
        await GrantAsync(Rights);
        Assert.True(await works(Kubeconfig), $"{serviceAccount} does not work even with all its rights: {string.Join("; ", Rights)}");
        var superfluous = new List<Right>();
        foreach (var right in Rights)
        {
            await GrantAsync(Rights.Where(r => r != right));
            if (await works(Kubeconfig))
            {
                superfluous.Add(right);
            }
        }

        return superfluous;
    }

    public async ValueTask DisposeAsync()
    {
        await admin.DeleteAsync([.. bindings, .. roles]);
        await admin.RemoveNamespaceAsync(Namespace);
        files.Delete(recursive: true);
    }

    async Task<bool> IsAllowedAsync(Right right)
    {
        var attributes = new JsonObject { ["verb"] = right.Verb, ["group"] = right.Group, ["resource"] = right.Resource, ["name"] = right.Name ?? "" };
        if (right.RoleKind == "Role")
        {
            attributes["namespace"] = Namespace;
        }

        var answer = await cluster.Api.CreateAsync("/apis/authorization.k8s.io/v1/subjectaccessreviews", new JsonObject
        {
            ["spec"] = new JsonObject { ["user"] = $"system:serviceaccount:{Namespace}:{serviceAccount}", ["resourceAttributes"] = attributes },
        });
        return answer["status"]!["allowed"]!.GetValue<bool>();
    }

    async Task WriteKubeconfigAsync()
    {
        var answer = await cluster.Api.CreateAsync(
            $"/api/v1/namespaces/{Namespace}/serviceaccounts/{serviceAccount}/token", new JsonObject { ["spec"] = new JsonObject { ["expirationSeconds"] = 3600 } });
        var kubeconfig = Checkout.Yaml(cluster.Kubeconfig);
        kubeconfig["users"]![0]!["user"] = new JsonObject { ["token"] = answer["status"]!["token"]!.DeepClone() };
        await File.WriteAllTextAsync(Kubeconfig, kubeconfig.ToJsonString());
    }
}
