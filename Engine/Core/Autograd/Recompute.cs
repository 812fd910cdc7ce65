namespace QuadEngine;

/// <summary>
/// Trades time for memory (Chen et al. 2016, "Training deep nets with sublinear memory cost"): a function is computed without keeping
/// anything but its input, and once more, with a tape of its own, when backward comes to it.
/// </summary>
/// <remarks>
/// It is the same function both times: random numbers are those of the first time, and no generator moves on; modules are in the mode that
/// they were in; parameters that were overwritten in between are refused by backward, as without recomputing.
/// </remarks>
public static class Recompute
{
    /// <summary>The function runs for the second time: what it would change besides its result, such as running statistics, was changed by the first.</summary>
    public static bool Again => Pass.Current is { Again: true };

    /// <summary>y = function(x), its intermediate results not kept.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="x">The only tensor from outside, besides the parameters, through which gradients flow.</param>
    /// <param name="state">The parameters that the function reads, whose gradients are added to as by any backward, and the buffers that must not change until then.</param>
    /// <param name="function">Runs on the calling thread, here and in backward; it must not capture tensors but leaves.</param>
    public static Tensor Apply(string name, Tensor x, IReadOnlyList<StateTensor> state, Func<Tensor, Tensor> function)
    {
        var seen = new Seen();
        Tensor y;
        using (new NoGrad.OnStack())
        using (var scope = new TensorScope.OnStack())
        using (new Pass.OnStack(seen, again: false)) y = scope.Result(function(x));
        return y.WithBackward(name, [x, .. state], [x, .. state], (dy, saved) =>
        {
            using var recording = new NoGrad.Suspended();
            var input = saved[0].Detach();
            input.RequiresGrad = saved.Needs(0);
            Tensor result;
            using (new Pass.OnStack(seen, again: true)) result = function(input);
            result.Backward(dy);
            using var gradient = input.Grad;
            return [gradient?.Detach(), .. state.Select(_ => (Tensor?)null)];
        });
    }

    /// <summary>A stream of the generator; the second time the one of the first time.</summary>
    internal static RandomStream Draw(Generator generator) => Pass.Current is { } pass ? pass.Draw(generator) : generator.Take();

    /// <summary>Whether the module is in training; the second time as the first time.</summary>
    internal static bool Mode(object module, bool training) => Pass.Current is { } pass ? pass.Mode(module, training) : training;

    /// <summary>What the function saw of the world the first time.</summary>
    sealed class Seen
    {
        public List<RandomStream> Streams { get; } = [];

        public Dictionary<object, bool> Modes { get; } = [];
    }

    sealed class Pass(Seen seen, bool again) : Link
    {
        int drawn;

        public static Pass? Current => System.Runtime.CompilerServices.Unsafe.As<Pass?>(Ambient<Kind>.Current);

        // The first time within another's second time is a second time too.
        public bool Again => again || Outer is Pass { Again: true };

        public RandomStream Draw(Generator generator)
        {
            if (!again)
            {
                var stream = Outer is Pass outer ? outer.Draw(generator) : generator.Take();
                seen.Streams.Add(stream);
                return stream;
            }

            if (drawn == seen.Streams.Count)
                throw new InvalidOperationException("Recompute: the function draws more random numbers in backward than it did in forward; it must do the same both times.");
            return seen.Streams[drawn++];
        }

        public bool Mode(object module, bool training)
        {
            if (seen.Modes.TryGetValue(module, out var then)) return then;
            if (Outer is Pass outer && !again) training = outer.Mode(module, training);
            if (!again) seen.Modes.Add(module, training);
            return training;
        }

        public readonly ref struct OnStack : IDisposable
        {
            readonly Pass pass;
            readonly Link? below;

            public OnStack(Seen seen, bool again)
            {
                pass = new Pass(seen, again);
                below = Ambient<Kind>.Push(pass);
            }

            public void Dispose() => Ambient<Kind>.Pop(pass, below);
        }

        readonly struct Kind;
    }
}
