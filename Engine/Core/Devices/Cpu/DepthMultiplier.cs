using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// Depthwise convolutions with several outputs for each input channel. The input is repeated, a copy for each output, so that every output has an input of its own and the tiles of depthwise
/// convolutions serve. The copies cost as much as writing the output once.
/// </summary>
static unsafe class DepthMultiplier
{
    /// <summary>Whether groups have one input and several outputs.</summary>
    public static bool Applies(ConvGeometry geometry) => geometry.Groups > 1 && geometry.InChannels == geometry.Groups && geometry.OutChannels > geometry.Groups;

    /// <summary>The same convolution of the repeated input.</summary>
    public static ConvGeometry OfRepeated(ConvGeometry geometry) => geometry with { InChannels = geometry.OutChannels, Groups = geometry.OutChannels };

    /// <summary>x with each channel as often as it has outputs: [N, H, W, outputs]. The caller disposes it.</summary>
    public static Operand Repeated(Operand x, ConvGeometry geometry)
    {
        var repeated = Empty(geometry);
        float* from = x.Pointer(), to = repeated.Pointer();
        int channels = geometry.InChannels, copies = geometry.OutChannels / channels;
        ForEachPixel(geometry, pixel => Repeat(from + (nint)pixel * channels, channels, copies, to + (nint)pixel * channels * copies));
        return repeated;
    }

    /// <summary>New memory of the size of the repeated input. The caller disposes it.</summary>
    public static Operand Empty(ConvGeometry geometry)
    {
        Shape shape = [geometry.Batch, geometry.Height, geometry.Width, geometry.OutChannels];
        var storage = new Storage(Device.Cpu, shape.Elements);
        return Operand.ToWriteNew(storage, storage.Resolve(), shape);
    }

    /// <summary>dx = the sum of the gradients of the copies of each channel, in order.</summary>
    public static void AddCopies(Operand ofRepeated, ConvGeometry geometry, Operand dx)
    {
        float* from = ofRepeated.Pointer(), to = dx.Pointer();
        int channels = geometry.InChannels, copies = geometry.OutChannels / channels;
        ForEachPixel(geometry, pixel => Add(from + (nint)pixel * channels * copies, channels, copies, to + (nint)pixel * channels));
    }

    static void ForEachPixel(ConvGeometry geometry, Action<int> body)
    {
        int pixels = geometry.Batch * geometry.Height * geometry.Width, perChunk = Math.Max(1, Sweep.Chunk / geometry.OutChannels);
        ThreadTeam.Run((pixels + perChunk - 1) / perChunk, chunk =>
        {
            for (int pixel = chunk * perChunk, end = Math.Min(pixels, pixel + perChunk); pixel < end; pixel++) body(pixel);
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Repeat(float* x, int channels, int copies, float* y)
    {
        for (var copy = 0; copy < copies; copy++)
            for (var c = 0; c < channels; c++) y[c * copies + copy] = x[c];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Add(float* x, int channels, int copies, float* y)
    {
        for (var c = 0; c < channels; c++, x += copies)
        {
            var sum = x[0];
            for (var copy = 1; copy < copies; copy++) sum += x[copy];
            y[c] = sum;
        }
    }
}
