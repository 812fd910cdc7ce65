using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace QuadEngine.Models;

/// <summary>Values of metrics by name, in the order of their task; equal to others of the same names and values.</summary>
/// <param name="values">Names and values.</param>
/// <exception cref="ArgumentException">A name comes twice.</exception>
[JsonConverter(typeof(Converter))]
public sealed class MetricValues(IEnumerable<KeyValuePair<string, double>> values) : IReadOnlyDictionary<string, double>, IEquatable<MetricValues>
{
    readonly OrderedDictionary<string, double> values = new(values);

    /// <summary>Of a task without metrics.</summary>
    public static MetricValues None { get; } = new([]);

    /// <summary>The value of a metric.</summary>
    /// <param name="key">Its name.</param>
    /// <exception cref="ArgumentException">It was not measured; the message says which were.</exception>
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

    /// <summary>"accuracy 83.1, f1 0.52".</summary>
    public override string ToString() => string.Join(", ", values.Select(entry => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{entry.Key} {entry.Value:G5}")));

    /// <summary>As a JSON object.</summary>
    internal sealed class Converter : JsonConverter<MetricValues>
    {
        public override MetricValues Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("metrics are an object of names and numbers");
            var read = new OrderedDictionary<string, double>();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                if (!read.TryAdd(name, Number(ref reader))) throw new JsonException($"the metric {name} comes twice");
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
            _ => throw new JsonException("a metric is a number"),
        };
    }
}
