namespace AdmissionLas.Tests.Placement;

/// <summary>What the author of a step reads in kubectl: whole sentences that take no knowledge of schedulers.</summary>
public sealed class WarningTests
{
    /// <summary>The API server cuts at 256 characters, and the program's name stands before each.</summary>
    const int Longest = 256 - 15;

    static readonly string[] Jargon = ["scheduler", "taint", "cordon", "affinity", "strand", "latency", "candidate", "feasible", "quantity"];

    [Fact]
    public void A_place_that_is_not_known_is_answered_with_the_one_that_was_meant() =>
        Says("this prediction step may run far from HOME-EGDE: no such place is known; did you mean HOME-EDGE?", Pods.Predict("HOME-EGDE"));

    [Fact]
    public void A_place_like_no_other_is_answered_with_those_there_are() =>
        Says("this prediction step may run far from MARS-BASE: no such place is known; these are: HOME-EDGE, NITLAB-EDGE, NITOS-CLOUD", Pods.Predict("MARS-BASE"));

    [Fact]
    public void A_name_that_no_place_can_have_is_answered_with_what_it_may_consist_of() =>
        Says("this prediction step may run far from HOME EDGE: no place can have that name; use letters, digits, - and _", Pods.Predict("HOME EDGE"));

    [Fact]
    public void A_step_without_a_place_is_told_where_to_write_it() =>
        Says(
            "this prediction step may run far from those who ask it: it does not say where they are; add the label admissionlas.io/location, one of HOME-EDGE, NITLAB-EDGE, NITOS-CLOUD",
            Pods.Predict(null));

    [Fact]
    public void Where_nothing_was_measured_the_author_is_sent_to_an_admin() =>
        Says("this prediction step may run far from HOME: how far the machines are from it is not known for any place; an admin of the cluster can label them", Pods.Predict("HOME"), ClusterView.Empty);

    [Fact]
    public void Machines_that_cannot_run_a_prediction_step_are_counted_by_reason()
    {
        var down = Nodes.Named("down", latencies: [("HERE", "1")]) with { IsReady = false };
        var closed = Nodes.Named("closed", latencies: [("HERE", "2")]) with { IsCordoned = true };

        Says("this prediction step may run far from HERE: none of the 3 machines at a known distance can run it (2 down, 1 closed for maintenance)", Pods.Predict("HERE"), Nodes.View(down, down with { Name = "too" }, closed));
        Says("this prediction step may run far from HERE: not one machine at a known distance can run it (1 down)", Pods.Predict("HERE"), Nodes.View(down));
    }

    [Fact]
    public void Machines_that_cannot_run_a_training_step_are_counted_by_reason()
    {
        Says("this training step may run on a small machine: none of the 3 machines can run it (3 with too few CPUs)", Pods.Training(Pods.Container(cpu: "999")));
        Says("this training step may run on a small machine: no machine can run it", Pods.Training(), ClusterView.Empty);
    }

    [Fact]
    public void However_long_the_names_a_warning_is_whole()
    {
        var name = new string('n', 253);
        var location = new string('l', 63);
        var nodes = Enumerable.Range(0, 20).Select(i => Nodes.Named($"{name[..200]}{i}", latencies: [($"{location[..60]}{i}", "1")]) with { IsReady = i % 2 == 0, IsCordoned = true }).ToArray();
        var view = Nodes.View(nodes);
        PodFacts[] pods = [Pods.Predict(null), Pods.Predict(location), Pods.Predict(new string('x', 5000)), Pods.Predict($"{location[..60]}0"), Pods.Training(Pods.Container(cpu: "999"))];

        Assert.All(pods.SelectMany(p => view.Decide(p).WarningTexts()), w => Assert.InRange(w.Length, 1, Longest));
    }

    static void Says(string warning, PodFacts pod, ClusterView? view = null)
    {
        var said = Assert.Single((view ?? Testbed.View).Decide(pod).WarningTexts());

        Assert.Equal(warning, said);
        Assert.All(Jargon, word => Assert.DoesNotContain(word, said, StringComparison.OrdinalIgnoreCase));
    }
}
