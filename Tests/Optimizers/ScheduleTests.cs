namespace QuadEngine.Tests.Optimizers;

/// <summary>Compares schedules with their formulas in double.</summary>
public class ScheduleTests
{
    [Test]
    public void Milestones_multiply_at_each_milestone() =>
        Assert.That(Enumerable.Range(0, 6).Select(step => new Milestones([2, 4]).At(step)), Is.EqualTo((double[])[1, 1, 0.1, 0.1, 0.01, 0.01]).Within(1e-7));

    [Test]
    public void Cosine_falls_to_its_floor_and_stays()
    {
        var cosine = new Cosine(10, 0.1f);
        for (var step = 0; step <= 10; step++)
            Assert.That(cosine.At(step), Is.EqualTo(0.1 + 0.9 * (1 + Math.Cos(Math.PI * step / 10)) / 2).Within(1e-6));
        Assert.That(cosine.At(25), Is.EqualTo(0.1f).Within(1e-6f));
    }

    [Test]
    public void Warm_up_is_a_line_and_then_the_schedule_from_its_start()
    {
        var schedule = new Milestones([3], 0.5f).WithWarmUp(4, from: 0.2f);
        Assert.That(Enumerable.Range(0, 9).Select(step => schedule.At(step)), Is.EqualTo((double[])[0.2, 0.4, 0.6, 0.8, 1, 1, 1, 0.5, 0.5]).Within(1e-6));
        Assert.That(Schedule.Constant.WithWarmUp(0).At(0), Is.EqualTo(1f));
        Assert.That(new WarmUp(5).At(1_000_000), Is.EqualTo(1f));
    }

    [Test]
    public void A_chain_counts_each_part_from_its_own_start_and_goes_on_with_the_last()
    {
        var chain = new Chain([(2, new WarmUp(2)), (3, new Milestones([1])), (2, new Cosine(4))]);
        double[] expected = [0, 0.5, 1, 0.1, 0.1, 1, (1 + Math.Cos(Math.PI / 4)) / 2, 0.5, (1 + Math.Cos(Math.PI * 3 / 4)) / 2, 0];
        Assert.That(Enumerable.Range(0, 10).Select(step => chain.At(step)), Is.EqualTo(expected).Within(1e-6));
    }

    [Test]
    public void Schedules_of_no_steps_are_over_at_once()
    {
        Assert.That(new Cosine(0, 0.1f).At(0), Is.EqualTo(0.1f));
        Assert.That(new WarmUp(0, 0.1f).At(0), Is.EqualTo(1f));
    }

    [Test]
    public void Impossible_schedules_are_refused()
    {
        Assert.That(() => Schedule.Constant.WithWarmUp(-3), Throws.ArgumentException.With.Message.EqualTo("WithWarmUp: steps is -3, expected 0 (no warm-up) or more."));
        Assert.That(() => new Chain([]), Throws.ArgumentException.With.Message.Contains("no parts"));
        Assert.That(() => new Chain([(2, Schedule.Constant), (-3, new Cosine(4))]), Throws.ArgumentException.With.Message.Contains("part 1 has -3 steps"));
        Assert.That(() => new Chain([(2, Schedule.Constant)]) with { Parts = [] }, Throws.ArgumentException);
    }
}
