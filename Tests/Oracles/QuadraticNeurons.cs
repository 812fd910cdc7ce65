namespace QuadEngine.Tests.Oracles;

/// <summary>Quadratic neurons by their equations.</summary>
static class QuadraticNeurons
{
    /// <summary>y_0 = z_0 + s sum lambda_i z_i^2, y_i = z_i, over [rows, channels].</summary>
    public static Approximate[] Forward(Approximate[] z, float[] lambda, NeuronLayout layout, bool normalized)
    {
        var y = (Approximate[])z.Clone();
        for (var row = 0; row < z.Length; row += layout.Channels)
            foreach (var neuron in Enumerable.Range(0, layout.Coefficients).GroupBy(i => layout.ChannelOf(i) / layout.Stride))
            {
                var first = row + neuron.Key * layout.Stride;
                y[first] = Approximate.Sum([z[first], .. neuron.Select(i => Factor(i, lambda, layout, normalized) * z[row + layout.ChannelOf(i)] * z[row + layout.ChannelOf(i)])]);
            }

        return y;
    }

    /// <summary>dz_0 = d_y, dz_i = d_f_i + 2 s lambda_i f_i d_y, dLambda_i = s sum d_y f_i^2.</summary>
    public static (Approximate[] Dz, Approximate[] DLambda) Backward(Approximate[] d, float[] y, float[] lambda, NeuronLayout layout, bool normalized, bool detached)
    {
        var dz = (Approximate[])d.Clone();
        var dLambda = new Approximate[layout.Coefficients];
        for (var i = 0; i < dLambda.Length; i++)
        {
            int f = layout.ChannelOf(i), first = f / layout.Stride * layout.Stride;
            var rows = Enumerable.Range(0, d.Length / layout.Channels).Select(row => row * layout.Channels).ToArray();
            dLambda[i] = Scale(f, layout, normalized) * Approximate.Sum(rows.Select(row => d[row + first] * y[row + f] * y[row + f]));
            if (detached) continue;
            foreach (var row in rows) dz[row + f] += 2 * Factor(i, lambda, layout, normalized) * y[row + f] * d[row + first];
        }

        return (dz, dLambda);
    }

    // s lambda_i
    static Approximate Factor(int i, float[] lambda, NeuronLayout layout, bool normalized) => lambda[i] * Scale(layout.ChannelOf(i), layout, normalized);

    static Approximate Scale(int channel, NeuronLayout layout, bool normalized) => layout.ScaleOf(channel / layout.Stride, normalized);
}
