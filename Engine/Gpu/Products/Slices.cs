using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// Adds up the slices of a sum inside the product. Groups store the sums of their threads without change. The last group of a tile adds them in the
/// order of the slices, and then has the sums as if they had never been cut.
/// </summary>
/// <param name="partials">[tiles, slices, quads of a thread, threads]: adjacent threads write and read adjacent memory.</param>
/// <param name="arrivals">A counter for each tile.</param>
readonly struct Slices(ArrayView<float> partials, Arrivals arrivals)
{
    /// <summary>Whether the group's sums contain all slices of its tile. Every thread must call this.</summary>
    public bool Add<TMultiplier>(float[] sums, int count, ArrayView<int> slot) where TMultiplier : struct, IMultiplier
    {
        var quads = partials.Cast<Quad>();
        int slice = TMultiplier.Sums / 4 * TMultiplier.Threads, first = Grid.IdxX * count * slice + Group.IdxX, own = first + Grid.IdxZ * slice;
        for (var i = 0; i < TMultiplier.Sums; i += 4) quads[own + i / 4 * TMultiplier.Threads] = Quad.Of(sums, i);
        if (!arrivals.IsLast(Grid.IdxX, count, slot)) return false;

        for (var i = 0; i < TMultiplier.Sums; i++) sums[i] = 0f;
        for (var n = 0; n < count; n++, first += slice)
            for (var i = 0; i < TMultiplier.Sums; i += 4)
            {
                var part = quads[first + i / 4 * TMultiplier.Threads];
                sums[i] += part.X;
                sums[i + 1] += part.Y;
                sums[i + 2] += part.Z;
                sums[i + 3] += part.W;
            }

        return true;
    }
}
