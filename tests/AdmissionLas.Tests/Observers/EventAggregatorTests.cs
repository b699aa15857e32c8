using AdmissionLas.Observers;
using Microsoft.Extensions.Time.Testing;

namespace AdmissionLas.Tests.Observers;

/// <summary>A burst is few events.</summary>
public sealed class EventAggregatorTests
{
    readonly FakeTimeProvider time = new();
    readonly EventAggregator groups;

    public EventAggregatorTests() => groups = new EventAggregator(time);

    [Fact]
    public void The_first_few_owners_are_told_at_once_and_the_rest_in_one_after_a_minute()
    {
        var sentNow = Enumerable.Range(0, 200).Count(i => groups.ShouldSendNow(Of($"run-{i}")));

        Assert.Equal(EventAggregator.MaxSentSingly, sentNow);
        Assert.Empty(groups.Ended());
        time.Advance(EventAggregator.Window);
        var (last, count) = Assert.Single(groups.Ended());
        Assert.Equal(("run-199", 200 - EventAggregator.MaxSentSingly), (last.Owner.Name, count));
        Assert.Empty(groups.Ended());
    }

    [Fact]
    public void An_owner_is_told_once_a_minute()
    {
        Assert.True(groups.ShouldSendNow(Of("run")));
        Assert.False(groups.ShouldSendNow(Of("run")));
        time.Advance(EventAggregator.Window);
        Assert.Equal(1, Assert.Single(groups.Ended()).Count);
        Assert.True(groups.ShouldSendNow(Of("run")));
    }

    [Fact]
    public void Namespaces_and_reasons_do_not_take_each_others_place()
    {
        Assert.All(Enumerable.Range(0, 200), i => groups.ShouldSendNow(Of($"run-{i}")));

        Assert.True(groups.ShouldSendNow(Of("run") with { Namespace = "other" }));
        Assert.True(groups.ShouldSendNow(Of("run") with { Reason = "Other" }));
    }

    [Fact]
    public void More_namespaces_than_are_kept_are_not_told_of_until_a_minute_is_over()
    {
        Assert.Equal(EventAggregator.MaxGroups, Enumerable.Range(0, EventAggregator.MaxGroups + 50).Count(i => groups.ShouldSendNow(Of("run") with { Namespace = $"team-{i}" })));

        time.Advance(EventAggregator.Window);
        groups.Ended();
        Assert.True(groups.ShouldSendNow(Of("run") with { Namespace = "late" }));
    }

    static PlacementProblem Of(string owner) => new("team-a", new OwnerReference("argoproj.io/v1alpha1", "Workflow", owner, owner), "LocationUnknown", "words");
}
