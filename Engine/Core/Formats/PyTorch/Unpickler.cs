using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Numerics;
using System.Text;

namespace QuadEngine;

/// <summary>A Python dictionary, in order. It is a list of pairs, so that keys chosen by a hostile file are never hashed.</summary>
internal sealed class PickledDictionary
{
    public List<KeyValuePair<object?, object?>> Items { get; } = [];
}

/// <summary>A Python value that no tensor needs. Only its kind is kept.</summary>
internal sealed record PickledRest(string Kind);

/// <summary>A Python callable that a pickle may name. Apply makes its result from the arguments, or null if they do not fit.</summary>
internal sealed record PickledFunction(string Name, string Parameters, Func<object?[], object?> Apply);

/// <summary>
/// A reader for the part of Python's pickle format (protocols 2 to 5) that PyTorch writes for tensors and dictionaries. A pickle is a
/// program for a stack machine. This machine only builds values. It looks up globals in a fixed table and knows nothing else:
/// no import, no attribute, no class, so no code is ever run. Values: null, bool, long, BigInteger, double, string, byte[],
/// object?[] (tuple), List (list), <see cref="PickledDictionary"/>, <see cref="PickledRest"/>, and what the table's entries make.
/// </summary>
/// <remarks>Every opcode allocates in proportion to the bytes it takes, and there is no recursion, so that a pickle can neither exhaust
/// memory nor the stack.</remarks>
internal ref struct Unpickler
{
    const int HighestProtocol = 5;
    const int MaxOpcodes = 1 << 22;      // a tensor needs about 30; this bounds the objects that a hostile pickle can make
    static readonly object unset = new();
    static readonly UTF8Encoding strictUtf8 = new(false, throwOnInvalidBytes: true);

    readonly MappedFile file;
    readonly long origin;
    readonly ReadOnlySpan<byte> pickle;
    readonly FrozenDictionary<string, object> globals;
    readonly Func<object?, object?> persistent;
    readonly List<string> leftOut;
    readonly List<object?> stack = [];
    readonly List<int> marks = [];
    readonly List<object?> memo = [];
    int position;

    Unpickler(MappedFile file, long origin, int length, FrozenDictionary<string, object> globals, Func<object?, object?> persistent, List<string> leftOut)
    {
        this.leftOut = leftOut;
        this.file = file;
        this.origin = origin;
        this.globals = globals;
        this.persistent = persistent;
        pickle = file.Slice(origin, length);
    }

    /// <summary>Reads one pickle and moves <paramref name="offset"/> to the byte after it.</summary>
    /// <param name="file">The file.</param>
    /// <param name="offset">The byte at which the pickle starts.</param>
    /// <param name="end">The byte before which the pickle must end.</param>
    /// <param name="globals">Everything that the pickle may name, as "module.name".</param>
    /// <param name="persistent">Makes a value from a persistent id (in PyTorch: a storage), or null if the id is not valid.</param>
    /// <param name="leftOut">Gets each kind of value that is skipped.</param>
    public static object? Read(
        MappedFile file, ref long offset, long end, FrozenDictionary<string, object> globals, Func<object?, object?> persistent, List<string> leftOut)
    {
        var unpickler = new Unpickler(file, offset, (int)Math.Min(end - offset, int.MaxValue), globals, persistent, leftOut);
        var value = unpickler.Run();
        offset += unpickler.position;
        return value;
    }

    object? Run()
    {
        for (var count = 0; count < MaxOpcodes; count++)
        {
            var opcode = Take(1)[0];
            switch (opcode)
            {
                case 0x80: CheckProtocol(Take(1)[0]); break;                                   // PROTO
                case 0x95: Take(8); break;                                                     // FRAME: a hint for buffering
                case (byte)'.': return Pop();                                                  // STOP
                case (byte)'(': marks.Add(stack.Count); break;                                 // MARK

                case (byte)'N': stack.Add(null); break;                                        // NONE
                case 0x88: stack.Add(true); break;                                             // NEWTRUE
                case 0x89: stack.Add(false); break;                                            // NEWFALSE
                case (byte)'J': stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;      // BININT
                case (byte)'K': stack.Add((long)Take(1)[0]); break;                            // BININT1
                case (byte)'M': stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;     // BININT2
                case 0x8A: stack.Add(Integer(Take(Take(1)[0]))); break;                        // LONG1
                case (byte)'G': stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;              // BINFLOAT
                case (byte)'X': stack.Add(Text(Take(Length4()))); break;                       // BINUNICODE
                case 0x8C: stack.Add(Text(Take(Take(1)[0]))); break;                           // SHORT_BINUNICODE
                case 0x8D: stack.Add(Text(Take(Length8()))); break;                            // BINUNICODE8
                case (byte)'T': stack.Add(Encoding.Latin1.GetString(Take(Length4()))); break;  // BINSTRING, of Python 2
                case (byte)'U': stack.Add(Encoding.Latin1.GetString(Take(Take(1)[0]))); break; // SHORT_BINSTRING, of Python 2
                case (byte)'B': stack.Add(Take(Length4()).ToArray()); break;                   // BINBYTES
                case (byte)'C': stack.Add(Take(Take(1)[0]).ToArray()); break;                  // SHORT_BINBYTES
                case 0x8E: stack.Add(Take(Length8()).ToArray()); break;                        // BINBYTES8

                case 0x96: Take(Length8()); LeaveOut(new("bytes")); break;                     // BYTEARRAY8
                case 0x8F: LeaveOut(new("a set")); break;                                      // EMPTY_SET
                case 0x90: AddItems(PopToMark()); break;                                       // ADDITEMS
                case 0x91: PopToMark(); LeaveOut(new("a set")); break;                         // FROZENSET

                case (byte)')': stack.Add(Array.Empty<object?>()); break;                      // EMPTY_TUPLE
                case (byte)'t': stack.Add(PopToMark()); break;                                 // TUPLE
                case 0x85: stack.Add(PopMany(1)); break;                                       // TUPLE1
                case 0x86: stack.Add(PopMany(2)); break;                                       // TUPLE2
                case 0x87: stack.Add(PopMany(3)); break;                                       // TUPLE3
                case (byte)']': stack.Add(new List<object?>()); break;                         // EMPTY_LIST
                case (byte)'a': Append(PopMany(1)); break;                                     // APPEND
                case (byte)'e': Append(PopToMark()); break;                                    // APPENDS
                case (byte)'}': stack.Add(new PickledDictionary()); break;                     // EMPTY_DICT
                case (byte)'s': SetItems(PopMany(2)); break;                                   // SETITEM
                case (byte)'u': SetItems(PopToMark()); break;                                  // SETITEMS

                case (byte)'q': Remember(Take(1)[0]); break;                                   // BINPUT
                case (byte)'r': Remember(Length4()); break;                                    // LONG_BINPUT
                case 0x94: Remember(memo.Count); break;                                        // MEMOIZE
                case (byte)'h': stack.Add(Recall(Take(1)[0])); break;                          // BINGET
                case (byte)'j': stack.Add(Recall(Length4())); break;                           // LONG_BINGET

                case (byte)'c': stack.Add(Global(Line(), Line())); break;                      // GLOBAL
                case 0x93: StackGlobal(PopMany(2)); break;                                     // STACK_GLOBAL
                case (byte)'R': Reduce(PopMany(2)); break;                                     // REDUCE
                case (byte)'b': Build(Pop()); break;                                           // BUILD
                case (byte)'Q': PersistentId(Pop()); break;                                    // BINPERSID

                default:
                    throw Invalid(
                        $"the pickle opcode 0x{opcode:X2} is not one of those that tensors and dictionaries need",
                        "Save model.state_dict() with torch.save and its usual protocol, or convert it to safetensors.");
            }
        }
        throw Invalid($"the pickle has more than {MaxOpcodes} opcodes", "Save only model.state_dict() with torch.save.");
    }

    readonly void CheckProtocol(byte protocol)
    {
        if (protocol > HighestProtocol)
            throw Invalid($"the pickle protocol is {protocol}; {HighestProtocol} is the highest known");
    }

    // Only the globals of the table exist. Any other name is refused before a value is made from it.
    readonly object Global(string module, string name) => globals.TryGetValue($"{module}.{name}", out var value)
        ? value
        : throw Invalid(
            $"the pickle names \"{module}.{name}\", which is refused: tensors and dictionaries do not need it, and nothing else is built or run",
            "If you trust the file, load it in Python and save only model.state_dict(); if it pickles a whole module, do the same.");

    readonly void StackGlobal(object?[] names)
    {
        if (names is not [string module, string name])
            throw Invalid("STACK_GLOBAL needs two strings");
        stack.Add(Global(module, name));
    }

    readonly void Reduce(object?[] call)
    {
        if (call is not [PickledFunction function, object?[] arguments])
            throw Invalid("REDUCE needs a function of the known ones and a tuple of arguments");
        var value = function.Apply(arguments) ?? throw Invalid($"{function.Name} is called with {arguments.Length} arguments that do not fit ({function.Parameters})");
        if (value is PickledRest rest) LeaveOut(rest);
        else stack.Add(value);
    }

    readonly void LeaveOut(PickledRest rest)
    {
        if (!leftOut.Contains(rest.Kind)) leftOut.Add(rest.Kind);
        stack.Add(rest);
    }

    readonly void AddItems(object?[] _)
    {
        if (stack is not [.., PickledRest])
            throw Invalid("ADDITEMS needs a set on the stack");
    }

    // BUILD adds state to a value. PyTorch adds version numbers to a state dictionary, which are not needed here.
    readonly void Build(object? state)
    {
        if (state is not PickledDictionary || stack is not [.., PickledDictionary])
            throw Invalid("BUILD is known for dictionaries only");
    }

    readonly void PersistentId(object? id) =>
        stack.Add(persistent(id) ?? throw Invalid("the persistent id is not (\"storage\", a storage type, key, location, number of elements)"));

    readonly void Append(object?[] items)
    {
        if (stack is not [.., List<object?> list])
            throw Invalid("APPEND needs a list on the stack");
        list.AddRange(items);
    }

    readonly void SetItems(object?[] items)
    {
        if (stack is not [.., PickledDictionary dictionary] || items.Length % 2 != 0)
            throw Invalid("SETITEMS needs a dictionary and pairs on the stack");
        for (var i = 0; i < items.Length; i += 2)
            dictionary.Items.Add(new(items[i], items[i + 1]));
    }

    // Python numbers memo entries from 0. This accepts any index up to the number of bytes read so far, which bounds the memo by the size of the file.
    readonly void Remember(int index)
    {
        if (index > position || stack.Count == 0)
            throw Invalid($"the memo index {index} is out of order");
        while (memo.Count <= index)
            memo.Add(unset);
        memo[index] = stack[^1];
    }

    readonly object? Recall(int index) => index < memo.Count && memo[index] != unset
        ? memo[index]
        : throw Invalid($"the memo index {index} was never set");

    object? Pop() => PopMany(1)[0];

    readonly object?[] PopMany(int count)
    {
        var start = stack.Count - count;
        if (start < (marks.Count == 0 ? 0 : marks[^1]))
            throw Invalid("the stack is empty");
        return PopFrom(start);
    }

    readonly object?[] PopToMark()
    {
        if (marks.Count == 0)
            throw Invalid("there is no mark on the stack");
        var start = marks[^1];
        marks.RemoveAt(marks.Count - 1);
        return PopFrom(start);
    }

    readonly object?[] PopFrom(int start)
    {
        var items = new object?[stack.Count - start];
        stack.CopyTo(start, items, 0, items.Length);
        stack.RemoveRange(start, items.Length);
        return items;
    }

    static object Integer(ReadOnlySpan<byte> bytes)
    {
        var value = new BigInteger(bytes);
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    readonly string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Invalid("a string is not UTF-8");
        }
    }

    string Line()
    {
        var length = pickle[position..].IndexOf((byte)'\n');
        if (length < 0)
            throw Invalid("a name does not end");
        var line = Text(pickle.Slice(position, length));
        position += length + 1;
        return line;
    }

    int Length4() => CheckLength(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));

    int Length8() => CheckLength(BinaryPrimitives.ReadUInt64LittleEndian(Take(8)));

    readonly int CheckLength(ulong length) => length <= (ulong)pickle.Length
        ? (int)length
        : throw Invalid($"a length of {length} is beyond the pickle's {pickle.Length} bytes");

    ReadOnlySpan<byte> Take(int count)
    {
        if (count > pickle.Length - position)
            throw Invalid($"the pickle ends where {count} more bytes are expected");
        var bytes = pickle.Slice(position, count);
        position += count;
        return bytes;
    }

    readonly InvalidFileException Invalid(string problem, string fix = InvalidFileException.GetAgain) =>
        new(file.Path, $"byte {origin + position}", problem, fix);
}
