using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace AdmissionLas.BrowserTests;

/// <summary>Every view on every kind of screen: kept as pictures, without a complaint of the browser, and nothing wider than the screen.</summary>
public sealed class ScreenshotTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Theory]
    [InlineData("desktop", 1440, 900, ColorScheme.Light)]
    [InlineData("dark", 1440, 900, ColorScheme.Dark)]
    [InlineData("phone", 390, 844, ColorScheme.Light)]
    public async Task Each_view_fits_each_screen(string screen, int width, int height, ColorScheme colours)
    {
        var nodes = Clusters.OfSize(60);
        await using var served = await ServedPage.StartAsync(nodes);
        served.RunPods(Clusters.PodsOn(nodes));
        for (var i = 0; i < 14; i++)
        {
            await served.ReviewAsync($"taxi-{i}-predict", i % 5 == 4 ? "Training" : "Predict", i % 5 == 4 ? null : i == 6 ? "PARIZ" : Clusters.Cities[i % 12], i % 3 == 0 ? "team-a" : "kubeflow");
        }

        await using var window = await chromium.OpenAsync(served.Address, "", width, height, colours, isTouch: width < 500);
        var page = window.Page;
        await Expect(page.Locator("#heat tbody tr")).ToHaveCountAsync(60);
        await FitsAsync("latency");

        await page.GetByRole(AriaRole.Link, new() { Name = "Capacity" }).ClickAsync();
        await FitsAsync("capacity");

        await page.GetByRole(AriaRole.Link, new() { Name = "Decisions" }).ClickAsync();
        await Expect(page.Locator("#decisions tbody tr")).ToHaveCountAsync(14);
        await FitsAsync("decisions");
        await page.GetByRole(AriaRole.Button, new() { Name = "taxi-13-predict" }).ClickAsync();
        await Expect(page.Locator("#detail .nodes tbody tr").First).ToBeVisibleAsync();
        await FitsAsync("decision");
        await page.Keyboard.PressAsync("Escape");

        await page.GetByRole(AriaRole.Link, new() { Name = "Try a pod" }).ClickAsync();
        await page.Locator("#trial-example").SelectOptionAsync("workflow");
        await page.GetByRole(AriaRole.Button, new() { Name = "Explain" }).ClickAsync();
        await Expect(page.Locator("#trial-results article")).ToHaveCountAsync(2);
        await FitsAsync("try");

        Assert.Empty(window.Faults);

        async Task FitsAsync(string view)
        {
            await window.ShootAsync($"{view}-{screen}");
            Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width, $"{view} is wider than {width} pixels");
        }
    }
}
