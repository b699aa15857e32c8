using AdmissionLas.Events;
using Microsoft.Extensions.Time.Testing;

namespace AdmissionLas.Tests.Events;

/// <summary>A burst is few events.</summary>
public sealed class EventGroupsTests
{
    readonly FakeTimeProvider time = new();
    readonly EventGroups groups;

    public EventGroupsTests() => groups = new EventGroups(time);

    [Fact]
    public void The_first_few_owners_are_told_at_once_and_the_rest_in_one_after_a_minute()
    {
        var told = Enumerable.Range(0, 200).Count(i => groups.TellNow(Of($"run-{i}")));

        Assert.Equal(EventGroups.ToldOneByOne, told);
        Assert.Empty(groups.Ended());
        time.Advance(EventGroups.Window);
        var (last, count) = Assert.Single(groups.Ended());
        Assert.Equal(("run-199", 200 - EventGroups.ToldOneByOne), (last.Owner.Name, count));
        Assert.Empty(groups.Ended());
    }

    [Fact]
    public void An_owner_is_told_once_a_minute()
    {
        Assert.True(groups.TellNow(Of("run")));
        Assert.False(groups.TellNow(Of("run")));
        time.Advance(EventGroups.Window);
        Assert.Equal(1, Assert.Single(groups.Ended()).Count);
        Assert.True(groups.TellNow(Of("run")));
    }

    [Fact]
    public void Namespaces_and_reasons_do_not_take_each_others_place()
    {
        Assert.All(Enumerable.Range(0, 200), i => groups.TellNow(Of($"run-{i}")));

        Assert.True(groups.TellNow(Of("run") with { Namespace = "other" }));
        Assert.True(groups.TellNow(Of("run") with { Reason = "Other" }));
    }

    [Fact]
    public void More_namespaces_than_are_kept_are_not_told_of_until_a_minute_is_over()
    {
        Assert.Equal(EventGroups.MostGroups, Enumerable.Range(0, EventGroups.MostGroups + 50).Count(i => groups.TellNow(Of("run") with { Namespace = $"team-{i}" })));

        time.Advance(EventGroups.Window);
        groups.Ended();
        Assert.True(groups.TellNow(Of("run") with { Namespace = "late" }));
    }

    static Setback Of(string owner) => new("team-a", new StepOwner("argoproj.io/v1alpha1", "Workflow", owner, owner), "LocationUnknown", "words");
}
