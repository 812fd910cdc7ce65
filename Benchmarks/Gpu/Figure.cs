using System.Text.Json;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>One figure of an item, a line of JSON in the results: a number or a text under a name.</summary>
/// <param name="Part">The part, as --parts names it.</param>
/// <param name="Item">The item, e.g. "float32: matrix product 4096^3".</param>
/// <param name="Name">"seconds", "error", ...; <see cref="Failed"/> if the item failed.</param>
/// <param name="Value">A number, in the unit of the name.</param>
/// <param name="Text">A text in place of a number.</param>
sealed record Figure(string Part, string Item, string Name, double? Value = null, string? Text = null)
{
    /// <summary>The item failed; the text says how.</summary>
    public const string Failed = "failed";

    /// <summary>The part name of the figures that give the time of each part.</summary>
    public const string Time = "time";

    static readonly JsonSerializerOptions Options = new() { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull, NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public string ToJson() => JsonSerializer.Serialize(this, Options);

    public static Figure FromJson(string line) => JsonSerializer.Deserialize<Figure>(line, Options)!;
}

/// <summary>The figures of a run, in order. Each is written to a file before the next is measured.</summary>
sealed class Figures : IDisposable
{
    readonly List<Figure> all = [];
    readonly StreamWriter? file;

    /// <param name="folder">The folder of results.jsonl; empty for no file.</param>
    /// <exception cref="IOException">The file exists already.</exception>
    public Figures(string folder)
    {
        if (folder.Length == 0) return;
        Directory.CreateDirectory(folder);
        file = new StreamWriter(new FileStream(Path.Combine(folder, "results.jsonl"), FileMode.CreateNew, FileAccess.Write, FileShare.Read)) { AutoFlush = true };
    }

    public IReadOnlyList<Figure> All => all;

    public IEnumerable<Figure> Failures => all.Where(figure => figure.Name == Figure.Failed);

    public double? this[string part, string item, string name] => all.LastOrDefault(figure => figure.Part == part && figure.Item == item && figure.Name == name)?.Value;

    public void Add(Figure figure)
    {
        all.Add(figure);
        file?.WriteLine(figure.ToJson());
    }

    public IEnumerable<IGrouping<string, Figure>> Of(string part) => all.Where(figure => figure.Part == part).GroupBy(figure => figure.Item);

    public void Dispose() => file?.Dispose();
}
