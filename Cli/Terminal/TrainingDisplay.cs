using System.Diagnostics;
using System.Globalization;
using QuadEngine.Models;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace QuadEngine.Cli;

/// <summary>Shows a training as it goes: a row an epoch, and in between how far it is.</summary>
abstract class TrainingDisplay(Output output, Trainer trainer)
{
    static readonly string[] headings = ["epoch", "train loss", "train acc.", "test loss", "test acc.", "learning rate", "images/s", "time"];

    readonly Stopwatch watch = Stopwatch.StartNew();
    readonly int firstStep = trainer.State.Step;

    protected Output Output { get; } = output;

    protected Trainer Trainer { get; } = trainer;

    protected int TotalSteps => Trainer.Options.Epochs * Trainer.StepsPerEpoch;

    /// <summary>A live one on a terminal, else plain lines.</summary>
    public static TrainingDisplay For(Output output, Trainer trainer) => output.Terminal is { } terminal ? new Live(output, trainer, terminal) : new Plain(output, trainer);

    /// <summary>Runs a training and shows it.</summary>
    public virtual bool Run(Func<bool> training)
    {
        Output.Line("", Row(headings), "");
        foreach (var epoch in Trainer.State.History) ShowRow(Row(epoch));
        Trainer.EpochEnded += epoch => ShowRow(Row(epoch));
        return training();
    }

    protected abstract void ShowRow(string row);

    /// <summary>"epoch 2/6  loss 0.512  accuracy 83.1 %  812 images/s  1:12 left".</summary>
    protected string Progress()
    {
        var state = Trainer.State;
        var done = state.Step - firstStep;
        var left = TimeSpan.FromSeconds(watch.Elapsed.TotalSeconds / Math.Max(1, done) * (TotalSteps - state.Step));
        return string.Create(CultureInfo.InvariantCulture,
            $"epoch {Math.Min(state.Epoch + 1, Trainer.Options.Epochs)}/{Trainer.Options.Epochs}  loss {state.Loss:0.000}  accuracy {state.Accuracy:0.0} %  {done * Trainer.Options.BatchSize / watch.Elapsed.TotalSeconds:0} images/s  {Hardware.Time(left)} left");
    }

    string Row(EpochMetrics epoch) => Row(
    [
        string.Create(CultureInfo.InvariantCulture, $"{epoch.Epoch}/{Trainer.Options.Epochs}"),
        epoch.TrainLoss.ToString("0.0000", CultureInfo.InvariantCulture),
        epoch.TrainAccuracy.ToString("0.00 \\%", CultureInfo.InvariantCulture),
        epoch.TestLoss.ToString("0.0000", CultureInfo.InvariantCulture),
        epoch.TestAccuracy.ToString("0.00 \\%", CultureInfo.InvariantCulture),
        epoch.LearningRate.ToString("G3", CultureInfo.InvariantCulture),
        epoch.ImagesPerSecond?.ToString("0", CultureInfo.InvariantCulture) ?? "",
        epoch.Seconds is { } seconds ? Hardware.Time(TimeSpan.FromSeconds(seconds)) : "",
    ]);

    static string Row(string[] cells) => string.Join("  ", cells.Select((cell, column) => cell.PadLeft(Math.Max(8, headings[column].Length))));

    /// <summary>Into files and pipes: now and then a line, so that a log shows life.</summary>
    sealed class Plain(Output output, Trainer trainer) : TrainingDisplay(output, trainer)
    {
        static readonly TimeSpan interval = TimeSpan.FromSeconds(20);

        public override bool Run(Func<bool> training)
        {
            var sinceLine = Stopwatch.StartNew();
            Trainer.Stepped += _ =>
            {
                if (sinceLine.Elapsed < interval) return;
                sinceLine.Restart();
                Output.Line($"    {Progress()}");
                Output.Text.Flush();
            };
            return base.Run(training);
        }

        protected override void ShowRow(string row)
        {
            Output.Line(row);
            Output.Text.Flush();
        }
    }

    /// <summary>On a terminal: a bar below the rows.</summary>
    sealed class Live(Output output, Trainer trainer, IAnsiConsole terminal) : TrainingDisplay(output, trainer)
    {
        public override bool Run(Func<bool> training) => terminal.Progress()
            .AutoClear(true)
            .Columns(new ProgressBarColumn { Width = 30 }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                var bar = context.AddTask("starting", maxValue: TotalSteps);
                Trainer.Stepped += step =>
                {
                    bar.Value = step.Step;
                    bar.Description = Markup.Escape(Progress());
                };
                return base.Run(training);
            });

        protected override void ShowRow(string row) => terminal.WriteLine(row);
    }
}
