using Microsoft.Extensions.Logging;

namespace AdmissionLas.Tests.Support;

/// <summary>The lines that are logged.</summary>
sealed class RecordedLog<T> : ILogger<T>
{
    readonly Lock guard = new();
    readonly List<(LogLevel Level, string Text)> lines = [];

    internal IReadOnlyList<(LogLevel Level, string Text)> Lines
    {
        get
        {
            lock (guard)
            {
                return [.. lines];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (guard)
        {
            lines.Add((logLevel, formatter(state, exception)));
        }
    }
}
