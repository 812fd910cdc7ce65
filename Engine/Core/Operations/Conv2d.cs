using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>
    /// Two-dimensional convolution (a cross-correlation, as in every framework), channels last:
    ///   y[n, oh, ow, co] = b[co] + sum_{kh, kw, ci} x[n, oh stride + kh dilation - padding, ow stride + kw dilation - padding, ci] w[kh, kw, ci, co]
    /// With groups, the output channels of group g read the input channels of group g. If groups = Cin, the convolution is depthwise.
    /// Backward: dx is the transposed convolution of dy, dw correlates x with dy, and db sums dy over all pixels.
    /// </summary>
    /// <param name="filter">w: [kH, kW, Cin / groups, Cout]; this tensor is x: [N, H, W, Cin].</param>
    /// <param name="bias">b: [Cout], or null.</param>
    /// <param name="stride">The step of the window, 1 or more.</param>
    /// <param name="padding">The number of zeros added on every side.</param>
    /// <param name="dilation">The step within the window, 1 or more.</param>
    /// <param name="groups">The number of groups; it divides Cin and Cout.</param>
    /// <returns>[N, (H + 2 padding - dilation (kH - 1) - 1) / stride + 1, ..., Cout]</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public Tensor Conv2d(Tensor filter, Tensor? bias = null, int stride = 1, int padding = 0, int dilation = 1, int groups = 1) => Conv2dOp.Apply(this, filter, bias, stride, padding, dilation, groups);
}

/// <summary>See <see cref="Tensor.Conv2d"/>.</summary>
static class Conv2dOp
{
    public static Tensor Apply(Tensor x, Tensor filter, Tensor? bias = null, int stride = 1, int padding = 0, int dilation = 1, int groups = 1)
    {
        var geometry = Geometry(x, filter, bias, stride, padding, dilation, groups);
        var y = DeferredProjection.Project([geometry.Batch, geometry.OutHeight, geometry.OutWidth, geometry.OutChannels], x, filter, bias, x.Device.Kernels.NormalizesWhatItConvolves(geometry),
            (kernels, x, norm, filter, in epilogue, y) =>
            {
                MultiplyAddCounter.Add(geometry.MultiplyAdds);
                if (norm is null) kernels.Conv2d(x, filter, geometry, epilogue, y);
                else kernels.NormalizeAndConv2d(x, norm, filter, geometry, epilogue, y);
            });
        return y.WithBackward(nameof(Tensor.Conv2d), [x, filter, bias], [x, filter], new Conv2dBackward(geometry).Run);
    }

    static ConvGeometry Geometry(Tensor x, Tensor filter, Tensor? bias, int stride, int padding, int dilation, int groups)
    {
        Check.SameDevice(nameof(Tensor.Conv2d), x, filter);
        Check.That(filter.Rank == 4, nameof(Tensor.Conv2d), $"the filter must be [kH, kW, Cin / groups, Cout], not {filter.Shape}.");
        var window = new Window(filter.Shape[0], filter.Shape[1], stride, padding, dilation);
        window.Check(nameof(Tensor.Conv2d), x.Shape);
        int inChannels = x.Shape[3], outChannels = filter.Shape[3];
        Check.That(groups > 0 && inChannels % groups == 0 && outChannels % groups == 0, nameof(Tensor.Conv2d),
            $"{groups} groups do not divide {inChannels} input and {outChannels} output channels; use a common divisor.");
        Check.That(filter.Shape[2] * groups == inChannels, nameof(Tensor.Conv2d),
            $"input has {inChannels} channels (shape {x.Shape}) but the filter expects {filter.Shape[2] * groups} (shape {filter.Shape}, {groups} groups). The input is [N, H, W, C]; if yours is [N, C, H, W], call ToChannelsLast().");
        Check.That(bias is null || bias.Rank == 1 && bias.Length == outChannels, nameof(Tensor.Conv2d), $"the bias has shape {bias?.Shape}; it must be [{outChannels}], one for each output channel.");
        return new ConvGeometry(x.Shape[0], x.Shape[1], x.Shape[2], inChannels, outChannels, window, groups);
    }
}

/// <summary>The backward of a convolution, and of the batch norm before it if it joins.</summary>
sealed record Conv2dBackward(ConvGeometry Geometry, BatchNormBackward? Norm = null)
{
    /// <summary>Returns the gradients of [x, filter, bias]; saved is [x, filter]. What a batch norm saved follows there, and the gradients of its parameters follow in the result.</summary>
    public Tensor?[] Run(Tensor dy, Saved saved)
    {
        var (x, filter) = saved;
        Tensor? dFilter = saved.IfNeeded(1, () => FilterGradient(dy, x, filter)), dBias = saved.IfNeeded(2, () => dy.Sum([0, 1, 2]));
        if (Norm is null) return [saved.IfNeeded(0, () => InputGradient(dy, x, filter)), dFilter, dBias];
        var before = Norm.RunThrough(dy, filter, Geometry, saved.OfFirst(2, inputs: 3));
        return [before[0], dFilter, dBias, .. before[1..]];
    }

    /// <summary>Whether the device does not write the result of a batch norm before the convolution, and computes the sums of its backward together with the input gradient.</summary>
    public bool NormalizesOn(Device device) => device.Kernels.NormalizesWhatItConvolves(Geometry);

    Tensor InputGradient(Tensor dy, Tensor x, Tensor filter)
    {
        MultiplyAddCounter.Add(Geometry.MultiplyAdds);
        var dx = Tensor.Like(x);
        dy.Device.Backend.Conv2dInputGradient(dy, filter, Geometry, dx);
        return dx;
    }

    // If x is a batch norm that was never written, because the convolution normalized what it read, the filter gradient does so too.
    Tensor FilterGradient(Tensor dy, Tensor x, Tensor filter)
    {
        MultiplyAddCounter.Add(Geometry.MultiplyAdds);
        var dFilter = Tensor.Like(filter);
        var norm = NormalizesOn(x.Device) ? DeferredNormalization.Before(x) : null;
        if (norm is null)
        {
            dy.Device.Backend.Conv2dFilterGradient(x, dy, Geometry, dFilter);
            return dFilter;
        }

        try
        {
            while (true)
            {
                using var held = new Held();
                var input = norm.ReadInput(held, out var term);
                dy.Device.Kernels.NormalizeAndConv2dFilterGradient(input, term, held.Read(dy), Geometry, held.Write(dFilter));
                if (held.AreCurrent) return dFilter;
            }
        }
        finally
        {
            norm.Release();
        }
    }
}
