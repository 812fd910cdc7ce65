using System.Diagnostics;
using QuadEngine.Models;
using QuadEngine.Tests.Training;

namespace QuadEngine.Tests.Cli;

/// <summary>Only one trainer at a time writes to the folder of a run.</summary>
[Parallelizable]
public sealed class RunLockTests : ToolTests
{
    [Test]
    public void A_second_process_is_refused_by_the_number_of_the_first_until_that_is_killed()
    {
        string[] run = ["--model", "resnet8", "--images", "512", "--batch", "64", "--epochs", "500", "--checkpoint-seconds", "0.1", "--threads", "1"];
        using var first = QuadTool.Start(["train", .. run, "--output", Quad.PathOf("run")]);
        try
        {
            WaitFor(() => File.Exists(Quad.PathOf("run/last.safetensors")) || first.HasExited);
            var second = QuadTool.RunProcess("train", "--resume", Quad.PathOf("run"));
            Assert.That(second.Code, Is.EqualTo(1), second.Text);
            Assert.That(second.Errors, Does.StartWith("quad: ").And.Contain($"process {first.Id}").And.Contain(Quad.PathOf("run")));
            Assert.That(QuadTool.Run(["train", .. run, "--output", Quad.PathOf("run")]).Errors, Does.Contain("holds a run already"));
            Assert.That(RunFolder.Open(Quad.PathOf("run")).Configuration.Training.Epochs, Is.EqualTo(500), "reading goes on");
        }
        finally
        {
            first.Kill();
            first.WaitForExit();
        }

        // The process was killed. The file that it left is not a lock.
        using var third = QuadTool.Start("train", "--resume", Quad.PathOf("run"));
        var before = File.GetLastWriteTimeUtc(Quad.PathOf("run/last.safetensors"));
        WaitFor(() => File.GetLastWriteTimeUtc(Quad.PathOf("run/last.safetensors")) != before || third.HasExited);
        Assert.That(third.HasExited, Is.False, "it trains");
        third.Kill();
        third.WaitForExit();
    }

    [Test]
    public void Two_trainers_of_one_process_exclude_each_other_too()
    {
        using var tiny = new TinyTraining();
        TinyTraining.Run(tiny, "run", step: 3, () =>
        {
            var other = tiny.Start("run");
            Assert.That(() => other.Run(), Throws.InvalidOperationException.With.Message.Contains("this process"));
        });
        Assert.That(Directory.EnumerateFiles(tiny.PathOf("run")).Select(Path.GetFileName), Does.Not.Contain("run.lock"), "the folder is left as a run leaves it");
    }

    [Test]
    public void A_trainer_that_read_an_older_checkpoint_does_not_undo_what_another_did()
    {
        using var tiny = new TinyTraining();
        TinyTraining.Run(tiny, "run", step: 7, stop: true);
        var stale = tiny.Start("run");
        var other = tiny.Start("run");
        Assert.That(other.Run());
        var last = File.ReadAllBytes(tiny.PathOf("run/last.safetensors"));
        Assert.That(() => stale.Run(), Throws.InvalidOperationException.With.Message.Contains("Resume"));
        Assert.That(File.ReadAllBytes(tiny.PathOf("run/last.safetensors")), Is.EqualTo(last));
        stale.Resume();
        Assert.That(stale.Run(), "it is finished");
    }

    [Test]
    public void A_lock_that_passes_from_thread_to_thread_is_held_by_one_at_a_time()
    {
        var folder = Directory.CreateDirectory(Quad.PathOf("folder")).FullName;
        const int Times = 200;
        var (inside, taken, worst) = (0, 0, 0);
        var watch = Stopwatch.StartNew();
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
        {
            while (Volatile.Read(ref taken) < Times && watch.Elapsed < TimeSpan.FromMinutes(2))
            {
                using var held = FolderLock.TryTake(folder);
                if (held is null) continue;
                worst = Math.Max(worst, Interlocked.Increment(ref inside));
                Interlocked.Increment(ref taken);
                Thread.Yield();
                Interlocked.Decrement(ref inside);
            }
        });
        Assert.That(worst, Is.EqualTo(1));
        Assert.That(taken, Is.AtLeast(Times));
        Assert.That(Directory.EnumerateFileSystemEntries(folder), Is.Empty);
    }

    static void WaitFor(Func<bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromMinutes(2)));
            Thread.Sleep(10);
        }
    }
}
