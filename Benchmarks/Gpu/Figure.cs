using System.Text.Json;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>One thing found out, a line of JSON in the results: of an item of a part, under a name, a number or a text.</summary>
/// <param name="Part">What --parts selects.</param>
/// <param name="Item">What was measured, e.g. "float32: matrix product 4096^3".</param>
/// <param name="Name">"seconds", "error", ...; <see cref="Failed"/> where the item came to nothing.</param>
/// <param name="Value">A number, in the unit of the name.</param>
/// <param name="Text">Words in place of a number.</param>
sealed record Figure(string Part, string Item, string Name, double? Value = null, string? Text = null)
{
    /// <summary>The item failed; the text says how.</summary>
    public const string Failed = "failed";

    /// <summary>The part of the figures that say how long each part took.</summary>
    public const string Time = "time";

    static readonly JsonSerializerOptions Options = new() { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull, NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public string ToJson() => JsonSerializer.Serialize(this, Options);

    public static Figure FromJson(string line) => JsonSerializer.Deserialize<Figure>(line, Options)!;
}

/// <summary>The figures of a run, in the order in which they came; each is in a file before the next is measured.</summary>
sealed class Figures : IDisposable
{
    readonly List<Figure> all = [];
    readonly StreamWriter? file;

    /// <param name="folder">Where results.jsonl is made; empty for nowhere.</param>
    /// <exception cref="IOException">It is there already.</exception>
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
