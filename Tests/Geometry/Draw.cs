using QuadEngine.Devices;
using QuadEngine.Tests.Formats;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>
/// The geometry and the numbers of one call of a backend, drawn from a seed, with checks of its results. All tensors are in the middle of a storage.
/// A kernel must write all of its outputs, which hold NaN at first, and nothing else.
/// </summary>
/// <param name="device">The device of the call.</param>
/// <param name="seed">The seed, which always gives the same draw.</param>
/// <param name="tiny">Whether there are only a few elements, for the simulator.</param>
/// <param name="compare">Whether results are compared with the expected ones; else they are only kept.</param>
public sealed class Draw(Device device, int seed, bool tiny = false, bool compare = true) : IDisposable
{
    // Extents that kernels most often get wrong: 0, 1, primes, and powers of two with their neighbors.
    static readonly int[] Remarkable = [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 15, 16, 17, 23, 31, 32, 33, 47, 63, 64, 65, 97, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1009, 2047, 2048, 2049, 4093];

    // NaNs that no computation gives. They surround outputs and inputs.
    const int OutputGuard = 0x7FCABCDE, InputGuard = 0x7FC12345;
    const int Unwritten = int.MinValue + 77;

    // The generator takes one step for each number, so neighboring seeds would give neighboring parts of one sequence.
    readonly SplitMix64 bits = new(new SplitMix64((ulong)seed).Next());
    readonly List<(Tensor Part, Tensor Whole, float[] Initial, bool Written)> placed = [];
    readonly List<IntTensor> integers = [];
    readonly List<string> notes = [];
    readonly List<int[]> results = [];

    public Device Device => device;

    public Backend Backend => device.Backend;

    /// <summary>Whether the device is the CPU, where functions of single elements must have the bits of their scalar form.</summary>
    public bool IsCpu => ReferenceEquals(device, Device.Cpu);

    /// <summary>The geometry in words.</summary>
    public string Notes => string.Join(", ", notes);

    /// <summary>The largest error over its bound so far.</summary>
    public double Worst { get; private set; }

    /// <summary>The bits of all results, in their order.</summary>
    public IReadOnlyList<int[]> Results => results;

    /// <summary>The largest number of elements of a tensor, and of multiply-adds of a projection. A few draws have many.</summary>
    public int MostElements => tiny ? 60 : IsLarge ? 150_000 : seed % 25 == 3 ? 12_000 : 1_000;

    public int MostProducts => tiny ? 500 : IsLarge ? 1 << 24 : seed % 25 == 3 ? 1 << 18 : 1 << 13;

    /// <summary>The largest number of parameters of an optimizer: more than one launch of a GPU takes.</summary>
    public int MostTensors => tiny ? 3 : 40;

    bool IsLarge => !tiny && seed % 100 == 7;

    // ---- numbers

    public int Between(int low, int high) => low + bits.Below(high - low + 1);

    public bool Chance(int outOf = 2) => bits.Below(outOf) == 0;

    public T OneOf<T>(params ReadOnlySpan<T> choices) => choices[bits.Below(choices.Length)];

    public float Number(float low = -1f, float high = 1f) => low + (high - low) * (bits.Next() >> 40) * (1f / (1 << 24));

    /// <summary>Draws an extent up to a limit, usually one of the remarkable extents.</summary>
    public int Extent(int most)
    {
        if (most < 1) return 0;
        if (Chance(IsLarge ? 2 : 8)) return Between(1, most);
        var choices = 1;
        while (choices < Remarkable.Length && Remarkable[choices] <= most) choices++;

        // 0 in about one of fifteen draws, for any number of choices.
        return Chance(15) ? 0 : Remarkable[Between(1, choices - 1)];
    }

    /// <summary>Draws an extent that is not 0.</summary>
    public int Positive(int most) => Math.Max(1, Extent(most));

    /// <summary>Draws rows and channels with at most <see cref="MostElements"/> elements.</summary>
    public (int Rows, int Channels) Matrix(bool someRows = false, bool someChannels = false)
    {
        int rows, channels;
        if (Chance())
        {
            rows = Extent(MostElements);
            channels = Extent(MostElements / Math.Max(1, rows));
        }
        else
        {
            channels = Extent(MostElements);
            rows = Extent(MostElements / Math.Max(1, channels));
        }

        return Noted((Math.Max(rows, someRows ? 1 : 0), Math.Max(channels, someChannels ? 1 : 0)));
    }

    /// <summary>Adds a part of the geometry to messages.</summary>
    public T Noted<T>(T part)
    {
        notes.Add($"{part}");
        return part;
    }

    // ---- tensors

    public float[] Array(int length, float low = -1f, float high = 1f)
    {
        var values = new float[length];
        for (var i = 0; i < length; i++) values[i] = Number(low, high);
        return values;
    }

    /// <summary>Makes an input of random numbers.</summary>
    public Tensor Values(Shape shape, float low = -1f, float high = 1f) => Place(Array(shape.Elements, low, high), shape, InputGuard, written: false);

    /// <summary>Makes an input.</summary>
    public Tensor Values(float[] values, Shape shape) => Place(values, shape, InputGuard, written: false);

    public Tensor? Maybe(Shape shape, float low = -1f, float high = 1f) => Chance() ? Values(shape, low, high) : null;

    /// <summary>Makes an output, which is NaN until it is written.</summary>
    public Tensor Output(Shape shape) => Place([.. Enumerable.Repeat(float.NaN, shape.Elements)], shape, OutputGuard, written: true);

    /// <summary>Makes an input that the method overwrites with its result.</summary>
    public Tensor InPlace(Shape shape, float low = -1f, float high = 1f) => Place(Array(shape.Elements, low, high), shape, OutputGuard, written: true);

    /// <summary>Returns the initial values of a tensor.</summary>
    public float[] Initial(Tensor tensor) => placed.Find(place => ReferenceEquals(place.Part, tensor)).Initial;

    public IntTensor Integers(int[] values, Shape shape) => Owned(IntTensor.FromSpan(values, shape, device));

    public IntTensor Integers(int count, int below) => Integers([.. Enumerable.Range(0, count).Select(_ => bits.Below(below))], [count]);

    public IntTensor IntegerOutput(Shape shape) => Integers([.. Enumerable.Repeat(Unwritten, shape.Elements)], shape);

    Tensor Place(float[] values, Shape shape, int guard, bool written)
    {
        // Sometimes the tensor is at the start of the storage, where kernels may read four elements at once.
        int before = Chance(3) ? 0 : Between(1, 9), after = Between(1, 9);
        var around = BitConverter.Int32BitsToSingle(guard);
        var whole = Tensor.FromArray([.. Enumerable.Repeat(around, before), .. values, .. Enumerable.Repeat(around, after)], [before + values.Length + after], device);
        var part = whole.View(before, shape);
        placed.Add((part, whole, values, written));
        return part;
    }

    IntTensor Owned(IntTensor tensor)
    {
        integers.Add(tensor);
        return tensor;
    }

    // ---- results

    /// <summary>Checks that a result is within its error bound of the expected values. A result that was not requested is not checked.</summary>
    public void Expect(string name, Tensor? result, Func<Approximate[]> expected)
    {
        if (result is null) return;
        var got = Kept(result.ToArray());
        if (!compare) return;
        var wanted = expected();
        Assert.That(wanted, Has.Length.EqualTo(got.Length), $"{name}: the oracle's length");
        for (var i = 0; i < got.Length; i++)
        {
            var (value, bound) = wanted[i];
            if (double.IsNaN(value) ? float.IsNaN(got[i]) : got[i] == value) continue;
            var error = Math.Abs(got[i] - value);
            if (!(error <= bound)) Assert.Fail($"{name}: element {i} of {result.Shape} is {got[i]:G9}, expected {value:G9} within {bound:E1}");
            Worst = Math.Max(Worst, error / bound);
        }
    }

    /// <summary>Checks that a result equals the expected values exactly.</summary>
    public void ExpectExactly(string name, Tensor? result, Func<float[]> expected) => Expect(name, result, () => Approximate.Exact(expected()));

    /// <summary>Checks a function of single elements: its bits on the CPU; on other devices within some roundings of numbers of about 1.</summary>
    public void ExpectScalar(string name, Tensor? result, Func<IEnumerable<float>> expected) =>
        Expect(name, result, () => [.. expected().Select(value => new Approximate(value, IsCpu ? 0 : 32 * Approximate.Roundoff))]);

    /// <inheritdoc cref="ExpectExactly(string, Tensor?, Func{float[]})"/>
    public void Expect(string name, IntTensor result, Func<int[]> expected)
    {
        var got = result.ToArray();
        results.Add(got);
        if (compare) Assert.That(got, Is.EqualTo(expected()), name);
    }

    float[] Kept(float[] values)
    {
        results.Add(System.Array.ConvertAll(values, BitConverter.SingleToInt32Bits));
        return values;
    }

    /// <summary>Checks that nothing but outputs was written.</summary>
    public void CheckSurroundings()
    {
        foreach (var (part, whole, initial, written) in placed)
        {
            var all = System.Array.ConvertAll(whole.ToArray(), BitConverter.SingleToInt32Bits);
            int before = part.Offset, end = before + part.Length, guard = written ? OutputGuard : InputGuard;
            for (var i = 0; i < all.Length; i++)
            {
                var outside = i < before || i >= end;
                if (outside && all[i] != guard) Assert.Fail($"wrote {(i < before ? before - i : i - end + 1)} elements {(i < before ? "before" : "behind")} {(written ? "an output" : "an input")} of shape {part.Shape}");
                if (!outside && !written && all[i] != BitConverter.SingleToInt32Bits(initial[i - before])) Assert.Fail($"wrote element {i - before} of an input of shape {part.Shape}");
            }
        }
    }

    public void Dispose()
    {
        foreach (var (part, whole, _, _) in placed)
        {
            part.Dispose();
            whole.Dispose();
        }

        foreach (var tensor in integers) tensor.Dispose();
    }
}
