namespace AdmissionLas.Tests.Observers;

/// <summary>What the log says, and what it keeps to itself.</summary>
public sealed class LogTests : IDisposable
{
    const string Secret = "s3cr3t-in-the-pod";

    readonly DirectoryInfo files = Directory.CreateTempSubdirectory("admissionlas-logs-");

    public void Dispose() => files.Delete(recursive: true);

    [Fact]
    public async Task A_decision_is_one_line_of_json_with_the_request_the_reason_and_the_node()
    {
        await using var webhook = await WebhookProcess.StartAsync();

        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), "uid-of-this-review");

        await Eventually.IsTrueAsync("the decision is logged", () => Task.FromResult(Decisions(webhook).Length > 0));
        var line = Assert.Single(Decisions(webhook));
        Assert.Equal(("uid-of-this-review", "nearest", "home-edge-node", "kubeflow"), ($"{line["Uid"]}", $"{line["Reason"]}", $"{line["Node"]}", $"{line["Namespace"]}"));
        Assert.StartsWith("predict at HOME-EDGE: home-edge-node (9.8 ms)", $"{line["Decision"]}", StringComparison.Ordinal);
        // Information is what a line without a level has.
        Assert.Null(line["@l"]);
    }

    [Fact]
    public async Task The_level_is_changed_by_the_configuration_file_without_a_restart()
    {
        var config = Path.Combine(files.FullName, "config.yaml");
        await File.WriteAllTextAsync(config, "logging: { level: Error }");
        await using var webhook = await WebhookProcess.StartAsync([.. WebhookProcess.Testbed, "--config", config]);
        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), "before");

        await File.WriteAllTextAsync(config, "logging: { level: Information }");

        var uid = 0;
        await Eventually.IsTrueAsync("decisions are logged", async () =>
        {
            await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), $"after-{++uid}");
            return Decisions(webhook).Length > 0;
        });
        Assert.DoesNotContain(Decisions(webhook), d => $"{d["Uid"]}" == "before");
        await webhook.Process.WritesAsync("Log lines are written from level {LogLevel} on");
    }

    [Fact]
    public async Task A_level_that_does_not_exist_is_told_and_changes_nothing()
    {
        var config = Path.Combine(files.FullName, "config.yaml");
        await File.WriteAllTextAsync(config, "logging: { level: Information }");
        await using var webhook = await WebhookProcess.StartAsync([.. WebhookProcess.Testbed, "--config", config]);

        await File.WriteAllTextAsync(config, "logging: { level: Chatty }");

        await webhook.Process.WritesAsync("\"Word\":\"Chatty\"");
        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), "after");
        await Eventually.IsTrueAsync("decisions are still logged", () => Task.FromResult(Decisions(webhook).Any(d => $"{d["Uid"]}" == "after")));
    }

    [Fact]
    public async Task Not_even_the_most_talkative_level_tells_what_is_in_a_pod()
    {
        await using var webhook = await WebhookProcess.StartAsync(environment: new() { ["ADMISSION_LAS_LOGGING__LEVEL"] = "Verbose" });
        var placed = WithSecrets("HOME-EDGE");
        var unplaced = WithSecrets("NOWHERE");
        var unreadable = WithSecrets("HOME-EDGE");
        unreadable["spec"]!["tolerations"] = new JsonObject { ["token"] = Secret };

        await webhook.ReviewAsync(placed);
        await webhook.ReviewAsync(unplaced);
        await webhook.ReviewAsync(unreadable);
        using var noReview = await webhook.Client.PostAsync(webhook.Mutate, RunningWebhook.Json(new JsonObject { ["token"] = Secret }.ToJsonString()));
        using var noJson = await webhook.Client.PostAsync(webhook.Mutate, RunningWebhook.Json($"{{{Secret}"));
        await webhook.ReviewAsync(WithSecrets("HOME-EDGE"), "the-last");

        await Eventually.IsTrueAsync("all is logged", () => Task.FromResult(Decisions(webhook).Any(d => $"{d["Uid"]}" == "the-last")));
        Assert.DoesNotContain(Secret, webhook.Process.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("\"containers\"", webhook.Process.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_name_makes_a_line_longer_than_a_few_kilobytes()
    {
        await using var webhook = await WebhookProcess.StartAsync();
        var endless = new string('n', 2_900_000);

        foreach (var field in (string[])["name", "generateName", "namespace"])
        {
            using var answer = await webhook.Client.PostAsync(webhook.Mutate, RunningWebhook.Json(
                AdmissionLas.Webhook.SampleReview.Of(RunningWebhook.Predict("HOME-EDGE").With(p => p["metadata"]![field] = endless), "uid-of-this-review", "kubeflow").ToJsonString()));
        }

        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), "the-last");

        await Eventually.IsTrueAsync("all is logged", () => Task.FromResult(Decisions(webhook).Any(d => $"{d["Uid"]}" == "the-last")));
        Assert.All(webhook.Process.Log.Split('\n'), line => Assert.InRange(line.Length, 0, 16_384));
    }

    static JsonObject WithSecrets(string location)
    {
        var pod = RunningWebhook.Predict(location);
        pod["metadata"]!["annotations"] = new JsonObject { ["example.com/token"] = Secret };
        pod["spec"]!["containers"]![0]!["env"] = new JsonArray(new JsonObject { ["name"] = "TOKEN", ["value"] = Secret });
        pod["spec"]!["containers"]![0]!["args"] = new JsonArray($"--token={Secret}");
        return pod;
    }

    // Each line must be whole JSON; the ones of decisions are picked out.
    static JsonObject[] Decisions(WebhookProcess webhook) =>
        [.. webhook.Process.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!.AsObject()).Where(l => l.ContainsKey("Decision"))];
}
