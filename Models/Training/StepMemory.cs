using System.Globalization;

namespace QuadEngine.Models;

/// <summary>Computes the least memory of a training step: the outputs of all convolutions, which backward reads. So a run that cannot fit is refused before its pictures are read.</summary>
static class StepMemory
{
    // The outputs are measured on a small picture, and grow with the number of pixels.
    const int Small = 64, SmallestSize = 8;

    // The factor by which a whole step (norms, gradients, the evaluation) takes more: 2.2 for a quadratic ResNet-20 on pictures of 160 x 160.
    const double WholeStep = 2.2;

    /// <exception cref="ArgumentException">A step takes more memory than the machine has, or one of its tensors needs more values than a tensor can hold; the message says what fits.</exception>
    public static void Require(RunConfiguration configuration)
    {
        if (configuration.Pictures is not { } pictures) return;
        var (batch, memory) = (configuration.Training.BatchSize, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        var network = configuration.Network with { Height = Small, Width = Small, Channels = pictures.Channels };
        long[] outputs = [.. CostModel.Of(network.Build(), network.InputShape()).Layers.Where(layer => layer.MultiplyAdds > 0).Select(layer => (long)layer.Output.Elements)];
        var pixels = (double)pictures.Size * pictures.Size / (Small * Small);
        var largest = outputs.Max() * pixels * batch;
        var bytes = network.Recompute ? sizeof(float) * largest : sizeof(float) * outputs.Sum() * pixels * batch;
        var over = Math.Max(largest / int.MaxValue, configuration.Device == "cpu" ? bytes / memory : 0);
        if (over <= 1) return;

        var fits = (int)(pictures.Size / Math.Sqrt(WholeStep * over)) / SmallestSize * SmallestSize;
        throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
            $"a step on {batch} pictures of {pictures.Size} x {pictures.Size} pixels takes at least {bytes / (1 << 30):0} GB of memory{(configuration.Device == "cpu" ? $", and this machine has {memory >> 30} GB" : "")}. ")
            + (fits >= SmallestSize ? $"Give --image-size {fits} or less, or a smaller --batch." : "Give a smaller --batch."));
    }
}
