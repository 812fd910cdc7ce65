using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace QuadEngine;

/// <summary>
/// A <see cref="Selection"/> in JSON: its name alone, <c>"linear"</c>, or an object with the name, the assembly if it is not the engine's, and the options,
/// <c>{"name": "quadratic", "rank": 3, "basis": "free"}</c>.
/// </summary>
public sealed class SelectionJson : JsonConverter<Selection>
{
    const string Name = "name", Assembly = "assembly";

    /// <inheritdoc/>
    public override Selection Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String) return reader.GetString()!;
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException($"Expected a name, or an object with \"{Name}\" and options.");

        string? name = null, assembly = null;
        var values = new List<(string, OptionValue)>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (key == Name) name = Text(ref reader, key);
            else if (key == Assembly) assembly = Text(ref reader, key);
            else values.Add((key, Text(ref reader, key)));
        }

        try
        {
            return new Selection(name ?? throw new JsonException($"An object of options has no \"{Name}\" that says what they are of."), values) { Assembly = assembly };
        }
        catch (ArgumentException e)
        {
            throw new JsonException(e.Message);
        }
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Selection value, JsonSerializerOptions options)
    {
        if (value.Options.Count == 0 && value.Assembly is null)
        {
            writer.WriteStringValue(value.Name);
            return;
        }

        writer.WriteStartObject();
        writer.WriteString(Name, value.Name);
        if (value.Assembly is not null) writer.WriteString(Assembly, value.Assembly);
        foreach (var (option, text) in value.Options)
        {
            writer.WritePropertyName(option);
            if (text is "true" or "false" || IsNumber(text)) writer.WriteRawValue(text);
            else writer.WriteStringValue(text);
        }

        writer.WriteEndObject();
    }

    static string Text(ref Utf8JsonReader reader, string key) => reader.TokenType switch
    {
        JsonTokenType.String => reader.GetString()!,
        JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        _ => throw new JsonException($"The value of \"{key}\" is neither a number nor a text nor true or false."),
    };

    // As JSON has numbers, so that the text comes back as it was.
    static bool IsNumber(string text)
    {
        if (text.Length == 0 || text[0] != '-' && !char.IsAsciiDigit(text[0]) || !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _)) return false;
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
        try
        {
            return reader.Read() && reader.TokenType == JsonTokenType.Number && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
