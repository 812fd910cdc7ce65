using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void Sgd(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> momenta, SgdStep step, Operand? gradientScale)
    {
        if (parameters.IsEmpty) return;
        var rate = device.Number(step.LearningRate, step.Later is { } later ? () => later().LearningRate : null, parameters[0].View());
        for (var start = 0; start < parameters.Length; start += ViewList.Capacity)
        {
            var range = start..Math.Min(parameters.Length, start + ViewList.Capacity);
            var w = List(parameters[range]);
            device.Launch(new SgdUpdate(w, List(gradients[range]), momenta.IsEmpty ? w : List(momenta[range]), rate, step.Momentum, 1f - step.Dampening,
                step.WeightDecay, new(gradientScale, w[0]), momenta.IsEmpty ? 0 : 1, step.First ? 1 : 0, step.Nesterov ? 1 : 0), w.Groups);
        }
    }

    public override void AdamW(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> first, ReadOnlySpan<Operand> second, AdamStep step, Operand? gradientScale)
    {
        if (parameters.IsEmpty) return;
        var standIn = parameters[0].View();
        Number rate = Now(at => at.LearningRate), shrink = Now(at => 1f - at.LearningRate * at.WeightDecay);
        Number correction1 = Now(at => 1f / (float)(1 - Math.Pow(at.Beta1, at.Step))), correction2 = Now(at => 1f / (float)(1 - Math.Pow(at.Beta2, at.Step)));
        for (var start = 0; start < parameters.Length; start += ViewList.Capacity)
        {
            var range = start..Math.Min(parameters.Length, start + ViewList.Capacity);
            var w = List(parameters[range]);
            device.Launch(new AdamWUpdate(w, List(gradients[range]), List(first[range]), List(second[range]), rate, step.Beta1, step.Beta2,
                step.Epsilon, shrink, new(gradientScale, w[0]), correction1, correction2), w.Groups);
        }

        Number Now(Func<AdamStep, float> number) => device.Number(number(step), step.Later is { } later ? () => number(later()) : null, standIn);
    }

    static ViewList List(ReadOnlySpan<Operand> tensors) => new(tensors, SgdUpdate.PerGroup);
}

/// <summary><see cref="SgdStep"/> on up to 32 parameters. Floor: reads w, dw, v, writes w, v.</summary>
readonly struct SgdUpdate(ViewList parameters, ViewList gradients, ViewList momenta, Number learningRate, float momentum, float undamped, float weightDecay,
    Optional gradientScale, int hasMomentum, int first, int nesterov) : IKernel
{
    public const int PerGroup = 4 * IKernel.DefaultThreads;

    public void Run()
    {
        var scale = gradientScale.Or(0, 1f);
        if (!(scale > 0f)) return;
        var part = parameters.Part(Grid.IdxX, PerGroup);
        ArrayView<float> w = parameters[part.Tensor], dw = gradients[part.Tensor], v = momenta[part.Tensor];
        var rate = learningRate.Value;
        for (var i = part.Start + Group.IdxX; i < part.End; i += IKernel.DefaultThreads)
        {
            var g = scale * dw[i] + weightDecay * w[i];
            var step = g;
            if (hasMomentum != 0)
            {
                var velocity = first != 0 ? g : momentum * v[i] + undamped * g;
                v[i] = velocity;
                step = nesterov != 0 ? g + momentum * velocity : velocity;
            }

            w[i] -= rate * step;
        }
    }
}

/// <summary><see cref="AdamStep"/> on up to 32 parameters. Floor: reads w, dw, m, v, writes w, m, v.</summary>
readonly struct AdamWUpdate(ViewList parameters, ViewList gradients, ViewList first, ViewList second, Number learningRate, float beta1, float beta2, float epsilon,
    Number shrink, Optional gradientScale, Number correction1, Number correction2) : IKernel
{
    public void Run()
    {
        var scale = gradientScale.Or(0, 1f);
        if (!(scale > 0f)) return;
        var part = parameters.Part(Grid.IdxX, SgdUpdate.PerGroup);
        ArrayView<float> w = parameters[part.Tensor], dw = gradients[part.Tensor], m = first[part.Tensor], v = second[part.Tensor];
        float rate = learningRate.Value, keep = shrink.Value, unbiased1 = correction1.Value, unbiased2 = correction2.Value;
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
}
