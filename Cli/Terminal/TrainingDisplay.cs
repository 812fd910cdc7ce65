using System.Diagnostics;
using System.Globalization;
using QuadEngine.Models;
using Spectre.Console;

namespace QuadEngine.Cli;

/// <summary>Shows a training while it runs: a row for each epoch, and the progress between rows.</summary>
abstract class TrainingDisplay(Output output, Trainer trainer)
{
    // The columns in the order of a row. If a terminal is narrow, the least important are left out.
    static readonly Column[] columns =
    [
        new("epoch", 8, (epoch, epochs) => $"{epoch.Epoch}/{epochs}"),
        new("train loss", 4, (epoch, _) => Number(epoch.TrainLoss, "0.0000")),
        new("train acc.", 3, (epoch, _) => Number(epoch.TrainAccuracy, "0.00 \\%")),
        new("test loss", 5, (epoch, _) => Number(epoch.TestLoss, "0.0000")),
        new("test acc.", 7, (epoch, _) => Number(epoch.TestAccuracy, "0.00 \\%")),
        new("learning rate", 1, (epoch, _) => Number(epoch.LearningRate, "G3")),
        new("images/s", 2, (epoch, _) => epoch.ExamplesPerSecond is { } speed ? Number(speed, "0") : ""),
        new("time", 6, (epoch, _) => epoch.Seconds is { } seconds ? Hardware.Time(TimeSpan.FromSeconds(seconds)) : ""),
    ];

    readonly Column[] shown = [.. Narrow.Fit(columns, column => column.Width + Column.Gap, column => column.Importance, output.Terminal is { } narrow ? narrow.Profile.Width + Column.Gap : int.MaxValue)];
    readonly Stopwatch watch = Stopwatch.StartNew();
    readonly int firstStep = trainer.State.Step;

    protected Output Output { get; } = output;

    protected Trainer Trainer { get; } = trainer;

    protected long TotalSteps => (long)Trainer.Options.Epochs * Trainer.StepsPerEpoch;

    /// <summary>Returns a live display for a terminal, else one of plain lines.</summary>
    public static TrainingDisplay For(Output output, Trainer trainer) => output.Terminal is { } terminal ? new Live(output, trainer, terminal) : new Plain(output, trainer);

    /// <summary>Runs a training and shows it.</summary>
    public virtual bool Run(Func<bool> training)
    {
        Output.Line("", Row(column => column.Heading), "");
        foreach (var epoch in Trainer.State.History) ShowRow(epoch);
        Trainer.EpochEnded += ShowRow;
        return training();
    }

    protected abstract void ShowLine(string row);

    void ShowRow(EpochMetrics epoch) => ShowLine(Row(column => column.Cell(epoch, Trainer.Options.Epochs)));

    string Row(Func<Column, string> cell) => string.Join(Column.Separator, shown.Select(column => cell(column).PadLeft(column.Width)));

    /// <summary>"epoch 2/6  loss 0.512  accuracy 83.1 %  812 images/s  1:12 left", or the most important parts that fit.</summary>
    protected string Progress(int room = int.MaxValue)
    {
        var state = Trainer.State;
        var done = state.Step - firstStep;
        var left = TimeSpan.FromSeconds(watch.Elapsed.TotalSeconds / Math.Max(1, done) * (TotalSteps - state.Step));
        (string Text, int Importance)[] parts =
        [
            ($"epoch {Math.Min(state.Epoch + 1, Trainer.Options.Epochs)}/{Trainer.Options.Epochs}", 5),
            ($"loss {Number(state.Totals.Loss, "0.000")}", 3),
            ($"accuracy {Number(state.Totals.ValuesOf([Metric.Accuracy]).GetValueOrDefault(Metric.Accuracy.Name), "0.0 \\%")}", 2),
            ($"{Number(done * Trainer.Options.BatchSize / watch.Elapsed.TotalSeconds, "0")} images/s", 1),
            ($"{Hardware.Time(left)} left", 4),
        ];
        return string.Join(Column.Separator, Narrow.Fit(parts, part => part.Text.Length + Column.Gap, part => part.Importance, room).Select(part => part.Text));
    }

    static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>A column of the table of epochs.</summary>
    sealed record Column(string Heading, int Importance, Func<EpochMetrics, int, string> Cell)
    {
        public const string Separator = "  ";
        public const int Gap = 2;

        public int Width { get; } = Math.Max(8, Heading.Length);
    }

    /// <summary>For files and pipes: writes a line every 20 seconds, so that a log shows progress.</summary>
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

        protected override void ShowLine(string row)
        {
            Output.Line(row);
            Output.Text.Flush();
        }
    }

    /// <summary>For a terminal: shows a bar below the rows, on one line at any width.</summary>
    sealed class Live(Output output, Trainer trainer, IAnsiConsole terminal) : TrainingDisplay(output, trainer)
    {
        const int FullText = 70, Percentage = 7;

        public override bool Run(Func<bool> training) => terminal.Progress()
            .AutoClear(true)
            .Columns(new ProgressBarColumn { Width = BarWidth }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                var bar = context.AddTask("starting", maxValue: TotalSteps);
                Trainer.Stepped += step =>
                {
                    bar.Value = step.Step;
                    bar.Description = Markup.Escape(Progress(terminal.Profile.Width - BarWidth - Percentage));
                };
                return base.Run(training);
            });

        int BarWidth => Math.Clamp(terminal.Profile.Width - FullText - Percentage, 5, 30);

        protected override void ShowLine(string row) => terminal.WriteLine(row);
    }
}
