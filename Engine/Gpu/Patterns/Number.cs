using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// A number that a kernel reads and that may be another when a recorded step is replayed, as a learning rate: it comes with the launch,
/// or stands in the table of the recording.
/// </summary>
readonly struct Number(ArrayView<float> table, int place, float value)
{
    /// <summary>The place of a number that stands in no table.</summary>
    public const int Constant = -1;

    // Places are of 8 bytes; another view stands in where there is no table.
    public float Value => place >= 0 ? table[2 * place] : value;
}

/// <summary>The stream of a random draw, which moves on between replays.</summary>
readonly struct StreamNumber(ArrayView<ulong> table, int place, ulong recorded)
{
    public ulong Value => place >= 0 ? recorded + table[place] : recorded;
}
