namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    public override void GatherImages(ImageBytes set, IntTensor order, int first, RandomWindows windows, Tensor images, IntTensor labels)
    {
        int width = images.Shape[2], length = images.Length / Math.Max(1, labels.Length), levelCount = set.Levels.Length;
        var pixels = (byte*)set.Pixels.Pointer();
        int* classes = set.Labels.Pointer(), sequence = order.Pointer() + first, found = labels.Pointer();
        float* levels = set.Levels.Pointer(), result = images.Pointer();
        ThreadTeam.Run(labels.Length, n =>
        {
            var image = sequence[n];
            if (length > 0) windows.Of(image).Write(new(pixels + (nint)image * length, length), width, new(levels, levelCount), new(result + (nint)n * length, length));
            found[n] = classes[image];
        });
    }
}
