using QuadEngine.Devices;

namespace QuadEngine.Tests.Oracles;

/// <summary>Matrix product, convolution and its gradients by their defining sums, in double precision.</summary>
static class Projections
{
    /// <summary>The places of the factors of each product, and the sum that it belongs to.</summary>
    interface IProducts
    {
        void ForEach<TSum>(TSum sum) where TSum : struct, ISum;
    }

    interface ISum
    {
        void Add(int left, int right, int y);
    }

    /// <summary>y[i] = op(a[i]) op(b[i]).</summary>
    public static Approximate[] MatMul(float[] a, float[] b, MatMulGeometry g) => Sums(new MatrixProducts(g), a, b, g.Batch * g.M * g.N, g.K);

    /// <summary>y[n, oh, ow, co] = sum of x[n, ih, iw, ci] filter[kh, kw, ci, co].</summary>
    public static Approximate[] Conv2d(float[] x, float[] filter, ConvGeometry g) =>
        Sums(new Convolution(g, Part.Output), x, filter, g.Rows * g.OutChannels, Taps(g) * (g.InChannels / g.Groups));

    public static Approximate[] Conv2dInputGradient(float[] dy, float[] filter, ConvGeometry g) =>
        Sums(new Convolution(g, Part.Input), dy, filter, g.Batch * g.Height * g.Width * g.InChannels, Taps(g) * (g.OutChannels / g.Groups));

    public static Approximate[] Conv2dFilterGradient(float[] x, float[] dy, ConvGeometry g) =>
        Sums(new Convolution(g, Part.Filter), x, dy, Taps(g) * (g.InChannels / g.Groups) * g.OutChannels, g.Rows);

    static int Taps(ConvGeometry g) => g.Window.Height * g.Window.Width;

    // A term is rounded as a product, and at every addition after it.
    static Approximate[] Sums<TProducts>(TProducts products, float[] left, float[] right, int count, int terms) where TProducts : struct, IProducts
    {
        double[] sums = new double[count], sizes = new double[count];
        products.ForEach(new SumOfProducts(left, right, sums, sizes));
        return [.. sums.Zip(sizes, (sum, size) => Approximate.OfTerms(sum, size, terms + 1L))];
    }

    readonly struct SumOfProducts(float[] left, float[] right, double[] sums, double[] sizes) : ISum
    {
        public void Add(int inLeft, int inRight, int y)
        {
            var product = (double)left[inLeft] * right[inRight];
            sums[y] += product;
            sizes[y] += Math.Abs(product);
        }
    }

    readonly struct MatrixProducts(MatMulGeometry g) : IProducts
    {
        public void ForEach<TSum>(TSum sum) where TSum : struct, ISum
        {
            for (var i = 0; i < g.Batch; i++)
                for (var m = 0; m < g.M; m++)
                    for (var k = 0; k < g.K; k++)
                        for (var n = 0; n < g.N; n++)
                            sum.Add(i * g.StrideA + (g.TransposeA ? k * g.M + m : m * g.K + k), i * g.StrideB + (g.TransposeB ? n * g.K + k : k * g.N + n), (i * g.M + m) * g.N + n);
        }
    }

    /// <summary>The tensor of a convolution that is the sum of products of the other two.</summary>
    enum Part
    {
        Input,
        Filter,
        Output,
    }

    readonly struct Convolution(ConvGeometry g, Part wanted) : IProducts
    {
        public void ForEach<TSum>(TSum sum) where TSum : struct, ISum
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
                                int x = ((n * g.Height + ih) * g.Width + iw) * g.InChannels, filter = (kh * g.Window.Width + kw) * inputs * g.OutChannels, y = ((n * g.OutHeight + oh) * g.OutWidth + ow) * g.OutChannels;
                                for (var co = 0; co < g.OutChannels; co++)
                                    for (var ci = 0; ci < inputs; ci++) Add(sum, x + co / outputs * inputs + ci, filter + ci * g.OutChannels + co, y + co);
                            }
        }

        void Add<TSum>(TSum sum, int x, int filter, int y) where TSum : struct, ISum
        {
            if (wanted == Part.Output) sum.Add(x, filter, y);
            else if (wanted == Part.Input) sum.Add(y, filter, x);
            else sum.Add(x, y, filter);
        }
    }
}
