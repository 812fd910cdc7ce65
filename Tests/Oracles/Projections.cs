using QuadEngine.Devices;

namespace QuadEngine.Tests.Oracles;

/// <summary>Matrix product, convolution and its gradients as their sums are written, in double precision.</summary>
static class Projections
{
    /// <summary>y[i] = op(a[i]) op(b[i]).</summary>
    public static double[] MatMul(float[] a, float[] b, MatMulGeometry g)
    {
        var y = new double[g.Batch * g.M * g.N];
        for (var i = 0; i < g.Batch; i++)
            for (var m = 0; m < g.M; m++)
                for (var n = 0; n < g.N; n++)
                    for (var k = 0; k < g.K; k++)
                        y[(i * g.M + m) * g.N + n] += (double)a[i * g.StrideA + (g.TransposeA ? k * g.M + m : m * g.K + k)]
                            * b[i * g.StrideB + (g.TransposeB ? n * g.K + k : k * g.N + n)];
        return y;
    }

    /// <summary>y[n, oh, ow, co] = sum of x[n, ih, iw, ci] filter[kh, kw, ci, co].</summary>
    public static double[] Conv2d(float[] x, float[] filter, ConvGeometry geometry)
    {
        var y = new double[geometry.Rows * geometry.OutChannels];
        ForEachProduct(geometry, (inX, inFilter, inY) => y[inY] += (double)x[inX] * filter[inFilter]);
        return y;
    }

    public static double[] Conv2dInputGradient(float[] dy, float[] filter, ConvGeometry geometry)
    {
        var dx = new double[geometry.Batch * geometry.Height * geometry.Width * geometry.InChannels];
        ForEachProduct(geometry, (inX, inFilter, inY) => dx[inX] += (double)dy[inY] * filter[inFilter]);
        return dx;
    }

    public static double[] Conv2dFilterGradient(float[] x, float[] dy, ConvGeometry geometry)
    {
        var dFilter = new double[geometry.Window.Height * geometry.Window.Width * (geometry.InChannels / geometry.Groups) * geometry.OutChannels];
        ForEachProduct(geometry, (inX, inFilter, inY) => dFilter[inFilter] += (double)x[inX] * dy[inY]);
        return dFilter;
    }

    // Every product that the convolution sums, by the places of its factors and of its sum.
    static void ForEachProduct(ConvGeometry g, Action<int, int, int> product)
    {
        int inputs = g.InChannels / g.Groups, outputs = g.OutChannels / g.Groups;
        for (var n = 0; n < g.Batch; n++)
            for (var oh = 0; oh < g.OutHeight; oh++)
                for (var ow = 0; ow < g.OutWidth; ow++)
                    for (var kh = 0; kh < g.Window.Height; kh++)
                        for (var kw = 0; kw < g.Window.Width; kw++)
                        {
                            int ih = oh * g.Window.Stride + kh * g.Window.Dilation - g.Window.Padding, iw = ow * g.Window.Stride + kw * g.Window.Dilation - g.Window.Padding;
                            if (ih < 0 || ih >= g.Height || iw < 0 || iw >= g.Width) continue;
                            for (var co = 0; co < g.OutChannels; co++)
                                for (var ci = 0; ci < inputs; ci++)
                                    product(((n * g.Height + ih) * g.Width + iw) * g.InChannels + co / outputs * inputs + ci,
                                        ((kh * g.Window.Width + kw) * inputs + ci) * g.OutChannels + co,
                                        ((n * g.OutHeight + oh) * g.OutWidth + ow) * g.OutChannels + co);
                        }
    }
}
