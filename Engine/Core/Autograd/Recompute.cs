namespace QuadEngine;

/// <summary>
/// Trades time for memory (Chen et al. 2016, "Training deep nets with sublinear memory cost"). A function is computed and only its input is
/// kept. When backward reaches the function, it is computed again with its own tape.
/// </summary>
/// <remarks>
/// The second run computes the same values as the first: it gets the random numbers of the first run, and no generator advances. Modules are in the mode of the
/// first run. If a parameter was overwritten in between, backward throws, as it does without recomputing.
/// </remarks>
public static class Recompute
{
    /// <summary>Whether the function runs for the second time. Then it must not change anything besides its result, such as running statistics, because the first run changed it.</summary>
    public static bool Again => Pass.Current is { Again: true };

    /// <summary>y = function(x), without keeping its intermediate results.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="x">The only tensor from outside, except the parameters, through which gradients flow.</param>
    /// <param name="state">The parameters that the function reads, and the buffers that must not change before backward. Backward adds to the gradients of the parameters as usual.</param>
    /// <param name="function">Runs on the calling thread, here and in backward. It must not capture any tensors except leaves.</param>
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

    /// <summary>A stream of the generator; in the second run, the stream of the first run.</summary>
    internal static RandomStream Draw(Generator generator) => Pass.Current is { } pass ? pass.Draw(generator) : generator.Take();

    /// <summary>Whether the module is in training; in the second run, the mode of the first run.</summary>
    internal static bool Mode(object module, bool training) => Pass.Current is { } pass ? pass.Mode(module, training) : training;

    /// <summary>The random streams and modes that the function saw in the first run.</summary>
    sealed class Seen
    {
        public List<RandomStream> Streams { get; } = [];

        public Dictionary<object, bool> Modes { get; } = [];
    }

    sealed class Pass(Seen seen, bool again) : Link
    {
        int drawn;

        public static Pass? Current => System.Runtime.CompilerServices.Unsafe.As<Pass?>(Ambient<Kind>.Current);

        // The first run of a function inside the second run of another function counts as a second run too.
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
