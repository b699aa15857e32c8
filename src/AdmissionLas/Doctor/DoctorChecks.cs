using System.Net;
using System.Runtime.CompilerServices;
using AdmissionLas.Configuration;
using AdmissionLas.Registration;
using k8s.Autorest;
using k8s.Models;

namespace AdmissionLas.Doctor;

/// <summary>Runs all checks in order. A check that cannot run is a finding of its own; the others still run.</summary>
sealed class DoctorChecks(KubeApi api, string registrationName, string ownNamespace, string? testNamespace, TimeProvider time)
{
    V1MutatingWebhookConfiguration? registration;
    IReadOnlyList<V1Namespace> labelled = [];
    PlacementPolicy policy = new();
    ClusterView view = ClusterView.Empty;

    internal async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var reached = await ApiServerCheck.EvaluateAsync(api, time, stop).ConfigureAwait(false);
        foreach (var finding in reached)
        {
            yield return finding;
        }

        if (reached.Any(f => f.Severity == Severity.Failed))
        {
            yield break;
        }

        var hasFailed = false;
        foreach (var (what, check) in Checks(() => hasFailed, stop))
        {
            foreach (var finding in await GuardedAsync(what, check, stop).ConfigureAwait(false))
            {
                hasFailed |= finding.Severity == Severity.Failed;
                yield return finding;
            }
        }
    }

    // In this order: later checks use what earlier ones read.
    IEnumerable<(string What, Func<Task<IReadOnlyList<Finding>>> Check)> Checks(Func<bool> hasFailed, CancellationToken stop)
    {
        yield return Check("the registration", async () =>
        {
            registration = await new Registrar(api, registrationName).ReadAsync(stop).ConfigureAwait(false);
            var earlier = registrationName == ObjectNames.Registration ? await new Registrar(api, ObjectNames.Webhook).ReadAsync(stop).ConfigureAwait(false) : null;
            return [.. RegistrationCheck.Evaluate(registration, registrationName, ownNamespace), .. RegistrationCheck.OfEarlierVersion(earlier)];
        });
        if (registration is { Webhooks.Count: > 0 })
        {
            yield return Check("the CA bundle", () => Task.FromResult(CaBundleCheck.Evaluate(registration, time.GetUtcNow())));
            // Usually one: the entries differ in their selectors alone.
            foreach (var entry in registration.Webhooks.DistinctBy(AddressAndTrust))
            {
                yield return Check("the webhook's Service and certificate", () => ServingCheck.EvaluateAsync(api, entry, time.GetUtcNow(), stop));
            }
        }

        foreach (var account in PermissionsCheck.Accounts(ownNamespace, registrationName))
        {
            yield return Check($"the permissions of {account.Purpose}", () => PermissionsCheck.EvaluateAsync(api, ownNamespace, account, stop));
        }

        yield return Check("the admission policy of the rotation", () => AdmissionPolicyCheck.EvaluateAsync(api, ownNamespace, stop));
        yield return Check("the webhook's configuration", async () =>
        {
            var configMap = await api.FindAsync(ObjectKinds.ConfigMaps, ownNamespace, ConfigurationFile.ConfigMapName, stop).ConfigureAwait(false);
            policy = configMap?.Data?.TryGetValue(ConfigurationFile.ConfigMapKey, out var text) == true ? SettingsCompiler.FromText(text).Policy : policy;
            return [];
        });
        yield return Check("the nodes' labels", async () =>
        {
            List<NodeFacts?> nodes = [];
            await api.ListAllAsync(WatchedResource.Nodes, item => nodes.Add(NodeReader.Read(item, policy.LatencyLabels)), stop).ConfigureAwait(false);
            view = new ClusterView(nodes.OfType<NodeFacts>());
            return NodeLabelsCheck.Evaluate(view, policy);
        });
        yield return Check("the namespaces that opt in", async () =>
        {
            var list = await api.ReadListAsync(ObjectKinds.NamespaceLists, null, RegistrationKeys.OptIn, stop).ConfigureAwait(false);
            labelled = [.. list.Items];
            return NamespacesCheck.Evaluate(labelled, ownNamespace);
        });
        yield return Check("what became of the placements", () =>
            PlacementsCheck.EvaluateAsync(api, ownNamespace, NamespacesCheck.OptedIn(labelled, ownNamespace), view, time.GetUtcNow(), stop));
        yield return Check("the autoscaler", () => AutoscalerCheck.EvaluateAsync(api, ownNamespace, stop));
        if (registration is { Webhooks.Count: > 0 } && (testNamespace ?? FirstOptedIn()) is { } ns)
        {
            yield return Check($"a dry run of a step in namespace {ns}", async () =>
            {
                var target = await api.ReadAsync(ObjectKinds.Namespaces, null, ns, stop).ConfigureAwait(false);
                var bestCovered = view.Locations.Order(StringComparer.Ordinal).MaxBy(l => view.NearestTo(l).Count);
                return await DryRunCheck.EvaluateAsync(api, registration, target, bestCovered, hasFailed(), stop).ConfigureAwait(false);
            });
        }
    }

    static (string What, Func<Task<IReadOnlyList<Finding>>> Check) Check(string what, Func<Task<IReadOnlyList<Finding>>> check) => (what, check);

    string? FirstOptedIn() => NamespacesCheck.OptedIn(labelled, ownNamespace) is [var first, ..] ? first : null;

    static (string? Url, string? Namespace, string? Name, int? Port, string Bundle) AddressAndTrust(V1MutatingWebhook entry)
    {
        var config = entry.ClientConfig;
        return (config.Url, config.Service?.NamespaceProperty, config.Service?.Name, config.Service?.Port, Convert.ToBase64String(config.CaBundle ?? []));
    }

    static async Task<IReadOnlyList<Finding>> GuardedAsync(string what, Func<Task<IReadOnlyList<Finding>>> check, CancellationToken stop)
    {
        try
        {
            return await check().ConfigureAwait(false);
        }
        catch (HttpOperationException refused) when (refused.Response.StatusCode == HttpStatusCode.Forbidden)
        {
            // The API server says "cannot" for a missing permission only, and not for a quota or a policy.
            var reason = ApiFault.Reason(refused);
            return [Finding.Failed($"{what} could not be checked: {reason}",
                reason.Contains(" cannot ", StringComparison.Ordinal)
                    ? "grant that permission, or run doctor as a cluster admin"
                    : "choose another namespace with --test-namespace")];
        }
        catch (Exception fault) when (fault is OptionsValidationException or InvalidDataException)
        {
            return [Finding.Failed($"{what} could not be checked: the webhook's configuration has a fault: {fault.Message}", "correct the ConfigMap, then run doctor again")];
        }
        catch (Exception fault) when (ApiFault.Is(fault) && !stop.IsCancellationRequested)
        {
            return [Finding.Failed($"{what} could not be checked: {ApiFault.Reason(fault)}", "fix that, then run doctor again")];
        }
    }
}
