using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>Batch and layer normalization of [rows, channels]. Statistics need at least one row, and layer norm at least one channel.</summary>
static class NormalizationGeometries
{
    const float Epsilon = 1e-3f;

    public static IEnumerable<GeometryCase> All =>
    [
        new(nameof(Backend.GatherStatistics), s =>
        {
            var (rows, channels) = s.Matrix(someRows: true);
            var x = s.Values([rows, channels], 2f, 4f);
            var statistics = DrawnStatistics.Of(s, channels);
            s.Backend.GatherStatistics(x, statistics);
            DrawnStatistics.Expect(s, statistics, rows, () => Approximate.Exact(s.Initial(x)));
        }),
        new(nameof(Backend.BatchNorm), s =>
        {
            var (rows, channels) = s.Matrix();
            var norm = new ChannelNorm(s, channels);
            Shape shape = [rows, channels];
            Tensor y = s.Output(shape), x = s.Values(shape);
            Tensor? residual = s.Maybe(shape);
            var relu = s.Chance();

            // The output may overwrite the input or the residual.
            if (s.Chance(4)) x = y = s.InPlace(shape);
            else if (s.Chance(4)) residual = y = s.InPlace(shape);
            s.Backend.BatchNorm(x, new(norm.Mean, norm.Variance, Epsilon, norm.Gamma, norm.Beta, relu ? Activation.Relu : Activation.None), residual, y);
            s.Expect("y", y, () => [.. norm.Normalized(s.Initial(x)).Select((value, i) =>
            {
                var linear = value * norm.GammaAt(i) + norm.BetaAt(i) + (residual is null ? 0f : s.Initial(residual)[i]);
                return relu ? linear.Relu() : linear;
            })]);
        }),
        new(nameof(Backend.FoldBatchNorm), s =>
        {
            var channels = s.Noted(s.Extent(s.MostElements));
            var norm = new ChannelNorm(s, channels);
            Tensor scale = s.Output([channels]), shift = s.Output([channels]);
            s.Backend.FoldBatchNorm(norm.Mean, norm.Variance, Epsilon, norm.Gamma, norm.Beta, scale, shift);
            s.Expect("scale", scale, () => [.. norm.Rstd.Select((value, c) => value * norm.GammaAt(c))]);
            s.Expect("shift", shift, () => [.. norm.Rstd.Select((value, c) => norm.BetaAt(c) - s.Initial(norm.Mean)[c] * (value * norm.GammaAt(c)))]);
        }),
        new(nameof(Backend.BatchNormBackward), s =>
        {
            var (rows, channels) = s.Matrix();
            var norm = new ChannelNorm(s, channels);
            Shape shape = [rows, channels];
            Tensor dy = s.Values(shape), x = s.Values(shape);
            Tensor? output = s.Maybe(shape), dGamma = Wanted([channels]), dBeta = Wanted([channels]), dx = Wanted(shape), dResidual = Wanted(shape);

            // dx or dResidual may overwrite dy.
            if (s.Chance(4)) dx = dy = s.InPlace(shape);
            else if (s.Chance(4)) dResidual = dy = s.InPlace(shape);
            float[] upstream = s.Initial(dy), input = s.Initial(x);
            var batchStatistics = s.Chance();
            var neurons = channels > 0 && s.Chance() ? NeuronsBefore(s, channels, s.Chance(4)) : null;
            if (neurons is not null) dx ??= s.Output(shape);
            s.Backend.BatchNormBackward(dy, x, output, new(norm.Mean, norm.Variance, Epsilon, norm.Gamma, norm.Beta, output is null ? Activation.None : Activation.Relu), batchStatistics, neurons, dx, dGamma, dBeta, dResidual);

            Approximate[] g = [.. upstream.Select((value, i) => output is null || s.Initial(output)[i] > 0 ? (Approximate)value : 0)];
            var products = new Lazy<Approximate[]>(() => Normalization.SumsOf([.. g.Zip(norm.Normalized(input), (a, b) => a * b)], channels, i => i % channels));
            s.Expect("dResidual", dResidual, () => g);
            s.Expect("dBeta", dBeta, () => Normalization.SumsOf(g, channels, i => i % channels));
            s.Expect("dGamma", dGamma, () => products.Value);
            var d = new Lazy<Approximate[]>(() =>
            {
                Approximate[] scaled = [.. g.Select((value, i) => value * norm.GammaAt(i))];
                return batchStatistics ? Normalization.Gradient(scaled, norm.Normalized(input), norm.Rstd, i => i % channels) : [.. scaled.Select((value, i) => value * norm.Rstd[i % channels])];
            });
            var joined = new Lazy<(Approximate[] Dz, Approximate[] DLambda)>(() => QuadraticNeurons.Backward(d.Value, input, s.Initial(neurons!.Term.Lambda), neurons.Term.Layout, neurons.Term.Normalized, neurons.Detached));
            s.Expect("dx", dx, () => neurons is null ? d.Value : joined.Value.Dz);
            s.Expect("dLambda", neurons?.DLambda, () => joined.Value.DLambda);

            Tensor? Wanted(Shape of) => s.Chance(4) ? null : s.Output(of);
        }),
        new(nameof(Backend.BatchNormInputGradient), s =>
        {
            var (rows, channels) = s.Matrix();
            var norm = new ChannelNorm(s, channels);
            Shape shape = [rows, channels];
            Tensor g = s.Values(shape), x = s.Values(shape), dGamma = s.Values([channels]), dBeta = s.Values([channels]), dx = s.Output(shape);
            var neurons = channels > 0 && s.Chance() ? NeuronsBefore(s, channels, s.Chance(4)) : null;

            // dx may overwrite g if no neurons read neighboring elements.
            if (neurons is null && s.Chance()) dx = g = s.InPlace(shape);
            float[] gradient = s.Initial(g), input = s.Initial(x);
            s.Backend.BatchNormInputGradient(g, x, norm.Term(Activation.None), dGamma, dBeta, neurons, dx);
            var d = new Lazy<Approximate[]>(() => [.. norm.Normalized(input).Select((xhat, i) =>
                (gradient[i] - s.Initial(dBeta)[i % channels] / (Approximate)rows - xhat * (s.Initial(dGamma)[i % channels] / (Approximate)rows)) * norm.Rstd[i % channels] * norm.GammaAt(i))]);
            var joined = new Lazy<(Approximate[] Dz, Approximate[] DLambda)>(() => QuadraticNeurons.Backward(d.Value, input, s.Initial(neurons!.Term.Lambda), neurons.Term.Layout, neurons.Term.Normalized, neurons.Detached));
            s.Expect("dx", dx, () => neurons is null ? d.Value : joined.Value.Dz);
            s.Expect("dLambda", neurons?.DLambda, () => joined.Value.DLambda);
        }),
        new(nameof(Backend.LayerNorm), s =>
        {
            var (rows, channels) = s.Matrix(someChannels: true);
            Tensor x = s.Values([rows, channels], -1f, 3f), y = s.Output([rows, channels]), mean = s.Output([rows]), rstd = s.Output([rows]);
            Tensor? gamma = s.Maybe([channels]), beta = s.Maybe([channels]);
            s.Backend.LayerNorm(x, Epsilon, gamma, beta, y, mean, rstd);
            int Row(int i) => i / channels;
            var moments = new Lazy<(Approximate[] Mean, Approximate[] Variance)>(() => Normalization.Moments(Approximate.Exact(s.Initial(x)), rows, Row));
            s.Expect("mean", mean, () => moments.Value.Mean);
            s.Expect("rstd", rstd, () => Normalization.Rstd(moments.Value.Variance, Epsilon));
            s.Expect("y", y, () => [.. Normalization.Normalize(s.Initial(x), moments.Value.Mean, Normalization.Rstd(moments.Value.Variance, Epsilon), Row)
                .Select((value, i) => value * (gamma is null ? 1f : s.Initial(gamma)[i % channels]) + (beta is null ? 0f : s.Initial(beta)[i % channels]))]);
        }),
        new(nameof(Backend.LayerNormBackward), s =>
        {
            var (rows, channels) = s.Matrix(someChannels: true);
            Tensor dy = s.Values([rows, channels]), x = s.Values([rows, channels]), mean = s.Values([rows]), rstd = s.Values([rows], 0.5f, 2f);
            Tensor? gamma = s.Maybe([channels]), dx = s.Chance(4) ? null : s.Output([rows, channels]), dGamma = s.Chance(4) ? null : s.Output([channels]), dBeta = s.Chance(4) ? null : s.Output([channels]);
            s.Backend.LayerNormBackward(dy, x, mean, rstd, gamma, dx, dGamma, dBeta);
            int Row(int i) => i / channels;
            var deviations = Approximate.Exact(s.Initial(rstd));
            var normalized = new Lazy<Approximate[]>(() => Normalization.Normalize(s.Initial(x), Approximate.Exact(s.Initial(mean)), deviations, Row));
            s.Expect("dx", dx, () => Normalization.Gradient([.. s.Initial(dy).Select((value, i) => (Approximate)value * (gamma is null ? 1f : s.Initial(gamma)[i % channels]))], normalized.Value, deviations, Row));
            s.Expect("dGamma", dGamma, () => Normalization.SumsOf([.. s.Initial(dy).Zip(normalized.Value, (a, b) => a * b)], channels, i => i % channels));
            s.Expect("dBeta", dBeta, () => Normalization.SumsOf(Approximate.Exact(s.Initial(dy)), channels, i => i % channels));
        }),
    ];

    // Neurons whose backward joins the backward of the norm after them.
    static QuadraticGradient<Tensor> NeuronsBefore(Draw s, int channels, bool constant)
    {
        var layout = s.Noted(new NeuronLayout(channels, s.Extent(33)));
        return new(new(s.Values([layout.Coefficients]), layout, s.Chance()), s.Noted(s.Chance()), constant ? null : s.Output([layout.Coefficients]));
    }

    /// <summary>Statistics and parameters of a batch norm.</summary>
    internal sealed class ChannelNorm(Draw s, int channels)
    {
        public Tensor Mean { get; } = s.Values([channels]);

        public Tensor Variance { get; } = s.Values([channels], 0f, 2f);

        public Tensor? Gamma { get; } = s.Maybe([channels]);

        public Tensor? Beta { get; } = s.Maybe([channels]);

        public Approximate[] Rstd => rstd ??= Normalization.Rstd(Approximate.Exact(s.Initial(Variance)), Epsilon);

        Approximate[]? rstd;

        public Approximate[] Normalized(float[] x) => Normalization.Normalize(x, Approximate.Exact(s.Initial(Mean)), Rstd, i => i % channels);

        public Approximate GammaAt(int i) => Gamma is null ? 1f : s.Initial(Gamma)[i % channels];

        public NormTerm<Tensor> Term(Activation activation) => new(Mean, Variance, Epsilon, Gamma, Beta, activation);

        /// <summary>Returns the result of the batch norm.</summary>
        public Approximate[] Outputs(float[] x, bool relu) => [.. Normalized(x).Select((value, i) =>
        {
            var linear = value * GammaAt(i) + BetaAt(i);
            return relu ? linear.Relu() : linear;
        })];

        public Approximate BetaAt(int i) => Beta is null ? 0f : s.Initial(Beta)[i % channels];
    }
}
