using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// A number that a kernel reads and that may change between replays of a recorded step, e.g. a learning rate. It comes with the launch,
/// or it is in the table of the recording.
/// </summary>
readonly struct Number(ArrayView<float> table, int place, float value)
{
    /// <summary>The place of a number that is not in a table.</summary>
    public const int Constant = -1;

    // A place has 8 bytes. Without a table, another view is the placeholder.
    public float Value => place >= 0 ? table[2 * place] : value;
}

/// <summary>The stream of a random draw, which advances between replays.</summary>
readonly struct StreamNumber(ArrayView<ulong> table, int place, ulong recorded)
{
    public ulong Value => place >= 0 ? recorded + table[place] : recorded;
}
