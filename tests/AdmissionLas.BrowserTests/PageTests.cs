using System.Globalization;
using AdmissionLas.Realised;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace AdmissionLas.BrowserTests;

/// <summary>The page in a real browser, used as a person would: by mouse, by touch, by keyboard alone.</summary>
public sealed class PageTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task The_heat_map_shows_every_node_and_what_is_missing()
    {
        await using var served = await ServedPage.StartAsync(Clusters.OfSize(24));
        await using var window = await chromium.OpenAsync(served.Address);
        var page = window.Page;

        await Expect(page.Locator("#heat tbody tr")).ToHaveCountAsync(24);
        await Expect(page.Locator("#heat thead th")).ToHaveCountAsync(1 + Clusters.Cities.Length);
        await Expect(page.Locator("#heat td.missing").First).ToContainTextAsync("not measured");
        await Expect(page.Locator("#heat td.unreadable")).ToContainTextAsync("the label says fast, which is no latency");
        // One a column, unless two are equally near.
        Assert.True(await page.Locator("#heat td.nearest").CountAsync() >= Clusters.Cities.Length);
        await Expect(page.GetByRole(AriaRole.Rowheader, new() { Name = "paris-008" })).ToContainTextAsync("cordoned");
        Assert.Empty(window.Faults);
    }

    [Fact]
    public async Task A_column_sorts_both_ways_and_says_so_and_what_is_missing_stays_last()
    {
        await using var served = await ServedPage.StartAsync(Clusters.OfSize(60));
        await using var window = await chromium.OpenAsync(served.Address);
        var page = window.Page;
        var column = page.GetByRole(AriaRole.Columnheader, new() { Name = "PARIS" });

        await column.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(column).ToHaveAttributeAsync("aria-sort", "ascending");
        var ascending = await LatenciesAsync();
        await column.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(column).ToHaveAttributeAsync("aria-sort", "descending");
        var descending = await LatenciesAsync();

        Assert.Equal(60, ascending.Length);
        Assert.Contains(ascending, latency => latency is null);
        Assert.Equal(ascending.OrderBy(l => l is null).ThenBy(l => l), ascending);
        Assert.Equal(descending.OrderBy(l => l is null).ThenByDescending(l => l), descending);

        // As the server wrote them; a cell without one has no title.
        async Task<double?[]> LatenciesAsync() =>
            [.. (await page.EvaluateAsync<string[]>("[...document.querySelectorAll('#heat tbody tr')].map(row => row.cells[9].title)"))
                .Select(title => title.Length == 0 ? (double?)null : double.Parse(title.Split(' ')[0], CultureInfo.InvariantCulture))];
    }

    [Fact]
    public async Task Five_hundred_nodes_are_shown_and_found()
    {
        await using var served = await ServedPage.StartAsync(Clusters.OfSize(500));
        await using var window = await chromium.OpenAsync(served.Address);
        var page = window.Page;

        await Expect(page.Locator("#heat tbody tr")).ToHaveCountAsync(500);
        await page.GetByRole(AriaRole.Button, new() { Name = "WARSAW" }).ClickAsync();
        await Expect(page.Locator("#heat tbody tr").First.Locator("td").Last).ToHaveClassAsync(new System.Text.RegularExpressions.Regex("nearest"));
        await page.Locator("#latency-filter").FillAsync("paris-4");
        await Expect(page.Locator("#heat tbody tr")).ToHaveCountAsync(8);
        await page.Locator("#latency-filter").FillAsync("atlantis");
        await Expect(page.Locator("#latency-empty")).ToContainTextAsync("atlantis");
        await window.ShootAsync("latency-nothing-found");
        await page.Locator("#latency-filter").FillAsync("");
        await Expect(page.Locator("#heat tbody tr")).ToHaveCountAsync(500);
        await window.ShootAsync("latency-500");
        await page.GetByRole(AriaRole.Link, new() { Name = "Capacity" }).ClickAsync();
        await Expect(page.Locator("#capacity tbody tr")).ToHaveCountAsync(500);
        Assert.Empty(window.Faults);
    }

    [Fact]
    public async Task More_nodes_than_a_browser_draws_at_once_come_when_they_are_asked_for()
    {
        await using var served = await ServedPage.StartAsync(Clusters.OfSize(620));
        await using var window = await chromium.OpenAsync(served.Address);
        var page = window.Page;

        await Expect(page.Locator("#heat tbody tr")).ToHaveCountAsync(500);
        await page.GetByRole(AriaRole.Button, new() { Name = "Show all 620 nodes" }).ClickAsync();

        await Expect(page.Locator("#heat tbody tr")).ToHaveCountAsync(620);
    }

    [Fact]
    public async Task A_cluster_without_latencies_says_how_to_label_a_node()
    {
        await using var served = await ServedPage.StartAsync([new Placement.NodeFacts { Name = "bare" }]);
        await using var window = await chromium.OpenAsync(served.Address);

        await Expect(window.Page.Locator("#latency-empty")).ToContainTextAsync("kubectl label node <node> latency.admissionlas.io/<LOCATION>=9.8");
        await window.ShootAsync("latency-none");
    }

    [Fact]
    public async Task Usage_is_drawn_and_the_fullest_node_sorts_first()
    {
        var nodes = Clusters.OfSize(12);
        await using var served = await ServedPage.StartAsync(nodes);
        served.RunPods(("milan-006", 16_000, 1024, 3), ("athens-000", 1_000, 1024, 1));
        await using var window = await chromium.OpenAsync(served.Address, "capacity");
        var page = window.Page;

        await page.GetByRole(AriaRole.Button, new() { Name = "CPU" }).ClickAsync();

        var first = page.Locator("#capacity tbody tr").First;
        await Expect(first).ToContainTextAsync("milan-006");
        await Expect(first).ToContainTextAsync("48 of 64");
        await Expect(first.Locator(".bar i").First).ToHaveAttributeAsync("style", "width: 75%;");
        await Expect(page.Locator("#usage-unknown")).ToBeHiddenAsync();
        Assert.Empty(window.Faults);
    }

    [Fact]
    public async Task A_decision_shows_as_it_is_made_and_explains_itself_on_a_click()
    {
        await using var served = await ServedPage.StartAsync();
        await using var window = await chromium.OpenAsync(served.Address, "decisions");
        var page = window.Page;
        await Expect(page.Locator("#decisions-empty")).ToContainTextAsync("No decision yet");
        await window.ShootAsync("decisions-none");

        await served.ReviewAsync("taxi-predict", "Predict", "HOME-EDGE");

        var row = page.Locator("#decisions tbody tr");
        await Expect(row).ToContainTextAsync("home-edge-node");
        await Expect(row).ToContainTextAsync("9.8 ms");
        await row.Locator("[data-label=Location]").ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("predict at HOME-EDGE: home-edge-node (9.8 ms) adaptive");
        await Expect(dialog.Locator(".nodes tbody tr")).ToHaveCountAsync(3);
        await Expect(dialog.Locator(".nodes tr.chosen")).ToContainTextAsync("home-edge-node");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await Expect(dialog).ToBeHiddenAsync();
        Assert.Empty(window.Faults);
    }

    [Fact]
    public async Task A_decision_shows_where_its_pod_runs_once_it_is_bound_also_to_a_window_that_opens_later()
    {
        await using var served = await ServedPage.StartAsync();
        await using var window = await chromium.OpenAsync(served.Address, "decisions");
        var there = window.Page.Locator("#decisions tbody tr:first-child [data-label='Runs on']");

        var followed = await served.ReviewAsync("followed", "Predict", "HOME-EDGE");
        await Expect(there).ToHaveTextAsync("–");
        served.Bind(followed, "home-edge-node", PlacementResult.AsDecided);
        await Expect(there).ToHaveTextAsync("home-edge-node as decided");

        served.Bind(await served.ReviewAsync("ignored", "Predict", "HOME-EDGE"), "nitos-cloud-node", PlacementResult.Elsewhere);
        await Expect(there).ToHaveTextAsync("nitos-cloud-node elsewhere");
        await window.ShootAsync("decisions-bound");
        await using var later = await chromium.OpenAsync(served.Address, "decisions");
        await Expect(later.Page.Locator("#decisions tbody [data-label='Runs on']")).ToHaveTextAsync(["nitos-cloud-node elsewhere", "home-edge-node as decided"]);
        Assert.Empty(window.Faults);
    }

    [Fact]
    public async Task Decisions_are_filtered_by_words_step_and_outcome_also_those_that_come_later()
    {
        await using var served = await ServedPage.StartAsync();
        await served.ReviewAsync("one", "Predict", "HOME-EDGE");
        await served.ReviewAsync("two", "Predict", "NOWHERE", "team-a");
        await served.ReviewAsync("three", "Training");
        await using var window = await chromium.OpenAsync(served.Address, "decisions");
        var page = window.Page;
        var rows = page.Locator("#decisions tbody tr:visible");
        await Expect(rows).ToHaveCountAsync(3);

        await page.Locator("#decision-type").SelectOptionAsync("Training");
        await Expect(rows).ToContainTextAsync(["three"]);
        await page.Locator("#decision-type").SelectOptionAsync("");
        await page.Locator("#decision-outcome").SelectOptionAsync("left to the scheduler");
        await Expect(rows).ToContainTextAsync(["two"]);
        await page.Locator("#decision-outcome").SelectOptionAsync("all");
        await page.Locator("#decision-filter").FillAsync("team-a");
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(page.Locator("#decision-count")).ToHaveTextAsync("1 of 3 decisions");

        await served.ReviewAsync("four", "Predict", "HOME-EDGE", "team-a");
        await served.ReviewAsync("five", "Predict", "HOME-EDGE", "team-b");

        await Expect(page.Locator("#decision-count")).ToHaveTextAsync("2 of 5 decisions");
        await Expect(rows.First).ToContainTextAsync("four");
    }

    [Fact]
    public async Task A_pause_holds_decisions_back_and_resuming_shows_them()
    {
        await using var served = await ServedPage.StartAsync();
        await using var window = await chromium.OpenAsync(served.Address, "decisions");
        var page = window.Page;
        var pause = page.GetByRole(AriaRole.Button, new() { Name = "Pause" });
        await served.ReviewAsync("before", "Predict", "HOME-EDGE");
        await Expect(page.Locator("#decisions tbody tr")).ToHaveCountAsync(1);

        await pause.ClickAsync();
        await served.ReviewAsync("meanwhile", "Predict", "HOME-EDGE");

        await Expect(page.Locator("#decision-count")).ToContainTextAsync("1 more since you paused");
        await Expect(pause).ToHaveAttributeAsync("aria-pressed", "true");
        await Expect(page.Locator("#decisions tbody tr")).ToHaveCountAsync(1);
        await pause.ClickAsync();
        await Expect(page.Locator("#decisions tbody tr")).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task What_is_pasted_is_explained_with_every_node_and_the_patch()
    {
        await using var served = await ServedPage.StartAsync();
        await using var window = await chromium.OpenAsync(served.Address, "try");
        var page = window.Page;

        await PasteAsync(page, """
            kind: Deployment
            metadata: { name: serve }
            spec:
              template:
                metadata:
                  labels: { typeOfComponent: Predict, OurLocation: NITLAB-EDGE }
                spec:
                  containers: [{ name: main, image: a }]
            """);

        var step = page.Locator("#trial-results article");
        await Expect(step).ToContainTextAsync("serve");
        await Expect(step).ToContainTextAsync("Deployment serve");
        await Expect(step.Locator("tr.chosen")).ToContainTextAsync("nitlab-edge-node");
        await Expect(step.Locator("pre .added").First).ToContainTextAsync("+");
        Assert.Empty(window.Faults);
    }

    [Theory]
    [InlineData("", "empty", "")]
    [InlineData("a: b: c", "neither YAML nor JSON", "Line 1")]
    [InlineData("kind: Pod\nmetadata:\n  name: x\n bad", "neither YAML nor JSON", "Line 4")]
    [InlineData("kind: ConfigMap", "ConfigMap", "Line 1")]
    public async Task What_is_wrong_with_a_text_is_told_with_its_line(string text, string expected, string line)
    {
        await using var served = await ServedPage.StartAsync();
        await using var window = await chromium.OpenAsync(served.Address, "try");

        await PasteAsync(window.Page, text);

        var problem = window.Page.Locator("#trial-results .problems li");
        await Expect(problem).ToContainTextAsync(expected);
        await Expect(problem.Locator(".advice")).Not.ToBeEmptyAsync();
        if (line.Length > 0)
        {
            await problem.GetByRole(AriaRole.Button, new() { Name = line }).ClickAsync();
            Assert.Equal(
                text.Split('\n')[int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture) - 1],
                await window.Page.EvaluateAsync<string>("{ const box = document.getElementById('trial-text'); box.value.slice(box.selectionStart, box.selectionEnd) }"));
        }

        await window.ShootAsync($"try-problem-{expected.Split(' ')[0]}");
        Assert.Empty(window.Faults);
    }

    [Fact]
    public async Task Five_megabytes_are_not_sent_and_the_page_says_what_to_do()
    {
        await using var served = await ServedPage.StartAsync();
        await using var window = await chromium.OpenAsync(served.Address, "try");
        await window.Page.EvaluateAsync("document.getElementById('trial-text').value = '#'.repeat(5 * 1024 * 1024)");

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Explain" }).ClickAsync();

        await Expect(window.Page.Locator("#trial-results .problems")).ToContainTextAsync("5.0 MB");
        await Expect(window.Page.Locator("#trial-results .problems")).ToContainTextAsync("Paste one pod or pipeline");
    }

    [Fact]
    public async Task A_pipeline_without_labels_is_told_which_labels_there_are()
    {
        await using var served = await ServedPage.StartAsync();
        await using var window = await chromium.OpenAsync(served.Address, "try");

        await PasteAsync(window.Page, """
            apiVersion: argoproj.io/v1alpha1
            kind: Workflow
            metadata: { generateName: taxi- }
            spec:
              entrypoint: fetch
              templates:
                - name: fetch
                  container: { image: a }
            """);

        await Expect(window.Page.Locator("#trial-results .hint")).ToContainTextAsync("typeOfComponent: Predict");
        await Expect(window.Page.Locator("#trial-results .hint")).ToContainTextAsync("HOME-EDGE, NITLAB-EDGE, NITOS-CLOUD");
        await window.ShootAsync("try-no-labels");
    }

    [Fact]
    public async Task An_unknown_location_is_answered_with_the_closest_known_one()
    {
        await using var served = await ServedPage.StartAsync();
        await using var window = await chromium.OpenAsync(served.Address, "try");

        await PasteAsync(window.Page, "kind: Pod\nmetadata: { name: x, labels: { typeOfComponent: Predict, OurLocation: HOME-EGDE } }\nspec: { containers: [{ name: main }] }");

        await Expect(window.Page.Locator("#trial-results .warnings")).ToContainTextAsync("HOME-EDGE");
        await window.ShootAsync("try-unknown-location");
    }

    [Fact]
    public async Task Everything_can_be_done_with_the_keyboard_alone()
    {
        await using var served = await ServedPage.StartAsync();
        await served.ReviewAsync("taxi-predict", "Predict", "HOME-EDGE");
        await using var window = await chromium.OpenAsync(served.Address);
        var page = window.Page;
        await Expect(page.Locator("#heat tbody tr")).ToHaveCountAsync(3);

        // The skip link comes first and shows itself.
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Skip to the content" })).ToBeFocusedAsync();
        await TabToAsync(page, "Decisions");
        Assert.NotEqual("none", await page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle"));
        await window.ShootAsync("keyboard-focus");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Decisions" })).ToBeFocusedAsync();
        await TabToAsync(page, "taxi-predict");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("predict at HOME-EDGE");
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "taxi-predict" })).ToBeFocusedAsync();

        await page.GetByRole(AriaRole.Link, new() { Name = "Latency" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, "HOME-EDGE");
        await page.Keyboard.PressAsync("Space");
        await Expect(page.Locator("#heat tbody tr").First).ToContainTextAsync("home-edge-node");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "HOME-EDGE" })).ToBeFocusedAsync();

        await page.GetByRole(AriaRole.Link, new() { Name = "Try a pod" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, "");
        await page.Keyboard.TypeAsync("kind: Pod\nmetadata: { name: x, labels: { typeOfComponent: Training } }\nspec: { containers: [{ name: main }] }");
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(page.Locator("#trial-results article")).ToContainTextAsync("training");
        Assert.Empty(window.Faults);
    }

    [Fact]
    public async Task A_lost_stream_is_said_and_found_again_with_what_was_missed()
    {
        var first = await ServedPage.StartAsync();
        await first.ReviewAsync("before", "Predict", "HOME-EDGE");
        await using var window = await chromium.OpenAsync(first.Address, "decisions");
        var page = window.Page;
        var connection = page.Locator("#connection");
        await Expect(connection).ToHaveTextAsync("Live");
        var port = first.Address.Port;

        await first.DisposeAsync();

        await Expect(connection).ToContainTextAsync("Reconnecting");
        await Expect(page.Locator("#banner")).ToContainTextAsync("The server does not answer", new() { Timeout = 20_000 });
        await window.ShootAsync("decisions-reconnecting");
        await using var second = await ServedPage.StartAsync(port: port);
        await second.ReviewAsync("after", "Predict", "HOME-EDGE");
        await Expect(connection).ToHaveTextAsync("Live", new() { Timeout = 30_000 });
        await Expect(page.Locator("#decisions tbody tr")).ToHaveCountAsync(2);
        await Expect(page.Locator("#banner")).ToBeHiddenAsync(new() { Timeout = 20_000 });
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Axe_finds_nothing_to_complain_about(ColorScheme colours)
    {
        var nodes = Clusters.OfSize(40);
        await using var served = await ServedPage.StartAsync(nodes);
        served.RunPods(Clusters.PodsOn(nodes));
        await served.ReviewAsync("taxi-predict", "Predict", "PARIS");
        await served.ReviewAsync("taxi-lost", "Predict", "PARIZ");
        await using var window = await chromium.OpenAsync(served.Address, colours: colours);
        var page = window.Page;
        await Expect(page.Locator("#heat tbody tr")).ToHaveCountAsync(40);
        await CheckAsync("latency");
        await page.GetByRole(AriaRole.Link, new() { Name = "Capacity" }).ClickAsync();
        await CheckAsync("capacity");
        await page.GetByRole(AriaRole.Link, new() { Name = "Decisions" }).ClickAsync();
        await Expect(page.Locator("#decisions tbody tr")).ToHaveCountAsync(2);
        await CheckAsync("decisions");
        await page.GetByRole(AriaRole.Button, new() { Name = "taxi-lost" }).ClickAsync();
        await Expect(page.Locator("#detail .nodes")).ToBeVisibleAsync();
        await CheckAsync("an explanation");
        await page.Keyboard.PressAsync("Escape");
        await page.GetByRole(AriaRole.Link, new() { Name = "Try a pod" }).ClickAsync();
        await PasteAsync(page, "kind: Pod\nmetadata: { name: x, labels: { typeOfComponent: Training } }\nspec: { containers: [{ name: main }] }\n---\na: b");
        await Expect(page.Locator("#trial-results article")).ToHaveCountAsync(1);
        await CheckAsync("try a pod");

        async Task CheckAsync(string view)
        {
            var violations = (await page.RunAxe()).Violations;
            Assert.True(violations.Length == 0, $"{view}: {string.Join("; ", violations.Select(v => $"{v.Id}: {v.Help}: {string.Join(", ", v.Nodes.Take(3).Select(n => n.Html))}"))}");
        }
    }

    [Fact]
    public async Task The_page_has_loaded_before_the_cluster_is_drawn()
    {
        await using var served = await ServedPage.StartAsync(Clusters.OfSize(100));
        var times = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            await using var window = await chromium.OpenAsync(served.Address);
            var counted = await window.Page.EvaluateAsync<double[]>("""
                () => new Promise(done => {
                  const look = () => {
                    const [page] = performance.getEntriesByType('navigation'), [shown] = performance.getEntriesByName('cluster-shown');
                    const [seen] = performance.getEntriesByName('first-contentful-paint');
                    if (seen && shown) done([page.loadEventEnd, seen.startTime, shown.startTime]);
                    else setTimeout(look, 5);
                  };
                  look();
                })
                """);
            Assert.True(counted[0] > 0 && counted[0] < counted[2], $"loaded, seen, with the cluster: {string.Join(", ", counted)} ms");
            times.Add(string.Join(' ', counted.Select(t => t.ToString("0", CultureInfo.InvariantCulture))));
            Assert.True(await window.Page.EvaluateAsync<int>("performance.getEntriesByType('resource').reduce((sum, r) => sum + r.transferSize, 0)") < 100_000);
        }

        // Kept beside the pictures; a machine under load says nothing about the page.
        Directory.CreateDirectory(Chromium.Screenshots);
        await File.WriteAllLinesAsync(Path.Combine(Chromium.Screenshots, "load-milliseconds.txt"), times);
    }

    static async Task PasteAsync(IPage page, string text)
    {
        await page.GetByLabel("YAML or JSON").FillAsync(text);
        await page.GetByRole(AriaRole.Button, new() { Name = "Explain" }).ClickAsync();
    }

    // By name; the text box has none of its own, so "" stands for it.
    static async Task TabToAsync(IPage page, string name)
    {
        for (var i = 0; i < 60; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            if (await page.EvaluateAsync<bool>("name => name ? document.activeElement.textContent.includes(name) && document.activeElement.matches('a, button') : document.activeElement.matches('textarea')", name))
            {
                return;
            }
        }

        Assert.Fail($"the keyboard does not reach {(name.Length > 0 ? name : "the text box")}");
    }
}
