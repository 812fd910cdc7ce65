using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace QuadEngine.Tests.Formats;

/// <summary>A Python dictionary to pickle, plain or ordered. null is written as None, object[] as a tuple, List as a list.</summary>
sealed class Dict(bool ordered) : List<(object Key, object? Value)>
{
    public bool Ordered => ordered;
}

/// <summary>A callable and its arguments.</summary>
sealed record Call(string Module, string Name, params object?[] Arguments);

/// <summary>A value that the pickle names by a persistent id.</summary>
sealed record Persistent(object?[] Id);

/// <summary>A class or function by name alone.</summary>
sealed record Named(string Module, string Name);

/// <summary>Opcodes that are written unchanged.</summary>
sealed record Raw(params byte[] Opcodes);

/// <summary>
/// Writes pickles like Python: protocol 2 with numbered memo entries, or protocol 4 with frames, short strings and MEMOIZE.
/// Equal strings are written once and recalled afterwards.
/// </summary>
sealed class PickleWriter
{
    readonly MemoryStream stream = new();
    readonly Dictionary<string, int> memo = [];
    readonly int protocol;
    int memoCount;

    PickleWriter(int protocol) => this.protocol = protocol;

    public static byte[] Pickle(object? value, int protocol = 2)
    {
        var writer = new PickleWriter(protocol);
        writer.Put(0x80, (byte)protocol);
        if (protocol >= 4)
            writer.Put([0x95, .. BitConverter.GetBytes(0UL)]);      // the length of a frame is a hint
        writer.Write(value);
        writer.Put((byte)'.');
        return writer.stream.ToArray();
    }

    void Write(object? value)
    {
        switch (value)
        {
            case null: Put((byte)'N'); break;
            case bool b: Put((byte)(b ? 0x88 : 0x89)); break;
            case int i: Write((long)i); break;
            case long and >= 0 and < 256 and var n: Put((byte)'K', (byte)n); break;
            case long and >= 0 and < 65536 and var n: Put([(byte)'M', .. BitConverter.GetBytes((ushort)n)]); break;
            case long and >= int.MinValue and <= int.MaxValue and var n: Put([(byte)'J', .. BitConverter.GetBytes((int)n)]); break;
            case long n: Write((BigInteger)n); break;
            case BigInteger n: Put([0x8A, (byte)n.ToByteArray().Length, .. n.ToByteArray()]); break;
            case double d: Put([(byte)'G', .. BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(BitConverter.DoubleToInt64Bits(d)))]); break;
            case string s: WriteText(s); break;
            case object?[] tuple: WriteTuple(tuple); break;
            case List<object?> list: Put((byte)']'); Memoize(); WriteItems(list, 'e'); break;
            case Dict dictionary: WriteDictionary(dictionary); break;
            case Named named: WriteNamed(named); break;
            case Call call: WriteNamed(new Named(call.Module, call.Name)); WriteTuple(call.Arguments); Put((byte)'R'); Memoize(); break;
            case Persistent persistent: WriteTuple(persistent.Id); Put((byte)'Q'); break;
            case Raw raw: Put(raw.Opcodes); break;
            default: throw new ArgumentException($"no pickle for {value.GetType()}");
        }
    }

    void WriteText(string text)
    {
        if (memo.TryGetValue(text, out var index))
        {
            Put(index < 256 ? [(byte)'h', (byte)index] : [(byte)'j', .. BitConverter.GetBytes(index)]);
            return;
        }
        var bytes = Encoding.UTF8.GetBytes(text);
        Put(protocol >= 4 && bytes.Length < 256 ? [0x8C, (byte)bytes.Length] : [(byte)'X', .. BitConverter.GetBytes(bytes.Length)]);
        Put(bytes);
        memo[text] = memoCount;
        Memoize();
    }

    void WriteNamed(Named named)
    {
        if (protocol >= 4)
        {
            WriteText(named.Module);
            WriteText(named.Name);
            Put(0x93);
        }
        else
            Put(Encoding.UTF8.GetBytes($"c{named.Module}\n{named.Name}\n"));
        Memoize();
    }

    void WriteTuple(object?[] items)
    {
        if (items.Length == 0)
        {
            Put((byte)')');
            return;
        }
        if (items.Length > 3)
            Put((byte)'(');
        foreach (var item in items)
            Write(item);
        Put(items.Length > 3 ? (byte)'t' : (byte)(0x84 + items.Length));
        Memoize();
    }

    void WriteDictionary(Dict dictionary)
    {
        if (dictionary.Ordered)
            Write(new Call("collections", "OrderedDict"));
        else
        {
            Put((byte)'}');
            Memoize();
        }
        WriteItems([.. dictionary.SelectMany(pair => new[] { pair.Key, pair.Value })], 'u');
    }

    void WriteItems(List<object?> items, char opcode)
    {
        if (items.Count == 0)
            return;
        Put((byte)'(');
        foreach (var item in items)
            Write(item);
        Put((byte)opcode);
    }

    void Memoize()
    {
        if (protocol >= 4)
            Put(0x94);
        else
            Put(memoCount < 256 ? [(byte)'q', (byte)memoCount] : [(byte)'r', .. BitConverter.GetBytes(memoCount)]);
        memoCount++;
    }

    void Put(params byte[] bytes) => stream.Write(bytes);
}
