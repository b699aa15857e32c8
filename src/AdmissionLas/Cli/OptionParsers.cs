using System.CommandLine.Parsing;

namespace AdmissionLas.Cli;

/// <summary>Parsers of options that take a number; their errors name the option.</summary>
static class OptionParsers
{
    const int HighestPort = 65535;

    /// <summary>A TCP port; 0 for a free one.</summary>
    internal static int? Port(ArgumentResult result) =>
        int.TryParse(Token(result), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= HighestPort
            ? port
            : Refuse<int>(result, "not a port (0 to 65535)");

    /// <summary>A count of at least 1.</summary>
    internal static int? Count(ArgumentResult result) =>
        int.TryParse(Token(result), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            ? count
            : Refuse<int>(result, "not a number of at least 1");

    /// <summary>A time in seconds.</summary>
    internal static double Seconds(ArgumentResult result) =>
        double.TryParse(Token(result), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= TimeSpan.FromDays(1).TotalSeconds
            ? seconds
            : Refuse<double>(result, "not a number of seconds") ?? 0;

    static string Token(ArgumentResult result) => result.Tokens[^1].Value;

    static T? Refuse<T>(ArgumentResult result, string because) where T : struct
    {
        result.AddError($"{((OptionResult)result.Parent!).IdentifierToken?.Value}: {Token(result)} is {because}");
        return null;
    }
}
