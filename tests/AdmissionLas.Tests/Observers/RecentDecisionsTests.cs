using AdmissionLas.Observers;

namespace AdmissionLas.Tests.Observers;

public sealed class RecentDecisionsTests
{
    readonly RecentDecisions decisions = new(kept: 10, mostViewers: 2, TimeProvider.System);

    [Fact]
    public void Only_the_last_ones_are_kept()
    {
        Add(25);

        Assert.True(decisions.TryFollow(null, out var viewer));
        Assert.Equal([16, 17, 18, 19, 20, 21, 22, 23, 24, 25], viewer.Missed.Select(d => d.Number));
        Assert.NotNull(decisions.Find(decisions.IdOf(viewer.Missed[0])));
    }

    [Fact]
    public void A_decision_that_made_room_for_another_is_not_found_as_that()
    {
        Add(1);
        Assert.True(decisions.TryFollow(null, out var viewer));
        var first = decisions.IdOf(viewer.Missed[0]);

        Add(10);

        Assert.Null(decisions.Find(first));
        Assert.Null(decisions.Find(""));
        Assert.Null(decisions.Find(first + "0000000000000000000000"));
        Assert.Null(decisions.Find("000000000000-2"));
    }

    [Fact]
    public void A_viewer_of_another_process_gets_everything()
    {
        Add(3);

        Assert.True(decisions.TryFollow("000000000000-2", out var viewer));

        Assert.Equal(3, viewer.Missed.Count);
    }

    [Fact]
    public void A_viewer_that_does_not_read_loses_decisions_and_learns_how_many()
    {
        Assert.True(decisions.TryFollow(null, out var viewer));

        Add(300);

        Assert.Equal(300 - 256, viewer.TakeSkipped());
        Assert.Equal(0, viewer.TakeSkipped());
        Assert.True(viewer.Reader.TryRead(out var next));
        Assert.Equal(300 - 256 + 1, next.Number);
    }

    [Fact]
    public async Task A_viewer_misses_nothing_and_sees_nothing_twice_while_decisions_come()
    {
        using var stop = new CancellationTokenSource();
        var adding = Task.Run(() =>
        {
            for (var i = 0; i < 2000 && !stop.IsCancellationRequested; i++)
            {
                Add(1);
            }
        });
        for (var round = 0; round < 50; round++)
        {
            Assert.True(decisions.TryFollow(null, out var viewer));
            var last = viewer.Missed.Count > 0 ? viewer.Missed[^1].Number : 0;
            if (viewer.Reader.TryRead(out var next) && viewer.TakeSkipped() == 0)
            {
                Assert.Equal(last + 1, next.Number);
            }

            viewer.Dispose();
        }

        await stop.CancelAsync();
        await adding;
    }

    [Fact]
    public void Only_so_many_may_follow()
    {
        Assert.True(decisions.TryFollow(null, out var first));
        Assert.True(decisions.TryFollow(null, out _));
        Assert.False(decisions.TryFollow(null, out _));

        first.Dispose();

        Assert.True(decisions.TryFollow(null, out _));
    }

    void Add(int count)
    {
        for (var i = 0; i < count; i++)
        {
            decisions.Answered(Observations.Of(new Decision { Outcome = Outcome.NoLocation, Step = new Step(StepKinds.Predict, "label"), Reason = new LocationMissing([]) }));
        }
    }
}
