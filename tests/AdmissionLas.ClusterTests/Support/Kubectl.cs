namespace AdmissionLas.ClusterTests.Support;

/// <summary>kubectl, from the folder that the control plane runs from.</summary>
sealed class Kubectl(string kubeconfig)
{
    static readonly Lazy<Task<string>> Program = new(async () =>
    {
        var printed = await Tool.OutputOfAsync("bash", [Checkout.PathOf("scripts/install-control-plane.sh")]);
        return Path.Combine(printed.TrimEnd().Split('\n')[^1], "kubectl");
    });

    /// <summary>What its kustomize makes of a folder, as YAML.</summary>
    internal static async Task<string> KustomizeAsync(string folder)
    {
        var program = await Program.Value;
        try
        {
            return await Tool.OutputOfAsync(program, ["kustomize", folder]);
        }
        catch (InvalidOperationException fault)
        {
            throw new InvalidOperationException($"{fault.Message} (kubectl has had kustomize's components since 1.21; set KUBEBUILDER_ASSETS to a folder with a newer one)", fault);
        }
    }

    /// <summary>Runs any command; an object is its standard input.</summary>
    internal async Task<ToolResult> RunAsync(JsonObject? input, params string[] arguments) =>
        await Tool.RunAsync(await Program.Value, [.. Connection, .. arguments], input?.ToJsonString() ?? "");

    /// <summary>Applies objects in this order, as an admin does; a field that the server does not know is a fault.</summary>
    internal Task ApplyAsync(IEnumerable<JsonObject> objects) => WithObjectsAsync(objects, "apply", "-f", "-");

    /// <summary>Deletes objects in this order, without waiting for what only controllers finish.</summary>
    internal Task DeleteAsync(IEnumerable<JsonObject> objects) =>
        WithObjectsAsync(objects, "delete", "--ignore-not-found", "--wait=false", "-f", "-");

    /// <summary>Those of the objects that the server has, as kind and name.</summary>
    internal async Task<string[]> ExistingAsync(IEnumerable<JsonObject> objects) =>
        (await WithObjectsAsync(objects, "get", "--ignore-not-found", "-o", "name", "-f", "-")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Deletes a namespace with what is in it. Only a controller manager would do that, and none runs here.</summary>
    internal async Task RemoveNamespaceAsync(string name)
    {
        await RunAsync("delete", "namespace", name, "--ignore-not-found", "--wait=false");
        await RunAsync("delete", "pods,secrets,configmaps,serviceaccounts,services,leases", "--all", "-n", name, "--wait=false");
        var left = await RunAsync("get", "namespace", name, "--ignore-not-found", "-o", "json");
        if (left.Length > 0)
        {
            var ns = JsonNode.Parse(left)!.AsObject();
            ns["spec"]!["finalizers"] = new JsonArray();
            await Tool.OutputOfAsync(await Program.Value, [.. Connection, "replace", "--raw", $"/api/v1/namespaces/{name}/finalize", "-f", "-"], ns.ToJsonString());
        }
    }

    async Task<string> RunAsync(params string[] arguments) => await Tool.OutputOfAsync(await Program.Value, [.. Connection, .. arguments]);

    async Task<string> WithObjectsAsync(IEnumerable<JsonObject> objects, params string[] arguments)
    {
        var list = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "List", ["items"] = new JsonArray([.. objects.Select(o => o.DeepClone())]) };
        return await Tool.OutputOfAsync(await Program.Value, [.. Connection, .. arguments], list.ToJsonString());
    }

    // The cache is the control plane's own, and goes with it.
    string[] Connection => ["--kubeconfig", kubeconfig, "--cache-dir", Path.Combine(Path.GetDirectoryName(kubeconfig)!, "kubectl-cache")];
}
