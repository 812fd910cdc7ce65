using QuadEngine.Layers;

namespace QuadEngine.Tests.Neurons;

/// <summary>Computes each neuron in double precision from its equation alone: all channels from one row of inputs (or one receptive field).</summary>
static class NeuronFormula
{
    /// <param name="layer">The layer, which gives only the values of its parameters.</param>
    /// <param name="x">The n inputs.</param>
    public static double[] Evaluate(NeuronLayer layer, double[] x)
    {
        var p = layer.NamedParameters().ToDictionary(entry => entry.Path, entry => entry.Parameter.ToArray());
        int n = x.Length, channels = layer.Projection.OutChannels;
        double Bias(string name, int c) => p.TryGetValue(name, out var b) ? b[c] : 0;
        double Dot(string name, int output) => Enumerable.Range(0, n).Sum(i => x[i] * p[name][i * (p[name].Length / n) + output]);

        return layer.Neuron switch
        {
            LinearNeuron => Each(c => Dot("weight", c) + Bias("bias", c)),
            FanNeuron => Each(c => (Dot("weight", c) + Bias("bias", c)) * (Dot("gate_weight", c) + Bias("gate_bias", c))
                + Enumerable.Range(0, n).Sum(i => x[i] * x[i] * p["square_weight"][i * channels + c]) + Bias("square_bias", c)),
            QResNeuron => Each(c => Dot("weight", c) * Dot("gate_weight", c) + Dot("weight", c) + Bias("bias", c)),
            QuadraNeuron => Each(c => Dot("weight1", c) * Dot("weight2", c) + Dot("weight3", c) + Bias("bias", c)),
            KervolutionNeuron k => Each(c => Math.Pow(Dot("weight", c) + k.Offset, k.Power) + Bias("bias", c)),
            LowRankQuadraticNeuron k => Each(c => Dot("weight", c) + Bias("bias", c)
                + Enumerable.Range(0, k.Rank).Sum(j => Dot("q1", c * k.Rank + j) * Dot("q2", c * k.Rank + j))),
            FullQuadraticNeuron => Each(c => Dot("weight", c) + Bias("bias", c) + Form(c)),
            QuadraticNeuronKind k => Quadratic(k),
            _ => throw new NotSupportedException(layer.Neuron.Name),
        };

        double[] Each(Func<int, double> channel) => [.. Enumerable.Range(0, channels).Select(channel)];

        double Form(int c)
        {
            double sum = 0;
            for (int i = 0, t = 0; i < n; i++)
                for (var j = i; j < n; j++, t++) sum += (i == j ? 1 : 2) * p["form"][t * channels + c] * x[i] * x[j];
            return sum;
        }

        double[] Quadratic(QuadraticNeuronKind kind)
        {
            var projected = p["weight"].Length / n;
            var y = Enumerable.Range(0, projected).Select(c => Dot("weight", c) + Bias("bias", c)).ToArray();
            for (int first = 0, l = 0; first < projected; first += kind.Rank + 1)
            {
                var rank = Math.Min(kind.Rank, projected - first - 1);
                for (var i = 1; i <= rank; i++, l++) y[first] += (kind.Options.Normalized ? 1.0 / rank : 1.0) * p["lambda"][l] * y[first + i] * y[first + i];
            }

            return kind.Options.Vectorized ? y : [.. y.Where((_, c) => c % (kind.Rank + 1) == 0)];
        }
    }

    /// <summary>Returns all receptive fields of a batch of images [N, H, W, C], pixel by pixel, each in the order of a filter (kh, kw, c).</summary>
    public static IEnumerable<double[]> Fields(ConvProjection conv, float[] image, Shape shape)
    {
        int height = shape[1], width = shape[2], channels = shape[3], reach = conv.Dilation * (conv.KernelSize - 1);
        for (var n = 0; n < shape[0]; n++)
            for (var top = -conv.Padding; top + reach < height + conv.Padding; top += conv.Stride)
                for (var left = -conv.Padding; left + reach < width + conv.Padding; left += conv.Stride)
                {
                    var field = new List<double>();
                    for (var kh = 0; kh < conv.KernelSize; kh++)
                        for (var kw = 0; kw < conv.KernelSize; kw++)
                            for (var c = 0; c < channels; c++)
                            {
                                int row = top + kh * conv.Dilation, column = left + kw * conv.Dilation;
                                var inside = row >= 0 && row < height && column >= 0 && column < width;
                                field.Add(inside ? image[((n * height + row) * width + column) * channels + c] : 0);
                            }

                    yield return [.. field];
                }
    }
}
