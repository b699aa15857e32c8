using Microsoft.Playwright;

namespace AdmissionLas.BrowserTests.Support;

/// <summary>One browser for all tests; each opens windows of its own in it.</summary>
public sealed class Chromium : IAsyncLifetime
{
    static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    IPlaywright? playwright;
    IBrowser? browser;

    /// <summary>Where pictures of the page are kept: artifacts/screenshots in the repository.</summary>
    internal static string Screenshots { get; } = Checkout.PathOf("artifacts/screenshots");

    public async Task InitializeAsync()
    {
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Executable(),
            // Chromium's own sandbox refuses to start as root, which CI often is.
            Args = Environment.IsPrivilegedProcess ? ["--no-sandbox"] : [],
        });
    }

    /// <summary>Opens the page in a window of its own.</summary>
    internal async Task<Window> OpenAsync(Uri address, string view = "", int width = 1440, int height = 900, ColorScheme colours = ColorScheme.Light, bool isTouch = false)
    {
        var context = await browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = colours,
            HasTouch = isTouch,
            ReducedMotion = ReducedMotion.Reduce,
            DeviceScaleFactor = isTouch ? 2 : 1,
            Locale = "en-GB",
        });
        var window = new Window(context, await context.NewPageAsync());
        await window.Page.GotoAsync(new Uri(address, $"/{(view.Length > 0 ? $"#{view}" : "")}").ToString());
        return window;
    }

    public async Task DisposeAsync()
    {
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }

        playwright?.Dispose();
    }

    static string Executable() =>
        (Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } named ? [named]
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').SelectMany(folder => Names.Select(name => Path.Combine(folder, name))))
        .FirstOrDefault(File.Exists) ?? throw new InvalidOperationException("there is no Chromium; run scripts/install-chromium.sh, or set CHROMIUM to its path");
}

/// <summary>A window of the browser, and what went wrong in it.</summary>
sealed class Window : IAsyncDisposable
{
    readonly IBrowserContext context;
    readonly List<string> faults = [];

    internal Window(IBrowserContext context, IPage page)
    {
        this.context = context;
        Page = page;
        page.Console += (_, message) => Note(message.Type is "error" or "warning", message.Text);
        page.PageError += (_, fault) => Note(true, fault);
    }

    internal IPage Page { get; }

    /// <summary>What the browser complained about: scripts, and whatever the Content-Security-Policy refused.</summary>
    internal IReadOnlyList<string> Faults
    {
        get
        {
            lock (faults)
            {
                return [.. faults];
            }
        }
    }

    internal Task ShootAsync(string name, bool whole = false) =>
        Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Screenshots, $"{name}.png"), FullPage = whole });

    public async ValueTask DisposeAsync() => await context.DisposeAsync();

    void Note(bool isFault, string text)
    {
        if (isFault)
        {
            lock (faults)
            {
                faults.Add(text);
            }
        }
    }
}
