using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

// Floor: parameters and state are read and written once, gradients read once.
sealed unsafe partial class CpuKernels
{
    public override void Sgd(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> momenta, SgdStep step, Operand? gradientScale, Operand? leftOut)
    {
        if (IsLeftOut(gradientScale, leftOut, out var scale, out var before)) return;
        step = step with { Step = step.Step - before };
        float*[] w = Pointers(parameters), g = Pointers(gradients), v = Pointers(momenta);
        ForEachPart(parameters, (tensor, start, count) =>
            Sweep.Rows(new SgdKernel(step, scale, w[tensor], g[tensor], v.Length == 0 ? null : v[tensor]), start, count, count, 0));
    }

    public override void AdamW(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> first, ReadOnlySpan<Operand> second, AdamStep step, Operand? gradientScale, Operand? leftOut)
    {
        if (IsLeftOut(gradientScale, leftOut, out var scale, out var before)) return;
        step = step with { Step = step.Step - before };
        float*[] w = Pointers(parameters), g = Pointers(gradients), m = Pointers(first), v = Pointers(second);
        ForEachPart(parameters, (tensor, start, count) =>
            Sweep.Rows(new AdamKernel(step, scale, w[tensor], g[tensor], m[tensor], v[tensor]), start, count, count, 0));
    }

    // Gives the number of steps skipped so far. If this step is skipped, it also counts it.
    static bool IsLeftOut(Operand? gradientScale, Operand? leftOut, out float scale, out int before)
    {
        scale = gradientScale?.AsSpan()[0] ?? 1f;
        before = leftOut is null ? 0 : (int)leftOut.AsSpan()[0];
        if (scale > 0f) return false;
        if (leftOut is not null) *leftOut.Pointer() = before + 1;
        return true;
    }

    static float*[] Pointers(ReadOnlySpan<Operand> tensors)
    {
        var pointers = new float*[tensors.Length];
        for (var i = 0; i < pointers.Length; i++) pointers[i] = tensors[i].Pointer();
        return pointers;
    }

    /// <summary>Calls body(tensor, start, count) for ranges that cover all elements of all tensors, on all cores.</summary>
    static void ForEachPart(ReadOnlySpan<Operand> tensors, Action<int, int, int> body)
    {
        var parts = Parts(tensors);
        ThreadTeam.Run(parts.Length, part => body(parts[part].Tensor, parts[part].Start, parts[part].Count));
    }

    /// <summary>Ranges of at most <see cref="Sweep.Chunk"/> elements that cover all tensors.</summary>
    static (int Tensor, int Start, int Count)[] Parts(ReadOnlySpan<Operand> tensors)
    {
        var parts = new List<(int Tensor, int Start, int Count)>(tensors.Length);
        for (var i = 0; i < tensors.Length; i++)
            for (var start = 0; start < tensors[i].Length; start += Sweep.Chunk)
                parts.Add((i, start, Math.Min(Sweep.Chunk, tensors[i].Length - start)));
        return [.. parts];
    }
}

readonly unsafe struct SgdKernel(SgdStep step, float scale, float* w, float* dw, float* velocity) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        var weight = lanes.Load(w + i);
        var g = scale * lanes.Load(dw + i) + step.WeightDecay * weight;
        var direction = g;
        if (velocity != null)
        {
            var v = step.Step == 1 ? g : step.Momentum * lanes.Load(velocity + i) + (1f - step.Dampening) * g;
            lanes.Store(velocity + i, v);
            direction = step.Nesterov ? g + step.Momentum * v : v;
        }

        lanes.Store(w + i, weight - step.LearningRate * direction);
    }
}

readonly unsafe struct AdamKernel(AdamStep step, float scale, float* w, float* dw, float* first, float* second) : IVectorKernel
{
    readonly float correction1 = (float)(1 / (1 - Math.Pow(step.Beta1, step.Step)));
    readonly float correction2 = (float)(1 / (1 - Math.Pow(step.Beta2, step.Step)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        var g = scale * lanes.Load(dw + i);
        var m = step.Beta1 * lanes.Load(first + i) + (1f - step.Beta1) * g;
        var v = step.Beta2 * lanes.Load(second + i) + (1f - step.Beta2) * g * g;
        lanes.Store(first + i, m);
        lanes.Store(second + i, v);
        var weight = lanes.Load(w + i) * (1f - step.LearningRate * step.WeightDecay);
        lanes.Store(w + i, weight - step.LearningRate * correction1 * m / (T.Sqrt(v * correction2) + step.Epsilon));
    }
}
