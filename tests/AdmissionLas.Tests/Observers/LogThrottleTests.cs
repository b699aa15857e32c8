using AdmissionLas.Observers;
using Microsoft.Extensions.Time.Testing;

namespace AdmissionLas.Tests.Observers;

/// <summary>One line a minute for each reason, at the edges of the minute and from many threads.</summary>
public sealed class LogThrottleTests
{
    readonly FakeTimeProvider time = new();

    [Fact]
    public void The_minute_is_over_when_it_is_over_and_not_before()
    {
        var throttle = new LogThrottle(time);
        Assert.True(throttle.Allows("a", out _));
        Assert.True(throttle.Allows("b", out _));

        time.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1));
        Assert.False(throttle.Allows("a", out _));
        time.Advance(TimeSpan.FromTicks(1));
        Assert.True(throttle.Allows("a", out var suppressed));

        Assert.Equal(1, suppressed);
    }

    [Fact]
    public void What_is_held_back_does_not_put_off_the_next_line()
    {
        var throttle = new LogThrottle(time);
        var allowed = 0;
        for (var second = 0; second < 180; second++, time.Advance(TimeSpan.FromSeconds(1)))
        {
            allowed += throttle.Allows("a", out _) ? 1 : 0;
        }

        Assert.Equal(3, allowed);
    }

    [Fact]
    public void A_count_that_was_told_is_not_told_again()
    {
        var throttle = new LogThrottle(time);
        throttle.Allows("a", out _);
        throttle.Allows("a", out _);
        time.Advance(TimeSpan.FromMinutes(1));
        throttle.Allows("a", out _);
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.True(throttle.Allows("a", out var suppressed));
        Assert.Equal(0, suppressed);
    }

    [Fact]
    public void Of_a_reason_that_a_caller_has_made_long_only_its_beginning_is_kept()
    {
        var throttle = new LogThrottle(time);

        Assert.True(throttle.Allows(new string('x', 300_000) + "1", out _));
        Assert.False(throttle.Allows(new string('x', 300_000) + "2", out _));
    }

    [Fact]
    public void Of_many_threads_one_writes_and_none_is_lost_from_the_count()
    {
        var throttle = new LogThrottle(time);
        var allowed = 0;
        Parallel.For(0, 1000, _ => Interlocked.Add(ref allowed, throttle.Allows("a", out var _) ? 1 : 0));
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.True(throttle.Allows("a", out var suppressed));
        Assert.Equal((1, 999), (allowed, suppressed));
    }
}
