namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuKernels
{
    public override void GatherImages(Operand pixels, Operand classes, Operand levels, Operand order, int first, RandomWindows windows, Operand images, Operand labels)
    {
        int width = images.Shape[2], length = images.Length / Math.Max(1, labels.Length), levelCount = levels.Length;
        var bytes = (byte*)pixels.Pointer();
        int* known = classes.Integers(), sequence = order.Integers() + first, found = labels.Integers();
        float* table = levels.Pointer(), result = images.Pointer();
        ThreadTeam.Run(labels.Length, n =>
        {
            var image = sequence[n];
            if (length > 0) windows.Of(image).Write(new(bytes + (nint)image * length, length), width, new(table, levelCount), new(result + (nint)n * length, length));
            found[n] = known[image];
        });
    }
}
