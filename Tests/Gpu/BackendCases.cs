using System.Reflection;
using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Tests.Gpu;

/// <summary>Every method of the backend with random arguments; the generic ones with every operation, found by reflection.</summary>
public static class BackendCases
{
    public static IEnumerable<BackendCase> All =>
    [
        .. Memory, .. Plain, .. Projections, .. Neurons, .. Norms, .. Losses, .. Pools, .. Random, .. Updates,
        .. ForEach(typeof(IUnaryOp<>), nameof(Backend.Unary), nameof(Unary)),
        .. ForEach(typeof(IUnaryOp<>), nameof(Backend.UnaryBackward), nameof(UnaryBackward)),
        .. ForEach(typeof(IBinaryOp<>), nameof(Backend.Binary), nameof(Binary)),
        .. ForEach(typeof(IBinaryOp<>), nameof(Backend.BinaryBackward), nameof(BinaryBackward)),
        .. ForEach(typeof(IBinaryOp<>), nameof(Backend.BinaryScalar), nameof(BinaryScalar)),
        .. ForEach(typeof(IBinaryOp<>), nameof(Backend.BinaryScalarBackward), nameof(BinaryScalarBackward)),
        .. ForEach(typeof(IReduction<>), nameof(Backend.Reduce), nameof(Reduce)),
    ];

    /// <summary>Structs of the engine that implement an operation interface.</summary>
    static IEnumerable<BackendCase> ForEach(Type contract, string method, string runner) =>
        from type in typeof(Backend).Assembly.GetTypes()
        where type is { IsValueType: true, ContainsGenericParameters: false } && type.GetInterfaces().Any(candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == contract)
        orderby type.Name
        select new BackendCase(method, type.Name, typeof(BackendCases).GetMethod(runner, BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(type).CreateDelegate<Action<Sample>>());

    // ---- element-wise and reductions. Arguments are positive: logarithms, powers and square roots are defined.

    static void Unary<TOp>(Sample s) where TOp : struct, IUnaryOp<TOp>
    {
        Shape shape = [s.Extent(), s.Extent()];
        Tensor x = s.Values(shape, 0.1f, 3f), y = s.Output(shape);
        s.Backend.Unary<TOp>(x, y);
        s.Backend.Unary<TOp>(x, x);
        s.Result("y", y);
        s.Result("in place", x);
    }

    static void UnaryBackward<TOp>(Sample s) where TOp : struct, IUnaryOp<TOp>
    {
        Shape shape = [s.Extent(), s.Extent()];
        Tensor x = s.Values(shape, 0.1f, 3f), y = s.Values(shape, 0.1f, 3f), dy = s.Values(shape), dx = s.Output(shape);
        s.Backend.UnaryBackward<TOp>(dy, Saved(TOp.Saves, Saves.Input, x), Saved(TOp.Saves, Saves.Output, y), dx);
        s.Result("dx", dx);
    }

    static void Binary<TOp>(Sample s) where TOp : struct, IBinaryOp<TOp>
    {
        var (shape, shapeA, shapeB) = Broadcast(s);
        Tensor a = s.Values(shapeA, 0.1f, 3f), b = s.Values(shapeB, 0.1f, 3f), y = s.Output(shape);
        s.Backend.Binary<TOp>(a, b, y);
        s.Result("y", y);
    }

    static void BinaryBackward<TOp>(Sample s) where TOp : struct, IBinaryOp<TOp>
    {
        var (shape, shapeA, shapeB) = Broadcast(s);
        Tensor a = s.Values(shapeA, 0.1f, 3f), b = s.Values(shapeB, 0.1f, 3f), y = s.Values(shape, 0.1f, 3f), dy = s.Values(shape);
        Tensor? da = s.Chance(3) ? null : s.Output(shape), db = s.Chance(3) ? null : s.Output(shape);
        s.Backend.BinaryBackward<TOp>(dy, Saved(TOp.Saves, Saves.Input, a), Saved(TOp.Saves, Saves.Input, b), Saved(TOp.Saves, Saves.Output, y), da, db);
        s.Result("da", da);
        s.Result("db", db);
    }

    static void BinaryScalar<TOp>(Sample s) where TOp : struct, IBinaryOp<TOp>
    {
        Shape shape = [s.Extent(), s.Extent()];
        Tensor x = s.Values(shape, 0.1f, 3f), y = s.Output(shape);
        s.Backend.BinaryScalar<TOp>(x, s.Number(0.5f, 2f), y);
        s.Result("y", y);
    }

    static void BinaryScalarBackward<TOp>(Sample s) where TOp : struct, IBinaryOp<TOp>
    {
        Shape shape = [s.Extent(), s.Extent()];
        Tensor x = s.Values(shape, 0.1f, 3f), y = s.Values(shape, 0.1f, 3f), dy = s.Values(shape), dx = s.Output(shape);
        s.Backend.BinaryScalarBackward<TOp>(dy, Saved(TOp.Saves, Saves.Input, x), s.Number(0.5f, 2f), Saved(TOp.Saves, Saves.Output, y), dx);
        s.Result("dx", dx);
    }

    static void Reduce<TOp>(Sample s) where TOp : struct, IReduction<TOp>
    {
        var (outer, n, inner) = Folded(s);
        Tensor x = s.Values([outer, n, inner]), y = s.Output([outer, inner]);
        s.Backend.Reduce<TOp>(x, outer, n, inner, y);
        s.Result("y", y);
    }

    static Tensor? Saved(Saves all, Saves flag, Tensor tensor) => (all & flag) != 0 ? tensor : null;

    static (Shape Shape, Shape A, Shape B) Broadcast(Sample s)
    {
        if (s.Chance(3)) return Same([s.Extent(), s.Extent()]);
        int[] extents = [s.Pick(1, 4), s.Pick(1, 5), s.Pick(1, 4), s.Extent(100)];
        return (extents, Operand(0), Operand(1));

        // Each axis is repeated in one operand at most; leading ones may be missing.
        int[] Operand(int which) => [.. extents[(which == 1 ? s.Pick(0, 2) : 0)..].Select(extent => s.Chance(4) && which == 1 ? 1 : extent)];

        static (Shape, Shape, Shape) Same(Shape shape) => (shape, shape, shape);
    }

    static (int Outer, int N, int Inner) Folded(Sample s) => s.Pick(1, 3) switch
    {
        1 => (s.Pick(1, 5), s.Extent(9000), 1),
        2 => (1, s.Extent(9000), s.Pick(1, 70)),
        _ => (s.Pick(1, 5), s.Pick(1, 50), s.Pick(1, 50)),
    };

    static IEnumerable<BackendCase> Plain =>
    [
        new(nameof(Backend.AddScaled), "", s =>
        {
            Shape shape = [s.Extent(3000)];
            Tensor x = s.Values(shape), y = s.Values(shape);
            s.Backend.AddScaled(s.Number(), x, s.Chance() ? 0f : s.Number(), y);
            s.Result("y", y);
        }),
        new(nameof(Backend.ArgMax), "", s =>
        {
            var (outer, n, inner) = Folded(s);
            using var x = Tensor.FromArray([.. s.Values([outer, n, inner]).ToArray().Select(value => MathF.Round(8 * value))], [outer, n, inner], s.Device);
            using var y = IntTensor.Empty([outer, inner], s.Device);
            s.Backend.ArgMax(x, outer, n, inner, y);
            s.Result("y", y);
        }, Tolerance: 0f),
        new(nameof(Backend.Norm), "", s =>
        {
            var tensors = Enumerable.Range(0, s.Pick(1, 40)).Select(_ => s.Values([s.Extent(6000)])).ToArray();
            var y = s.Output([]);
            s.Backend.Norm(tensors, y);
            s.Result("y", y);
        }),
    ];

    // ---- memory

    static IEnumerable<BackendCase> Memory =>
    [
        new(nameof(Backend.Fill), "", s =>
        {
            var y = s.Output([s.Extent(3000)]);
            s.Backend.Fill(y, s.Number());
            s.Result("y", y);
        }, Tolerance: 0f),
        new(nameof(Backend.Copy), "", s =>
        {
            Shape shape = [s.Extent(3000)];
            Tensor x = s.Values(shape), y = s.Output(shape);
            s.Backend.Copy(x, y);
            s.Result("y", y);
        }, Tolerance: 0f),
        new(nameof(Backend.CopyStrided), "", s =>
        {
            // A transpose in a random order, padded: y has one element more along its first axis.
            int[] extents = [.. Enumerable.Range(0, s.Pick(1, 5)).Select(_ => s.Pick(1, 9))];
            int[] order = [.. Enumerable.Range(0, extents.Length).OrderBy(_ => s.Pick(0, 1000))];
            int[] ordered = [.. order.Select(axis => extents[axis])];
            Shape from = extents, to = ordered, padded = to.With(0, ordered[0] + 1);
            Tensor x = s.Values(from), y = s.Values(padded);
            s.Backend.CopyStrided(x, 0, order.Select(axis => from.Strides()[axis]).ToArray(), to, padded.Strides()[0], padded.Strides(), y);
            s.Result("y", y);
        }, Tolerance: 0f),
        new(nameof(Backend.GatherImages), "", s =>
        {
            // Large images take several groups each; shifts reach beyond the image.
            int count = s.Pick(1, 9), height = s.Extent(90), width = s.Extent(90), channels = s.Pick(1, 4), batch = s.Pick(1, 20), first = s.Pick(0, 5);
            using var pixels = IntTensor.Empty([(count * height * width * channels + 3) / 4], s.Device);
            using (var target = pixels.Write()) s.Device.Upload(s.Bytes(count * height * width * channels), target);
            IntTensor order = s.Labels(first + batch + s.Pick(0, 3), count), labels = IntTensor.Empty([batch], s.Device);
            var images = s.Output([batch, height, width, channels]);
            var windows = s.Chance(3) ? default : new RandomWindows(Stream(s), s.Pick(0, 2) switch { 0 => 0, 1 => s.Pick(1, 4), _ => 2 * height }, s.Chance());
            s.Backend.GatherImages(new ImageBytes(pixels, s.Labels(count, 10), s.Values([channels, 256])), order, first, windows, images, labels);
            s.Result("images", images);
            s.Result("labels", labels);
        }, Tolerance: 0f),
    ];

    // ---- projections

    static IEnumerable<BackendCase> Projections =>
    [
        new(nameof(Backend.MatMul), "", s =>
        {
            // Now and then a sum so long that it is cut into slices.
            int m = s.Extent(300), n = s.Extent(150), k = s.Chance(4) ? s.Extent(1500) : s.Extent(150), batch = s.Chance(4) ? 3 : 1;
            var g = new MatMulGeometry(batch, m, n, k, s.Chance(), s.Chance(), m * k, s.Chance() ? 0 : k * n);
            Tensor a = s.Values([batch * m * k]), b = s.Values([(g.StrideB == 0 ? 1 : batch) * k * n]), y = s.Output([batch, m, n]);
            var epilogue = batch == 1 ? Epilogue(s, m, n) : default;
            s.Backend.MatMul(a, b, g, epilogue, y);
            s.Result("y", y);
            Results(s, epilogue.Statistics);
        }),
        new(nameof(Backend.Conv2d), "", s =>
        {
            var g = Convolution(s);
            Tensor x = s.Values(InputOf(g)), filter = s.Values(FilterOf(g)), y = s.Output(OutputOf(g));
            var epilogue = Epilogue(s, g.Rows, g.OutChannels);
            s.Backend.Conv2d(x, filter, g, epilogue, y);
            s.Result("y", y);
            Results(s, epilogue.Statistics);
        }),
        new(nameof(Backend.Conv2dInputGradient), "", s =>
        {
            var g = Convolution(s);
            Tensor dy = s.Values(OutputOf(g)), filter = s.Values(FilterOf(g)), dx = s.Output(InputOf(g));
            s.Backend.Conv2dInputGradient(dy, filter, g, dx);
            s.Result("dx", dx);
        }),
        new(nameof(Backend.Conv2dFilterGradient), "", s =>
        {
            var g = Convolution(s);
            Tensor x = s.Values(InputOf(g)), dy = s.Values(OutputOf(g)), dFilter = s.Output(FilterOf(g));
            s.Backend.Conv2dFilterGradient(x, dy, g, dFilter);
            s.Result("dFilter", dFilter);
        }),
    ];

    static ConvGeometry Convolution(Sample s)
    {
        // Channels that vectors divide and ones that they do not; one tap and many; groups now and then.
        int size = s.Pick(1, 3), stride = s.Pick(1, 3), padding = s.Pick(0, 2), dilation = s.Chance(4) ? 2 : 1, groups = s.Chance(4) ? 2 : 1;
        int height = dilation * (size - 1) + s.Pick(1, 9), width = dilation * (size - 1) + s.Pick(1, 9);
        return new ConvGeometry(s.Pick(1, 3), height, width, groups * Channels(), groups * Channels(), new Window(size, size, stride, padding, dilation), groups);

        int Channels() => s.Chance() ? 4 * s.Pick(1, 10) : s.Extent(70);
    }

    static Shape InputOf(ConvGeometry g) => [g.Batch, g.Height, g.Width, g.InChannels];

    static Shape FilterOf(ConvGeometry g) => [g.Window.Height, g.Window.Width, g.InChannels / g.Groups, g.OutChannels];

    static Shape OutputOf(ConvGeometry g) => [g.Batch, g.OutHeight, g.OutWidth, g.OutChannels];

    internal static Epilogue<Tensor> Epilogue(Sample s, int rows, int channels)
    {
        if (s.Chance(4)) return default;
        var layout = new NeuronLayout(channels, s.Pick(0, 9));
        var affine = s.Chance();
        return new Epilogue<Tensor>
        {
            Bias = s.Maybe([channels]),
            Quadratic = s.Chance() ? new QuadraticTerm<Tensor>(s.Values([layout.Coefficients]), layout, s.Chance()) : null,
            Statistics = rows > 1 && s.Chance() ? Statistics(s, channels) : null,
            Scale = affine ? s.Values([channels]) : null,
            Shift = affine ? s.Values([channels]) : null,
            Residual = s.Maybe([rows, channels]),
            Activation = s.Chance() ? Activation.Relu : Activation.None,
        };
    }

    static ChannelStatistics<Tensor> Statistics(Sample s, int channels) =>
        new(s.Output([channels]), s.Output([channels]), s.Maybe([channels]), s.Maybe([channels], 0.5f, 1f), s.Number(0f));

    internal static void Results(Sample s, ChannelStatistics<Tensor>? statistics)
    {
        s.Result("mean", statistics?.Mean);
        s.Result("variance", statistics?.Variance);
        s.Result("running mean", statistics?.RunningMean);
        s.Result("running variance", statistics?.RunningVariance);
    }

    // ---- quadratic neurons

    static IEnumerable<BackendCase> Neurons =>
    [
        new(nameof(Backend.Quadratic), "", s =>
        {
            var (layout, shape) = Layout(s);
            Tensor z = s.Values(shape), y = s.Output(shape);
            var term = new QuadraticTerm<Tensor>(s.Values([layout.Coefficients]), layout, s.Chance());
            s.Backend.Quadratic(z, term, y);
            s.Backend.Quadratic(z, term, z);
            s.Result("y", y);
            s.Result("in place", z);
        }),
        new(nameof(Backend.QuadraticBackward), "", s =>
        {
            var (layout, shape) = Layout(s);
            Tensor dy = s.Values(shape), y = s.Values(shape), dz = s.Chance() ? dy : s.Output(shape);
            var gradient = Gradient(s, layout);
            s.Backend.QuadraticBackward(dy, y, gradient, dz);
            s.Result("dz", dz);
            s.Result("dLambda", gradient.DLambda);
        }),
    ];

    static QuadraticGradient<Tensor> Gradient(Sample s, NeuronLayout layout) =>
        new(new(s.Values([layout.Coefficients]), layout, s.Chance()), s.Chance(4), s.Chance(4) ? null : s.Output([layout.Coefficients]));

    static (NeuronLayout, Shape) Layout(Sample s)
    {
        var layout = new NeuronLayout(s.Extent(130), s.Pick(0, 16));
        return (layout, [s.Extent(2000), layout.Channels]);
    }

    // ---- normalisation

    static IEnumerable<BackendCase> Norms =>
    [
        new(nameof(Backend.GatherStatistics), "", s =>
        {
            Shape shape = [s.Extent(9000) + 1, s.Extent(70)];
            var statistics = Statistics(s, shape[1]);
            s.Backend.GatherStatistics(s.Values(shape, 9f, 11f), statistics);
            Results(s, statistics);
        }),
        new(nameof(Backend.BatchNorm), "", s =>
        {
            Shape shape = [s.Extent(2000), s.Extent(70)], channels = [shape[1]];
            Tensor x = s.Values(shape), y = s.Output(shape), mean = s.Values(channels), variance = s.Values(channels, 0.5f, 2f);
            s.Backend.BatchNorm(x, new(mean, variance, 1e-5f, s.Maybe(channels), s.Maybe(channels), s.Chance() ? Activation.Relu : Activation.None), s.Maybe(shape), y);
            s.Result("y", y);
        }),
        new(nameof(Backend.BatchNormBackward), "", s =>
        {
            Shape shape = [s.Extent(2000), s.Extent(70)], channels = [shape[1]];
            Tensor dy = s.Values(shape), x = s.Values(shape), mean = s.Values(channels), variance = s.Values(channels, 0.5f, 2f);
            Tensor? dx = Wanted(shape), dGamma = Wanted(channels), dBeta = Wanted(channels), dResidual = Wanted(shape);
            s.Backend.BatchNormBackward(dy, x, s.Maybe(shape), new(mean, variance, 1e-5f, s.Maybe(channels), s.Maybe(channels), s.Chance() ? Activation.Relu : Activation.None), s.Chance(), null, dx, dGamma, dBeta, dResidual);
            s.Result("dx", dx);
            s.Result("dGamma", dGamma);
            s.Result("dBeta", dBeta);
            s.Result("dResidual", dResidual);

            Tensor? Wanted(Shape of) => s.Chance(4) ? null : s.Output(of);
        }, Tolerance: 3e-4f),
        new(nameof(Backend.BatchNormInputGradient), "", s =>
        {
            var (layout, shape) = Layout(s);
            Shape channels = [shape[1]];
            Tensor g = s.Values(shape), x = s.Values(shape), mean = s.Values(channels), variance = s.Values(channels, 0.5f, 2f), dGamma = s.Values(channels), dBeta = s.Values(channels);
            var neurons = s.Chance() ? Gradient(s, layout) : null;
            var dx = neurons is null && s.Chance() ? g : s.Output(shape);
            s.Backend.BatchNormInputGradient(g, x, new(mean, variance, 1e-5f, s.Maybe(channels), s.Maybe(channels), Activation.None), dGamma, dBeta, neurons, dx);
            s.Result("dx", dx);
            s.Result("dLambda", neurons?.DLambda);
        }, Tolerance: 3e-4f),
        new(nameof(Backend.BatchNormBackward), "behind neurons", s =>
        {
            var (layout, shape) = Layout(s);
            Shape channels = [shape[1]];
            Tensor dy = s.Values(shape), x = s.Values(shape), mean = s.Values(channels), variance = s.Values(channels, 0.5f, 2f), dGamma = s.Output(channels), dBeta = s.Output(channels);

            // What is written may lie over dy.
            Tensor dx = s.Chance() ? dy : s.Output(shape);
            var dResidual = s.Chance() ? null : !ReferenceEquals(dx, dy) && s.Chance() ? dy : s.Output(shape);
            var gradient = Gradient(s, layout);
            s.Backend.BatchNormBackward(dy, x, s.Maybe(shape), new(mean, variance, 1e-5f, s.Maybe(channels), s.Maybe(channels), s.Chance() ? Activation.Relu : Activation.None), s.Chance(), gradient, dx, dGamma, dBeta, dResidual);
            s.Result("dz", dx);
            s.Result("dLambda", gradient.DLambda);
            s.Result("dGamma", dGamma);
            s.Result("dBeta", dBeta);
            s.Result("dResidual", dResidual);
        }, Tolerance: 3e-4f),
        new(nameof(Backend.LayerNorm), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(700) + 1], channels = [shape[1]];
            Tensor y = s.Output(shape), mean = s.Output([shape[0]]), rstd = s.Output([shape[0]]);
            s.Backend.LayerNorm(s.Values(shape), 1e-3f, s.Maybe(channels), s.Maybe(channels), y, mean, rstd);
            s.Result("y", y);
            s.Result("mean", mean);
            s.Result("rstd", rstd);
        }),
        new(nameof(Backend.LayerNormBackward), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(300)], channels = [shape[1]], rows = [shape[0]];
            Tensor dx = s.Output(shape), dGamma = s.Output(channels), dBeta = s.Output(channels);
            s.Backend.LayerNormBackward(s.Values(shape), s.Values(shape), s.Values(rows), s.Values(rows, 0.5f, 2f), s.Maybe(channels), dx, dGamma, dBeta);
            s.Result("dx", dx);
            s.Result("dGamma", dGamma);
            s.Result("dBeta", dBeta);
        }),
    ];

    // ---- softmax and losses

    static IEnumerable<BackendCase> Losses =>
    [
        new(nameof(Backend.Softmax), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(1100)];
            Tensor x = s.Values(shape, -9f, 9f), y = s.Output(shape);
            s.Backend.Softmax(x, s.Chance(), y);
            s.Result("y", y);
        }),
        new(nameof(Backend.SoftmaxBackward), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(1100)];
            Tensor dy = s.Values(shape), y = s.Values(shape);
            s.Backend.SoftmaxBackward(dy, y, s.Chance(), dy);
            s.Result("dx", dy);
        }),
        new(nameof(Backend.CrossEntropy), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(300)];
            Tensor probabilities = s.Output(shape), losses = s.Output([shape[0]]);
            s.Backend.CrossEntropy(s.Values(shape, -9f, 9f), s.Labels(shape[0], shape[1]), s.Chance() ? 0f : 0.1f, probabilities, losses);
            s.Result("probabilities", probabilities);
            s.Result("losses", losses);
        }),
        new(nameof(Backend.CrossEntropyBackward), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(300)];
            var probabilities = s.Values(shape, 0f);
            s.Backend.CrossEntropyBackward(s.Values([shape[0]]), probabilities, s.Labels(shape[0], shape[1]), s.Chance() ? 0f : 0.1f, probabilities);
            s.Result("dLogits", probabilities);
        }),
    ];

    // ---- pooling

    static IEnumerable<BackendCase> Pools =>
    [
        new(nameof(Backend.MaxPool), "", s =>
        {
            var g = Pool(s);
            using var x = Tensor.FromArray([.. s.Values(InputOf(g)).ToArray().Select(value => MathF.Round(4 * value))], InputOf(g), s.Device);
            var y = s.Output(OutputOf(g));
            using var indices = IntTensor.Empty(y.Shape, s.Device);
            s.Backend.MaxPool(x, g, y, indices);
            s.Result("y", y);
            s.Result("indices", indices);
        }, Tolerance: 0f),
        new(nameof(Backend.MaxPoolBackward), "", s =>
        {
            var g = Pool(s);
            Tensor y = s.Output(OutputOf(g)), dx = s.Output(InputOf(g));
            using var indices = IntTensor.Empty(y.Shape, s.Device);
            s.Backend.MaxPool(s.Values(InputOf(g)), g, y, indices);
            s.Backend.MaxPoolBackward(s.Values(OutputOf(g)), indices, g, dx);
            s.Result("dx", dx);
        }),
        new(nameof(Backend.AveragePool), "", s =>
        {
            var g = Pool(s);
            var y = s.Output(OutputOf(g));
            s.Backend.AveragePool(s.Values(InputOf(g)), g, y);
            s.Result("y", y);
        }),
        new(nameof(Backend.AveragePoolBackward), "", s =>
        {
            var g = Pool(s);
            var dx = s.Output(InputOf(g));
            s.Backend.AveragePoolBackward(s.Values(OutputOf(g)), g, dx);
            s.Result("dx", dx);
        }),
    ];

    static PoolGeometry Pool(Sample s)
    {
        int size = s.Pick(1, 4), dilation = s.Chance(4) ? 2 : 1, span = dilation * (size - 1) + 1;
        return new PoolGeometry(s.Pick(1, 3), span + s.Pick(0, 9), span + s.Pick(0, 9), s.Extent(40), new Window(size, size, s.Pick(1, 3), s.Pick(0, size / 2), dilation));
    }

    static Shape InputOf(PoolGeometry g) => [g.Batch, g.Height, g.Width, g.Channels];

    static Shape OutputOf(PoolGeometry g) => [g.Batch, g.OutHeight, g.OutWidth, g.Channels];

    // ---- random numbers

    static IEnumerable<BackendCase> Random =>
    [
        new(nameof(Backend.Uniform), "", s =>
        {
            var y = s.Output([s.Extent(3000)]);
            s.Backend.Uniform(y, Stream(s), 0f, 1f);
            s.Result("y", y);
        }, Tolerance: 0f),
        new(nameof(Backend.Normal), "", s =>
        {
            var y = s.Output([s.Extent(3000)]);
            s.Backend.Normal(y, Stream(s), 1f, 2f);
            s.Result("y", y);
        }, Tolerance: 1e-5f),
        new(nameof(Backend.Dropout), "", s =>
        {
            Shape shape = [s.Extent(3000)];
            Tensor x = s.Values(shape), y = s.Output(shape);
            s.Backend.Dropout(x, Stream(s), 0.3f, y);
            s.Result("y", y);
        }, Tolerance: 1e-6f),
    ];

    static RandomStream Stream(Sample s) => new((ulong)s.Pick(0, 1 << 20), (ulong)s.Pick(0, 1 << 20) << 30);

    // ---- optimizers

    static IEnumerable<BackendCase> Updates =>
    [
        new(nameof(Backend.Sgd), "", s =>
        {
            var (w, dw, v, _) = Parameters(s);
            var momentum = s.Chance();
            var leftOut = Tensor.Scalar(s.Pick(0, 2), s.Device);
            s.Backend.Sgd(w, dw, momentum ? v : [], new SgdStep(0.1f, momentum ? 0.9f : 0f, 0.1f, 1e-2f, momentum && s.Chance(), s.Pick(1, 4)), GradientScale(s), leftOut);
            Results(s, w, v, [leftOut]);
        }),
        new(nameof(Backend.AdamW), "", s =>
        {
            var (w, dw, m, v) = Parameters(s);
            var leftOut = Tensor.Scalar(s.Pick(0, 2), s.Device);
            s.Backend.AdamW(w, dw, m, v, new AdamStep(0.01f, 0.9f, 0.999f, 1e-8f, 0.1f, s.Pick(3, 9)), GradientScale(s), leftOut);
            Results(s, w, m, v, [leftOut]);
        }),
    ];

    static Tensor? GradientScale(Sample s) => s.Pick(0, 4) switch { 0 => null, 1 => Tensor.Zeros([], s.Device), 2 => Tensor.Full([], float.NaN, s.Device), _ => s.Values([], 0.1f, 2f) };

    static (Tensor[] W, Tensor[] Dw, Tensor[] M, Tensor[] V) Parameters(Sample s)
    {
        int[] lengths = [.. Enumerable.Range(0, s.Pick(1, 40)).Select(_ => s.Extent(3000))];
        return (Of(-1f), Of(-1f), Of(-1f), Of(0.1f));

        Tensor[] Of(float low) => [.. lengths.Select(length => s.Values([length], low))];
    }

    static void Results(Sample s, params Tensor[][] groups)
    {
        foreach (var tensor in groups.SelectMany(group => group)) s.Result("parameters and state", tensor);
    }
}
