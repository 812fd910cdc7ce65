using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void Sgd(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> momenta, SgdStep step, Operand? gradientScale, Operand? leftOut)
    {
        if (parameters.IsEmpty) return;
        var standIn = parameters[0].View();
        Number rate = Now(at => at.LearningRate), number = Now(at => at.Step);
        for (var start = 0; start < parameters.Length; start += ViewList.Capacity)
        {
            var range = start..Math.Min(parameters.Length, start + ViewList.Capacity);
            var w = List(parameters[range]);
            device.Launch(new SgdUpdate(w, List(gradients[range]), momenta.IsEmpty ? w : List(momenta[range]), rate, step.Momentum, 1f - step.Dampening,
                step.WeightDecay, new(gradientScale, leftOut, number, counts: start == 0, w[0]), momenta.IsEmpty ? 0 : 1, step.Nesterov ? 1 : 0), w.Groups);
        }

        Number Now(Func<SgdStep, float> value) => device.Number(value(step), step.Later is { } later ? () => value(later()) : null, standIn);
    }

    public override void AdamW(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> first, ReadOnlySpan<Operand> second, AdamStep step, Operand? gradientScale, Operand? leftOut)
    {
        if (parameters.IsEmpty) return;
        var standIn = parameters[0].View();
        Number rate = Now(at => at.LearningRate), shrink = Now(at => 1f - at.LearningRate * at.WeightDecay), number = Now(at => at.Step);
        for (var start = 0; start < parameters.Length; start += ViewList.Capacity)
        {
            var range = start..Math.Min(parameters.Length, start + ViewList.Capacity);
            var w = List(parameters[range]);
            device.Launch(new AdamWUpdate(w, List(gradients[range]), List(first[range]), List(second[range]), rate, step.Beta1, step.Beta2,
                step.Epsilon, shrink, new(gradientScale, leftOut, number, counts: start == 0, w[0]), (float)Math.Log(step.Beta1), (float)Math.Log(step.Beta2)), w.Groups);
        }

        Number Now(Func<AdamStep, float> value) => device.Number(value(step), step.Later is { } later ? () => value(later()) : null, standIn);
    }

    static ViewList List(ReadOnlySpan<Operand> tensors) => new(tensors, SgdUpdate.PerGroup);
}

/// <summary><see cref="SgdStep"/> on up to 32 parameters. Floor: reads w, dw, v, writes w, v.</summary>
readonly struct SgdUpdate(ViewList parameters, ViewList gradients, ViewList momenta, Number learningRate, float momentum, float undamped, float weightDecay,
    StepGuard guard, int hasMomentum, int nesterov) : IKernel
{
    public const int PerGroup = 4 * IKernel.DefaultThreads;

    public void Run()
    {
        if (guard.LeavesOut()) return;
        float scale = guard.Scale, taken = guard.Step;
        var part = parameters.Part(Grid.IdxX, PerGroup);
        ArrayView<float> w = parameters[part.Tensor], dw = gradients[part.Tensor], v = momenta[part.Tensor];
        var rate = learningRate.Value;
        for (var i = part.Start + Group.IdxX; i < part.End; i += IKernel.DefaultThreads)
        {
            var g = scale * dw[i] + weightDecay * w[i];
            var step = g;
            if (hasMomentum != 0)
            {
                var velocity = taken == 1f ? g : momentum * v[i] + undamped * g;
                v[i] = velocity;
                step = nesterov != 0 ? g + momentum * velocity : velocity;
            }

            w[i] -= rate * step;
        }
    }
}

/// <summary><see cref="AdamStep"/> on up to 32 parameters. Floor: reads w, dw, m, v, writes w, m, v.</summary>
readonly struct AdamWUpdate(ViewList parameters, ViewList gradients, ViewList first, ViewList second, Number learningRate, float beta1, float beta2, float epsilon,
    Number shrink, StepGuard guard, float logBeta1, float logBeta2) : IKernel
{
    public void Run()
    {
        if (guard.LeavesOut()) return;
        float scale = guard.Scale, taken = guard.Step;
        var part = parameters.Part(Grid.IdxX, SgdUpdate.PerGroup);
        ArrayView<float> w = parameters[part.Tensor], dw = gradients[part.Tensor], m = first[part.Tensor], v = second[part.Tensor];
        float rate = learningRate.Value, keep = shrink.Value, unbiased1 = 1f / OneMinusExp(taken * logBeta1), unbiased2 = 1f / OneMinusExp(taken * logBeta2);
        for (var i = part.Start + Group.IdxX; i < part.End; i += IKernel.DefaultThreads)
        {
            var g = scale * dw[i];
            var mean = beta1 * m[i] + (1f - beta1) * g;
            var square = beta2 * v[i] + (1f - beta2) * g * g;
            m[i] = mean;
            v[i] = square;
            w[i] = keep * w[i] - rate * (mean * unbiased1) / (MathF.Sqrt(square * unbiased2) + epsilon);
        }
    }

    /// <summary>1 - e^x for x at most 0, without the cancellation of the difference near 0; the error is at most 3 units in the last place.</summary>
    static float OneMinusExp(float x)
    {
        if (x < -0.5f) return 1f - MathF.Exp(x);
        var series = 1f / 5040f;
        series = series * x + 1f / 720f;
        series = series * x + 1f / 120f;
        series = series * x + 1f / 24f;
        series = series * x + 1f / 6f;
        series = series * x + 0.5f;
        return -x * (series * x + 1f);
    }
}

/// <summary>
/// Decides whether a step is taken, and gives its number. If the scale of the gradients is not above 0, no thread updates anything, and the first thread of the
/// first launch adds 1 to the count. No thread reads the count in a skipped step, so no thread has to wait for another.
/// </summary>
readonly struct StepGuard(Operand? gradientScale, Operand? leftOut, Number number, bool counts, ArrayView<float> standIn)
{
    readonly Optional gradientScale = new(gradientScale, standIn), leftOut = new(leftOut, standIn);
    readonly int counts = counts ? 1 : 0;

    /// <summary>The factor of all gradients.</summary>
    public float Scale => gradientScale.Or(0, 1f);

    /// <summary>The number of the step, counted from 1 without skipped steps.</summary>
    public float Step => number.Value - leftOut.Or(0, 0f);

    /// <summary>Whether the step is skipped.</summary>
    public bool LeavesOut()
    {
        // This must not be `if (Scale > 0f) return false`: ILGPU writes the opposite comparison, Scale <= 0, in OpenCL C, which is false for a NaN.
        if (!(Scale > 0f))
        {
            if (counts != 0 && Grid.IdxX == 0 && Group.IdxX == 0) leftOut.Set(0, leftOut.Or(0, 0f) + 1f);
            return true;
        }

        return false;
    }
}
