using System.Text;
using System.Text.Json;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace AdmissionLas.Experiment;

/// <summary>The results as a table, as JSON and as a chart.</summary>
static class Report
{
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static string Heading { get; } = string.Create(
        CultureInfo.InvariantCulture,
        $"{"scenario",-22} {"seed",4} {"mode",-10} {"predict",7} {"nearest",8} {"strictly",8} {"regret",8} {"mean ms",9} {"p99 ms",8} {"stranded",8} {"evicted",7} {"truth",7} {"cloud",9} {"bound ms",9} {"p99 ms",8}  goal");

    internal static string Line(Outcomes o) => string.Create(
        CultureInfo.InvariantCulture,
        $"{o.Scenario,-22} {o.Seed,4} {o.Strategy,-10} {o.Predict,7} {Percent(o.NearestShare),8} {Percent(o.StrictShare),8} {Percent(o.RegretShare),8} {o.MeanRegretMs,9:0.000} {o.P99RegretMs,8:0.0} {o.Stranded,8} {o.Evicted,7} {Percent(o.TruthShare),7} {$"{o.TrainingOnCloud}/{o.Training}",9} {o.MeanBoundMs,9:0} {o.P99BoundMs,8:0}  {(o.MeetsGoal ? "met" : "missed")}");

    /// <summary>Of each scenario and mode what all seeds came to together: what is in the table of src/README.md.</summary>
    internal static string Markdown(IReadOnlyList<Outcomes> results)
    {
        var text = new StringBuilder("| Scenario |");
        var strategies = results.Select(r => r.Strategy).Distinct().ToArray();
        text.AppendJoin("", strategies.Select(c => $" {c} |")).AppendLine().Append("|---|").AppendJoin("", strategies.Select(_ => "---|")).AppendLine();
        foreach (var scenario in results.GroupBy(r => r.Scenario))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {scenario.Key} |").AppendJoin("", strategies.Select(c =>
                Cell([.. scenario.Where(r => r.Strategy == c)]))).AppendLine();
        }

        return text.ToString();
    }

    static string Cell(Outcomes[] seeds)
    {
        if (seeds.Length == 0)
        {
            return " |";
        }

        var (nearest, stranded, evicted) = (Share(seeds, r => r.OnNearest), seeds.Sum(r => r.Stranded), seeds.Sum(r => r.Evicted));
        var best = seeds.Sum(r => r.MeanBestMs * r.Predict);
        return $" {Percent(nearest)}, {Percent(best == 0 ? 0 : seeds.Sum(r => r.MeanRegretMs * r.Predict) / best)}{(stranded > 0 ? $", {stranded} stranded" : "")}{(evicted > 0 ? $", {evicted} evicted" : "")} |";
    }

    static double Share(IReadOnlyCollection<Outcomes> seeds, Func<Outcomes, int> pods) => seeds.Sum(r => r.Predict) is > 0 and var all ? seeds.Sum(pods) / (double)all : 1;

    /// <summary>Which goals were missed by one strategy, and why.</summary>
    internal static IEnumerable<string> Shortfalls(IEnumerable<Outcomes> results)
    {
        foreach (var missed in results.Where(r => !r.MeetsGoal))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{missed.Strategy} in {missed.Scenario}, seed {missed.Seed}: {Percent(missed.NearestShare)} on the nearest, regret {Percent(missed.RegretShare)}, truth {Percent(missed.TruthShare)}, {missed.Stranded} stranded, {missed.Evicted} evicted");
            foreach (var why in missed.Misses.GroupBy(m => m.Why).OrderByDescending(g => g.Count()))
            {
                var m = why.MaxBy(w => w.Ms - w.BestMs)!;
                yield return string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {why.Count()} x {why.Key}; such as {m.Pod}: {m.Node} ({m.Ms:0.###} ms, {m.Points:0} points beside affinity) instead of {m.BestNode} ({m.BestMs:0.###} ms, {m.BestPoints:0} points)");
                yield return $"    the scheduler's own points: {m.Node} {Text(m.Scores)}; {m.BestNode} {Text(m.BestScores)}";
            }
        }
    }

    static string Text(IReadOnlyDictionary<string, long>? scores) =>
        scores is null ? "none" : string.Create(CultureInfo.InvariantCulture, $"{scores.Values.Sum()} ({string.Join(", ", scores.Where(s => s.Value != 0).Select(s => $"{s.Key} {s.Value}"))})");

    internal static async Task WriteAsync(string folder, IReadOnlyList<Outcomes> results)
    {
        Directory.CreateDirectory(folder);
        var json = new JsonObject { ["results"] = new JsonArray([.. results.Select(r => (JsonNode)Json(r))]) };
        await File.WriteAllTextAsync(Path.Combine(folder, "placement.json"), json.ToJsonString(Indented));
        await File.WriteAllTextAsync(Path.Combine(folder, "placement.md"), Markdown(results));
        await using var chart = File.Create(Path.Combine(folder, "placement.svg"));
        new SvgExporter { Width = 900, Height = 120 + (70 * results.Select(r => r.Scenario).Distinct().Count()) }.Export(Chart(results), chart);
    }

    static JsonObject Json(Outcomes o) => new()
    {
        ["scenario"] = o.Scenario,
        ["seed"] = o.Seed,
        ["mode"] = o.Strategy,
        ["predictPods"] = o.Predict,
        ["nearestShare"] = o.NearestShare,
        ["nearestShareStrictly"] = o.StrictShare,
        ["meanBestLatencyMs"] = o.MeanBestMs,
        ["meanRegretMs"] = o.MeanRegretMs,
        ["meanRegretShare"] = o.RegretShare,
        ["p99RegretMs"] = o.P99RegretMs,
        ["stranded"] = o.Stranded,
        ["evicted"] = o.Evicted,
        ["onNamedNodeShare"] = o.TruthShare,
        ["trainingPods"] = o.Training,
        ["trainingOnCloud"] = o.TrainingOnCloud,
        ["meanCreateToBoundMs"] = o.MeanBoundMs,
        ["p99CreateToBoundMs"] = o.P99BoundMs,
        ["meetsGoal"] = o.MeetsGoal,
        ["misses"] = new JsonArray([.. o.Misses.Select(m => (JsonNode)new JsonObject
        {
            ["pod"] = m.Pod,
            ["why"] = m.Why,
            ["node"] = m.Node,
            ["latencyMs"] = m.Ms,
            ["pointsBesideAffinity"] = m.Points,
            ["nearestNode"] = m.BestNode,
            ["nearestLatencyMs"] = m.BestMs,
            ["schedulerPoints"] = Json(m.Scores),
            ["nearestPointsBesideAffinity"] = m.BestPoints,
            ["nearestSchedulerPoints"] = Json(m.BestScores),
            ["decision"] = m.Decision,
        })]),
    };

    static JsonObject? Json(IReadOnlyDictionary<string, long>? scores) => scores is null ? null : new JsonObject(scores.Select(s => KeyValuePair.Create<string, JsonNode?>(s.Key, s.Value)));

    static PlotModel Chart(IReadOnlyList<Outcomes> results)
    {
        // Horizontal bars are drawn from below.
        var scenarios = results.Select(r => r.Scenario).Distinct().Reverse().ToArray();
        var model = new PlotModel { Title = "Predict pods on the nearest node that could run them" };
        model.Legends.Add(new Legend { LegendPlacement = LegendPlacement.Outside, LegendPosition = LegendPosition.BottomCenter, LegendOrientation = LegendOrientation.Horizontal });
        model.Axes.Add(new CategoryAxis { Position = AxisPosition.Left, ItemsSource = scenarios, GapWidth = 0.4 });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Minimum = 0, Maximum = 100, Title = "%", MajorGridlineStyle = LineStyle.Solid });
        foreach (var strategy in results.Select(r => r.Strategy).Distinct().Reverse())
        {
            model.Series.Add(new BarSeries
            {
                Title = strategy,
                ItemsSource = scenarios.Select(s => new BarItem(100 * Share([.. results.Where(r => r.Scenario == s && r.Strategy == strategy)], r => r.OnNearest))).ToArray(),
            });
        }

        return model;
    }

    static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(share * 1000) / 10:0.0}%");
}
