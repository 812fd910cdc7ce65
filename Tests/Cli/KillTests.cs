using System.Diagnostics;

namespace QuadEngine.Tests.Cli;

/// <summary>The real process is ended during its work.</summary>
[Parallelizable]
public sealed class KillTests : ToolTests
{
    static readonly string[] run = ["--model", "resnet8", "--images", "512", "--batch", "64", "--epochs", "3", "--checkpoint-seconds", "0.2", "--threads", "2"];

    [Test]
    public void Run_killed_five_times_and_resumed_leaves_the_bits_of_the_run_never_stopped()
    {
        var whole = QuadTool.RunProcess(["train", .. run, "--output", Quad.PathOf("whole")]);
        Assert.That(whole.Code, Is.Zero, whole.Errors);

        // The moments of the kills are spread over the run, and differ between machines on purpose.
        var checkpoint = Quad.PathOf("killed/last.safetensors");
        for (var kill = 0; kill < 5; kill++)
        {
            using var process = kill == 0
                ? QuadTool.Start(["train", .. run, "--output", Quad.PathOf("killed")])
                : QuadTool.Start("train", "--resume", Quad.PathOf("killed"));
            WaitForWrite(process, checkpoint, writes: 1);
            Thread.Sleep(37 * kill);
            process.Kill();
            process.WaitForExit();
        }

        var last = QuadTool.RunProcess("train", "--resume", Quad.PathOf("killed"));
        Assert.That(last.Code, Is.Zero, last.Errors);
        foreach (var file in new[] { "last.safetensors", "best.safetensors" })
            Assert.That(Quad.Bytes($"killed/{file}"), Is.EqualTo(Quad.Bytes($"whole/{file}")), file);
    }

    [Test]
    public void Interrupt_saves_says_how_to_go_on_and_loses_no_step()
    {
        var whole = QuadTool.RunProcess(["train", .. run, "--output", Quad.PathOf("whole")]);
        Assert.That(whole.Code, Is.Zero, whole.Errors);

        using var process = QuadTool.Start(["train", .. run, "--output", Quad.PathOf("stopped")]);
        WaitForWrite(process, Quad.PathOf("stopped/last.safetensors"), writes: 1);
        QuadTool.Interrupt(process);
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.EqualTo(130), text);
        Assert.That(text, Does.Contain($"quad train --resume {Quad.PathOf("stopped")}"));

        var resumed = QuadTool.RunProcess("train", "--resume", Quad.PathOf("stopped"));
        Assert.That(resumed.Code, Is.Zero, resumed.Errors);
        Assert.That(Quad.Bytes("stopped/last.safetensors"), Is.EqualTo(Quad.Bytes("whole/last.safetensors")));
    }

    [Test]
    public void Second_interrupt_ends_the_process_at_once_and_the_run_goes_on_from_its_last_checkpoint()
    {
        using var process = QuadTool.Start(["train", .. run, "--output", Quad.PathOf("run")]);
        WaitForWrite(process, Quad.PathOf("run/last.safetensors"), writes: 1);
        QuadTool.Interrupt(process);
        if (!process.HasExited) QuadTool.Interrupt(process);
        Assert.That(process.WaitForExit(10_000), "it is gone");
        Assert.That(process.StandardError.ReadToEnd(), Does.Not.Contain("   at "));

        var resumed = QuadTool.RunProcess("train", "--resume", Quad.PathOf("run"));
        Assert.That(resumed.Code, Is.Zero, resumed.Errors);
        Assert.That(resumed.Text, Does.Contain("going on at step").Or.Contain("finished already"));
    }

    // Waits until the process has written a file the given number of times, or has ended.
    static void WaitForWrite(Process process, string path, int writes)
    {
        var (seen, last) = (0, File.Exists(path) ? File.GetLastWriteTimeUtc(path) : default);
        while (seen < writes && !process.HasExited)
        {
            Thread.Sleep(5);
            if (!File.Exists(path) || File.GetLastWriteTimeUtc(path) is var time && time == last) continue;
            (seen, last) = (seen + 1, time);
        }
    }
}
