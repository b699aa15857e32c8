namespace AdmissionLas.ClusterTests.Support;

/// <summary>The smallest thing that a role allows: one verb on one resource, or on one object of it.</summary>
/// <param name="RoleKind">Role or ClusterRole.</param>
/// <param name="Role">The role's name.</param>
/// <param name="Verb">Such as get.</param>
/// <param name="Group">The API group; empty for the core.</param>
/// <param name="Resource">In the plural.</param>
/// <param name="Name">The object; <see langword="null"/> for all.</param>
sealed record Right(string RoleKind, string Role, string Verb, string Group, string Resource, string? Name)
{
    /// <summary>A role's rules taken apart. Rules are cross products, so the parts allow exactly what the whole does.</summary>
    internal static IEnumerable<Right> Of(JsonObject role) =>
        from rule in role["rules"]!.AsArray()
        from verb in Texts(rule, "verbs")
        from groupName in Texts(rule, "apiGroups")
        from resource in Texts(rule, "resources")
        from name in rule["resourceNames"] is null ? [null] : Texts(rule, "resourceNames").ToArray<string?>()
        select new Right(Overlay.KindOf(role), Overlay.NameOf(role), verb, groupName, resource, name);

    internal JsonObject ToRule()
    {
        var rule = new JsonObject { ["verbs"] = new JsonArray(Verb), ["apiGroups"] = new JsonArray(Group), ["resources"] = new JsonArray(Resource) };
        if (Name is not null)
        {
            rule["resourceNames"] = new JsonArray(Name);
        }

        return rule;
    }

    public override string ToString() => $"{RoleKind}: {Verb} {Resource}{(Name is null ? "" : $" {Name}")}";

    static IEnumerable<string> Texts(JsonNode? rule, string key) => rule![key]!.AsArray().Select(v => v!.GetValue<string>());
}
