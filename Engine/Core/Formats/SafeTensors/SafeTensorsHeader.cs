using System.Collections.Frozen;
using System.Text.Json;

namespace QuadEngine;

/// <summary>
/// The JSON header of a safetensors file, completely checked: after <see cref="Parse"/> each entry has a known type and a shape
/// that fits its bytes, and the entries cover the data without holes or overlaps.
/// <code>{"__metadata__": {"key": "value"}, "conv1.weight": {"dtype": "F32", "shape": [16, 3, 3, 3], "data_offsets": [0, 1728]}, ...}</code>
/// </summary>
internal ref struct SafeTensorsHeader
{
    public const string MetadataKey = "__metadata__";

    static readonly FrozenDictionary<string, ElementType> types = Enum.GetValues<ElementType>().ToFrozenDictionary(t => t.ToString());

    readonly string path;
    Utf8JsonReader json;

    SafeTensorsHeader(string path, ReadOnlySpan<byte> header)
    {
        this.path = path;
        json = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = 8 });
    }

    public OrderedDictionary<string, SafeTensorsEntry> Entries { get; } = [];

    public OrderedDictionary<string, string> Metadata { get; } = [];

    /// <param name="path">The file, for messages.</param>
    /// <param name="header">The JSON, padded with spaces.</param>
    /// <param name="dataLength">The bytes that follow the header.</param>
    public static SafeTensorsHeader Parse(string path, ReadOnlySpan<byte> header, long dataLength)
    {
        var parsed = new SafeTensorsHeader(path, header);
        try
        {
            parsed.ReadEntries();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)      // InvalidOperationException: a string that is not Unicode
        {
            throw parsed.Invalid($"the header is not the JSON of a safetensors file ({e.Message.TrimEnd('.')})");
        }
        parsed.CheckCoverage(dataLength);
        return parsed;
    }

    void ReadEntries()
    {
        json.Read();
        Expect(JsonTokenType.StartObject, "the header");
        var metadataSeen = false;
        while (NextKey(out var name))
        {
            if (name != MetadataKey)
            {
                var entry = ReadEntry(name);
                if (!Entries.TryAdd(name, entry))
                    throw Invalid($"the tensor \"{name}\" appears twice");
            }
            else if (metadataSeen)
                throw Invalid($"\"{MetadataKey}\" appears twice");
            else
            {
                metadataSeen = true;
                ReadMetadata();
            }
        }
        json.Read();      // throws if anything but padding follows
    }

    void ReadMetadata()
    {
        Expect(JsonTokenType.StartObject, $"\"{MetadataKey}\"");
        while (NextKey(out var key))
        {
            Expect(JsonTokenType.String, $"the metadata \"{key}\"");
            if (!Metadata.TryAdd(key, json.GetString()!))
                throw Invalid($"the metadata \"{key}\" appears twice");
        }
    }

    SafeTensorsEntry ReadEntry(string name)
    {
        Expect(JsonTokenType.StartObject, $"the tensor \"{name}\"");
        string? typeName = null;
        long[]? shape = null, offsets = null;
        while (NextKey(out var key))
        {
            var repeated = false;
            switch (key)
            {
                case "dtype":
                    repeated = typeName is not null;
                    Expect(JsonTokenType.String, $"dtype of \"{name}\"");
                    typeName = json.GetString();
                    break;
                case "shape":
                    repeated = shape is not null;
                    shape = ReadIntegers(name, key);
                    break;
                case "data_offsets":
                    repeated = offsets is not null;
                    offsets = ReadIntegers(name, key);
                    break;
                default:
                    json.Skip();
                    break;
            }
            if (repeated)
                throw Invalid($"tensor \"{name}\" has {key} twice");
        }
        return CheckEntry(name, typeName, shape, offsets);
    }

    readonly SafeTensorsEntry CheckEntry(string name, string? typeName, long[]? shape, long[]? offsets)
    {
        if (typeName is null || shape is null || offsets is null)
            throw Invalid($"tensor \"{name}\" lacks its {(typeName is null ? "dtype" : shape is null ? "shape" : "data_offsets")}");
        if (!types.TryGetValue(typeName, out var type))
            throw Invalid($"tensor \"{name}\" has the unknown dtype \"{typeName}\" (known: {string.Join(", ", types.Keys.Order())})");
        if (offsets is not [var start, var end] || start > end)
            throw Invalid($"tensor \"{name}\" has data_offsets {HostTensor.Text(offsets)} where [start, end] is expected");
        if (shape.Length + (type == ElementType.C64 ? 1 : 0) > HostTensor.MaxRank)
            throw Invalid($"tensor \"{name}\" of {type} has more than {HostTensor.MaxRank} axes, where the two parts of complex numbers count as one");
        if (!HostTensor.TryCount(shape, out var count))
            throw Invalid($"tensor \"{name}\" has the shape {HostTensor.Text(shape)}, beyond what an array can hold");

        var bits = (long)count * type.Bits();
        if (bits % 8 != 0 || bits / 8 != end - start)
            throw Invalid($"tensor \"{name}\" has {end - start} bytes but {HostTensor.Text(shape)} of {type} takes {bits / 8.0:0.###}");
        return new SafeTensorsEntry(name, type, Array.ConvertAll(shape, d => (int)d), start, end);
    }

    /// <summary>Checks that each byte of the data belongs to exactly one tensor, so that nothing is read twice or hidden between tensors.</summary>
    readonly void CheckCoverage(long dataLength)
    {
        var (covered, previous) = (0L, "the start of the data");
        foreach (var entry in Entries.Values.OrderBy(e => e.Start).ThenBy(e => e.End))
        {
            if (entry.Start != covered)
                throw Invalid($"tensor \"{entry.Name}\" starts at byte {entry.Start} of the data, " +
                    $"{(entry.Start < covered ? "inside" : "leaving a hole behind")} {previous}, which ends at {covered}");
            (covered, previous) = (entry.End, $"\"{entry.Name}\"");
        }
        if (covered != dataLength)
            throw Invalid($"the tensors take {covered} bytes but {dataLength} follow the header");
    }

    // This keeps at most one number more than a valid list has, so that a list of a million numbers costs no memory.
    long[] ReadIntegers(string name, string key)
    {
        Expect(JsonTokenType.StartArray, $"{key} of \"{name}\"");
        var integers = new List<long>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out var value) || value < 0)
                throw Invalid($"{key} of tensor \"{name}\" is not a list of integers from 0 to {long.MaxValue}");
            if (integers.Count <= HostTensor.MaxRank)
                integers.Add(value);
        }
        return [.. integers];
    }

    /// <summary>Moves to the next key of an object and on to its value; false at the object's end.</summary>
    bool NextKey(out string key)
    {
        key = "";
        if (!json.Read() || json.TokenType == JsonTokenType.EndObject)
            return false;
        key = json.GetString()!;
        json.Read();
        return true;
    }

    readonly void Expect(JsonTokenType type, string what)
    {
        if (json.TokenType != type)
            throw Invalid($"{what} is {json.TokenType} where {type} is expected");
    }

    readonly InvalidFileException Invalid(string problem) => new(path, $"header byte {json.TokenStartIndex}", problem);
}
