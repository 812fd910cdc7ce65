using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace QuadEngine.Models;

/// <summary>Values of metrics by name, in the order of their task. Two objects with the same names and values are equal.</summary>
/// <param name="values">The names and values.</param>
/// <exception cref="ArgumentException">A name occurs twice.</exception>
[JsonConverter(typeof(Converter))]
public sealed class MetricValues(IEnumerable<KeyValuePair<string, double>> values) : IReadOnlyDictionary<string, double>, IEquatable<MetricValues>
{
    readonly OrderedDictionary<string, double> values = new(values);

    /// <summary>The values of a task without metrics.</summary>
    public static MetricValues None { get; } = new([]);

    /// <summary>The value of a metric.</summary>
    /// <param name="key">The name of the metric.</param>
    /// <exception cref="ArgumentException">The metric was not measured; the message names the metrics that were.</exception>
    public double this[string key] => values.TryGetValue(key, out var value) ? value
        : throw new ArgumentException($"there is no metric \"{key}\" (known: {(Count == 0 ? "none" : string.Join(", ", values.Keys))}).");

    /// <inheritdoc/>
    public int Count => values.Count;

    /// <inheritdoc/>
    public IEnumerable<string> Keys => values.Keys;

    /// <inheritdoc/>
    public IEnumerable<double> Values => values.Values;

    /// <inheritdoc/>
    public bool ContainsKey(string key) => values.ContainsKey(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out double value) => values.TryGetValue(key, out value);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, double>> GetEnumerator() => values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(MetricValues? other) => other is not null && values.SequenceEqual(other.values);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MetricValues);

    /// <inheritdoc/>
    public override int GetHashCode() => values.Aggregate(0, (hash, entry) => HashCode.Combine(hash, entry.Key, entry.Value));

    /// <summary>Returns e.g. "accuracy 83.1, f1 0.52".</summary>
    public override string ToString() => string.Join(", ", values.Select(entry => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{entry.Key} {entry.Value:G5}")));

    /// <summary>Converts the values to and from a JSON object.</summary>
    internal sealed class Converter : JsonConverter<MetricValues>
    {
        public override MetricValues Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("metrics must be an object of names and numbers");
            var read = new OrderedDictionary<string, double>();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                if (!read.TryAdd(name, Number(ref reader))) throw new JsonException($"the metric {name} occurs twice");
            }

            return new(read);
        }

        public override void Write(Utf8JsonWriter writer, MetricValues value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            foreach (var (name, number) in value)
            {
                if (double.IsFinite(number)) writer.WriteNumber(name, number);
                else writer.WriteString(name, number.ToString(System.Globalization.CultureInfo.InvariantCulture));
            }

            writer.WriteEndObject();
        }

        static double Number(ref Utf8JsonReader reader) => reader.TokenType switch
        {
            JsonTokenType.Number => reader.GetDouble(),
            JsonTokenType.String when double.TryParse(reader.GetString(), System.Globalization.CultureInfo.InvariantCulture, out var number) => number,
            _ => throw new JsonException("a metric must be a number"),
        };
    }
}
