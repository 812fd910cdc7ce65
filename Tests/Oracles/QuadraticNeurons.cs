namespace QuadEngine.Tests.Oracles;

/// <summary>Quadratic neurons as their equations are written, in double precision.</summary>
static class QuadraticNeurons
{
    /// <summary>y_0 = z_0 + s sum lambda_i z_i^2, y_i = z_i, over [rows, channels].</summary>
    public static double[] Forward(double[] z, float[] lambda, NeuronLayout layout, bool normalised)
    {
        var y = (double[])z.Clone();
        for (var row = 0; row < z.Length; row += layout.Channels)
            for (var i = 0; i < layout.Coefficients; i++)
            {
                var (f, first, factor) = Coefficient(i, lambda, layout, normalised);
                y[row + first] += factor * z[row + f] * z[row + f];
            }

        return y;
    }

    /// <summary>dz_0 = d_y, dz_i = d_f_i + 2 s lambda_i f_i d_y, dLambda_i = s sum d_y f_i^2.</summary>
    public static (double[] Dz, double[] DLambda) Backward(float[] d, float[] y, float[] lambda, NeuronLayout layout, bool normalised, bool detached)
    {
        var dz = Array.ConvertAll(d, value => (double)value);
        var dLambda = new double[layout.Coefficients];
        for (var row = 0; row < d.Length; row += layout.Channels)
            for (var i = 0; i < layout.Coefficients; i++)
            {
                var (f, first, factor) = Coefficient(i, lambda, layout, normalised);
                if (!detached) dz[row + f] += 2 * factor * y[row + f] * d[row + first];
                dLambda[i] += layout.ScaleOf(f / layout.Stride, normalised) * (double)d[row + first] * y[row + f] * y[row + f];
            }

        return (dz, dLambda);
    }

    static (int F, int First, double Factor) Coefficient(int i, float[] lambda, NeuronLayout layout, bool normalised)
    {
        int f = layout.ChannelOf(i), neuron = f / layout.Stride;
        return (f, neuron * layout.Stride, (double)lambda[i] * layout.ScaleOf(neuron, normalised));
    }
}
