using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>
    /// Full quadratic forms of each row: y[r, c] = x_r^T M_c x_r, with M_c symmetric.
    /// Backward: dx_r = 2 sum_c dy[r, c] M_c x_r,   dM_c = sum_r dy[r, c] x_r x_r^T.
    /// The products M_c x_r, n numbers for each output, are computed form by form. They are not kept: backward computes them again.
    /// </summary>
    /// <param name="forms">M: [channels, n, n], each symmetric; the gradient relies on it. This tensor is x: [..., n].</param>
    /// <returns>[..., channels]</returns>
    /// <exception cref="ArgumentException">The forms do not fit the inputs.</exception>
    public Tensor QuadraticForm(Tensor forms) => QuadraticFormOp.Apply(this, forms);
}

/// <summary>See <see cref="Tensor.QuadraticForm"/>.</summary>
static class QuadraticFormOp
{
    public static Tensor Apply(Tensor x, Tensor forms)
    {
        var n = x.Shape.Channels;
        Check.SameDevice(nameof(Tensor.QuadraticForm), x, forms);
        Check.That(forms.Rank == 3 && forms.Shape[1] == n && forms.Shape[2] == n, nameof(Tensor.QuadraticForm),
            $"the forms have shape {forms.Shape} but inputs of shape {x.Shape} need [channels, {n}, {n}].");
        var channels = forms.Shape[0];
        Shape shape = [.. x.Shape.AsSpan()[..^1], channels];
        Tensor y;
        using (new NoGrad.OnStack())
        using (var scope = new TensorScope.OnStack())
        {
            var rows = x.Reshape(-1, n);
            y = scope.Result(Tensor.Concat([.. Enumerable.Range(0, channels).Select(c => (rows * rows.MatMul(Form(forms, c))).Sum([1], keepDims: true))], axis: 1).Reshape(shape));
        }

        return y.WithBackward(nameof(Tensor.QuadraticForm), [x, forms], [x, forms], (dy, saved) =>
        {
            var (x, forms) = saved;
            int n = x.Shape.Channels, channels = forms.Shape[0];
            Tensor rows = x.Detach().Reshape(-1, n), upstream = dy.Reshape(-1, channels);
            Tensor? dx = saved.IfNeeded(0, () => Tensor.Zeros(rows.Shape, dy.Device)), dForms = saved.IfNeeded(1, () => Tensor.Like(forms));
            for (var c = 0; c < channels; c++)
            {
                using var scope = new TensorScope.OnStack();
                var weighted = rows * upstream.Slice(1, c, 1);
                if (dx is not null) dy.Device.Backend.AddScaled(2f, weighted.MatMul(Form(forms, c)), 1f, dx);
                if (dForms is not null) MatMulOp.Product(rows, weighted, transposeA: true, Form(dForms, c));
            }

            return [dx?.Reshape(x.Shape), dForms];
        });
    }

    static Tensor Form(Tensor forms, int c) => forms.Detach().Slice(0, c, 1).Reshape(forms.Shape[1], forms.Shape[2]);
}
