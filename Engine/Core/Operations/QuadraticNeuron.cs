using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>
    /// The point-wise part of the quadratic neuron: from the projections z = [w x + b, Q^T x] of each neuron to [y, f].
    ///   f = z_1..z_k,   y = z_0 + s sum_i lambda_i f_i^2,   s = 1/k or 1          (Chen et al., arXiv 2306.07294)
    /// Backward, given d = [d_y, d_f]: f acts as k linear neurons whose upstream gradient has one more term,
    ///   dz_0 = d_y,   dz_i = d_f_i + 2 s lambda_i f_i d_y,   dlambda_i = s sum_rows d_y f_i^2
    /// It reads f from the output, so z itself is not kept.
    /// </summary>
    /// <param name="lambda">The coefficients of all neurons, [coefficients]; this tensor is z: [..., channels], the neurons side by side.</param>
    /// <param name="layout">How the neurons share the channels.</param>
    /// <param name="normalized">Whether s = 1/k, which keeps y in bounds at any rank; otherwise s = 1.</param>
    /// <param name="detached">Whether the gradient of y stops at f. Then f learns only as k linear neurons.</param>
    /// <returns>[..., channels]</returns>
    /// <exception cref="ArgumentException">The layout does not cover the channels, or Lambda has another length.</exception>
    public Tensor QuadraticNeuron(Tensor lambda, NeuronLayout layout, bool normalized = true, bool detached = false) => QuadraticNeuronOp.Apply(this, lambda, layout, normalized, detached);
}

/// <summary>See <see cref="Tensor.QuadraticNeuron"/>.</summary>
static class QuadraticNeuronOp
{
    public static Tensor Apply(Tensor z, Tensor lambda, NeuronLayout layout, bool normalized = true, bool detached = false)
    {
        Check.SameDevice(nameof(Tensor.QuadraticNeuron), z, lambda);
        Check.That(z.Shape.Channels == layout.Channels, nameof(Tensor.QuadraticNeuron),
            $"the input has {z.Shape.Channels} channels (shape {z.Shape}) but the neurons have {layout.Channels}.");
        Check.That(lambda.Rank == 1 && lambda.Length == layout.Coefficients, nameof(Tensor.QuadraticNeuron),
            $"Lambda has shape {lambda.Shape} but {layout.Neurons} neurons of rank {layout.Rank} on {layout.Channels} channels have [{layout.Coefficients}] coefficients.");

        var term = new QuadraticTerm<Tensor>(lambda, layout, normalized);
        MultiplyAddCounter.Add(2L * z.Shape.Rows * layout.Coefficients);
        if (FusionTable.Join(z, new Next.Neurons(term)) is not { } y)
        {
            y = Tensor.Like(z);
            z.Device.Backend.Quadratic(z, term, y);
        }

        return y.WithBackward(nameof(Tensor.QuadraticNeuron), [z, lambda], [y, lambda], new QuadraticBackward(layout, normalized, detached).Run);
    }
}

/// <summary>The backward of quadratic neurons. It can join the backward of a batch norm after them (<see cref="BackwardTable"/>).</summary>
sealed record QuadraticBackward(NeuronLayout Layout, bool Normalized, bool Detached)
{
    /// <summary>Returns the gradients of [z, lambda]; saved is [y, lambda].</summary>
    public Tensor?[] Run(Tensor dy, Saved saved)
    {
        var (y, lambda) = saved;
        Tensor? dz = saved.IfNeeded(0, () => Tensor.Over(dy)), dLambda = saved.IfNeeded(1, () => Tensor.Like(lambda));
        dy.Device.Backend.QuadraticBackward(dy, y, Gradient(lambda, dLambda), dz);
        return [dz, dLambda];
    }

    /// <summary>The arguments for the kernels.</summary>
    public QuadraticGradient<Tensor> Gradient(Tensor lambda, Tensor? dLambda) => new(new(lambda, Layout, Normalized), Detached, dLambda);
}
