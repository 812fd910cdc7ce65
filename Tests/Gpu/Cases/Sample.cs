using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

/// <summary>
/// Random arguments of one call of a backend. Two samples with the same seed on two devices draw the same numbers, so one case
/// runs on both devices and its results can be compared.
/// </summary>
/// <param name="device">The device of the call.</param>
/// <param name="seed">The seed of the numbers.</param>
/// <param name="tiny">Whether extents are tiny, for the simulator.</param>
/// <param name="round">The function that is applied to every value, e.g. rounding to a format.</param>
/// <param name="aligned">Whether all tensors start where four elements may be read at once, which tensor cores require; else half of them do.</param>
public sealed class Sample(Device device, int seed, bool tiny, Func<float, float>? round = null, bool aligned = false)
{
    readonly List<(string Name, float[] Values)> results = [];
    int questions;

    public Device Device => device;

    public Backend Backend => device.Backend;

    public IReadOnlyList<(string Name, float[] Values)> Results => results;

    public bool Chance(int outOf = 2) => Pick(1, outOf) == 1;

    public int Pick(int low, int high) => low + (int)(Bits(questions++, 0) % (uint)(high - low + 1));

    /// <summary>Draws an extent: usually small, sometimes large enough for several groups of threads.</summary>
    public int Extent(int large = 700) => tiny ? Pick(1, 5) : Chance(4) ? Pick(1, large) : Pick(1, 40);

    public float Number(float low = -1f, float high = 1f) => low + (high - low) * Philox.ToUnit(Bits(questions++, 0));

    /// <summary>Draws numbers in [low, high) in the middle of a storage, at an address without alignment for vectors.</summary>
    public Tensor Values(Shape shape, float low = -1f, float high = 1f)
    {
        var question = questions++;
        var values = new float[shape.Elements];
        for (var i = 0; i < values.Length; i++) values[i] = Round(low + (high - low) * Philox.ToUnit(Bits(question, i)));
        return Place(values, shape);
    }

    public Tensor? Maybe(Shape shape, float low = -1f, float high = 1f) => Chance() ? Values(shape, low, high) : null;

    public IntTensor Labels(int count, int classes)
    {
        var question = questions++;
        return IntTensor.FromArray([.. Enumerable.Range(0, count).Select(i => (int)(Bits(question, i) % (uint)classes))], device);
    }

    public byte[] Bytes(int count)
    {
        var question = questions++;
        return [.. Enumerable.Range(0, count).Select(i => (byte)Bits(question, i))];
    }

    /// <summary>Makes a tensor for a result. It is full of NaN, so that a missing element is found.</summary>
    public Tensor Output(Shape shape) => Place([.. Enumerable.Repeat(float.NaN, shape.Elements)], shape);

    public void Result(string name, Tensor? tensor)
    {
        if (tensor is not null) results.Add((name, tensor.ToArray()));
    }

    public void Result(string name, IntTensor tensor) => results.Add((name, [.. tensor.ToArray().Select(value => (float)value)]));

    float Round(float value) => round is null ? value : round(value);

    // Sometimes the tensor is at the start of a storage, where kernels may read four elements at once.
    Tensor Place(float[] values, Shape shape)
    {
        var before = Chance() || aligned ? 0 : Pick(1, 9);
        using var storage = Tensor.FromArray([.. new float[before], .. values, .. new float[5]], [before + values.Length + 5], device);
        return storage.View(before, shape);
    }

    uint Bits(int question, int index) => Philox.At((ulong)seed, (ulong)question, (ulong)index).X;

    /// <summary>Runs a case on two devices and returns the results of both.</summary>
    public static IEnumerable<(string Name, float[] Expected, float[] Got)> Run(BackendCase testCase, Device expectedOn, Device gotOn, int seed, bool tiny = false, Func<float, float>? round = null, bool aligned = false)
    {
        Sample expected = new(expectedOn, seed, tiny, round, aligned), got = new(gotOn, seed, tiny, round, aligned);
        testCase.Run(expected);
        testCase.Run(got);
        return expected.Results.Zip(got.Results, (wanted, result) => (wanted.Name, wanted.Values, result.Values));
    }
}
