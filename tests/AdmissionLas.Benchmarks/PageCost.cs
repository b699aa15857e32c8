using System.Globalization;
using Microsoft.Playwright;

namespace AdmissionLas.Benchmarks;

/// <summary>
/// How long the operator's page takes in a real browser, by what the browser itself counts
/// (https://www.w3.org/TR/navigation-timing-2/ and https://www.w3.org/TR/paint-timing/, milliseconds from the beginning of the navigation).
/// </summary>
static class PageCost
{
    // What the browser counted, when it has all been drawn.
    const string Counted = """
        nodes => new Promise(done => {
          const look = () => {
            const [page] = performance.getEntriesByType('navigation'), [shown] = performance.getEntriesByName('cluster-shown');
            const isWhole = nodes === 0 || shown && document.querySelectorAll('#heat tbody tr').length === nodes;
            if (!isWhole || page.loadEventEnd === 0 || performance.getEntriesByType('paint').length === 0) { setTimeout(look, 5); return; }
            const files = performance.getEntriesByType('resource').filter(f => f.startTime < page.loadEventStart);
            const [paint] = performance.getEntriesByName('first-contentful-paint');
            done([page.responseStart, page.domContentLoadedEventEnd, page.loadEventEnd, paint?.startTime ?? 0, shown?.startTime ?? paint?.startTime ?? 0, performance.now(), 1 + files.length,
              (page.transferSize + files.reduce((sum, f) => sum + f.transferSize, 0)) / 1024]);
          };
          look();
        })
        """;

    static readonly string[] Figures = ["first byte", "DOM ready", "load event", "first paint", "first screenful", "all rows", "requests", "KB on the wire"];

    /// <summary>Measures and prints.</summary>
    /// <param name="server">The program, with the page turned on by its environment.</param>
    /// <param name="page">Where it serves the page.</param>
    /// <param name="chromium">The browser's executable.</param>
    /// <param name="loads">How often each page is loaded.</param>
    internal static async Task<int> RunAsync(string server, string page, string chromium, int loads)
    {
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = chromium,
            // Chromium's own sandbox refuses to start as root, which CI often is.
            Args = Environment.IsPrivilegedProcess ? ["--no-sandbox"] : [],
        });
        foreach (var nodes in (int[])[100, 500])
        {
            var files = Directory.CreateTempSubdirectory("admissionlas-page-");
            try
            {
                var snapshot = Path.Combine(files.FullName, "nodes.yaml");
                await File.WriteAllTextAsync(snapshot, Workload.NodeList(nodes).ToJsonString());
                await using var running = await ServerProcess.StartAsync(server, "--snapshot", snapshot);
                // The first window pays for the browser's own start.
                await LoadAsync(browser, page, nodes, 1);
                var visits = new List<(double[] Line, double[] First, double[] Again)>();
                for (var i = 0; i < loads; i++)
                {
                    var line = await LoadAsync(browser, $"{page}no-such-file", 0, 1);
                    var figures = await LoadAsync(browser, page, nodes, 2);
                    visits.Add((line[0], figures[0], figures[1]));
                }

                Print("a line of text", [.. visits.Select(v => v.Line)]);
                Print($"{nodes} nodes, first visit", [.. visits.Select(v => v.First)]);
                Print($"{nodes} nodes, again", [.. visits.Select(v => v.Again)]);
            }
            finally
            {
                files.Delete(recursive: true);
            }
        }

        return 0;
    }

    // A window of its own has no files from before.
    static async Task<double[][]> LoadAsync(IBrowser browser, string address, int nodes, int times)
    {
        await using var window = await browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1440, Height = 900 } });
        var tab = await window.NewPageAsync();
        var figures = new double[times][];
        for (var i = 0; i < times; i++)
        {
            await tab.GotoAsync("about:blank");
            await tab.GotoAsync(address);
            figures[i] = await tab.EvaluateAsync<double[]>(Counted, nodes);
        }

        return figures;
    }

    static void Print(string what, double[][] loads)
    {
        Console.WriteLine($"{what,-24} {"median",8} {"min",8} {"max",8}");
        for (var f = 0; f < Figures.Length; f++)
        {
            var sorted = loads.Select(l => l[f]).Order().ToArray();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {Figures[f],-22} {sorted[sorted.Length / 2],8:0.#} {sorted[0],8:0.#} {sorted[^1],8:0.#}"));
        }
    }
}
