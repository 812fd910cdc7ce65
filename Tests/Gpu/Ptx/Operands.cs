using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>The operands of one instruction in the text, found in the declarations before it.</summary>
sealed partial class Operands(Declarations declared, int line, string text, IReadOnlyList<string> operands)
{
    public int Line => line;

    public string Text => text;

    /// <summary>The operands that were requested; all must be.</summary>
    public int Used { get; private set; }

    public int Count => operands.Count;

    /// <summary>The registers among the requested operands.</summary>
    public List<int> Registers { get; } = [];

    /// <summary>Returns a register to write to.</summary>
    public int Target<T>(int i) where T : unmanaged => Find(i, At(i), Unsafe.SizeOf<T>(), mayBeNumber: false);

    /// <summary>Returns a register, or the own register of a number.</summary>
    public int Source<T>(int i) where T : unmanaged => Find(i, At(i), Unsafe.SizeOf<T>(), mayBeNumber: true);

    public int TargetPredicate(int i) => declared.Register(At(i)) is { Bytes: 0, Place: var place } ? place : throw Fault($"{At(i)} is not a predicate");

    public int Predicate(int i) => Predicate(i, out var negated) is var place && !negated ? place : throw Fault($"{At(i)} is negated");

    public int Predicate(int i, out bool negated)
    {
        var name = At(i);
        negated = name.StartsWith('!');
        if (name is "0" or "1") return declared.ConstantPredicate(name == "1");
        return declared.Register(name.TrimStart('!')) is { Bytes: 0, Place: var place } ? place : throw Fault($"{name} is not a predicate");
    }

    /// <summary>{a, b, c, d}, or one register.</summary>
    public int[] Vector(int i, int count, int bytes)
    {
        var names = At(i).StartsWith('{') ? [.. At(i)[1..^1].Split(',').Select(name => name.Trim())] : (string[])[At(i)];
        return names.Length == count ? [.. names.Select(name => Find(i, name, bytes, mayBeNumber: true))] : throw Fault($"{At(i)} are {names.Length} values, not {count}");
    }

    /// <summary>[register + number] or [variable + number].</summary>
    public Address Address(int i)
    {
        var (name, offset) = Bracket(i);
        if (declared.Variable(name) is { } variable) return new Address(declared.Constant((ulong)variable.Start, wide: true), true, offset);
        return declared.Register(name) is { Bytes: 4 or 8 } register ? new Address(Note(register.Place), register.Bytes == 8, offset) : throw Fault($"{name} is not a register for an address");
    }

    public int ParameterOffset(int i, int bytes)
    {
        var (name, offset) = Bracket(i);
        if (declared.Parameter(name) is not { } parameter) throw Fault($"{name} is not a parameter");
        return offset >= 0 && offset + bytes <= parameter.Bytes && offset % bytes == 0 ? (int)(parameter.Start + offset) : throw Fault($"byte {offset} of {parameter.Bytes} of the parameter {name}");
    }

    public string Label(int i) => At(i);

    public int Number(int i) => (int)(Immediate(i) ?? throw Fault($"{At(i)} is not a number"));

    /// <summary>Returns an integer in the text, or null.</summary>
    public long? Immediate(int i) => long.TryParse(At(i), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>Returns a value if an operand is the given number; else throws.</summary>
    public T Only<T>(int i, int number, T then) => Number(i) == number ? then : throw Fault($"{At(i)} is known only as {number}");

    string At(int i)
    {
        Used = Math.Max(Used, i + 1);
        return i < operands.Count ? operands[i] : throw Fault($"operand {i + 1} is missing");
    }

    int Find(int i, string name, int bytes, bool mayBeNumber)
    {
        if (declared.Register(name) is { } register) return register.Bytes == bytes ? Note(register.Place) : throw Fault($"{name} has {8 * register.Bytes} bits, not {8 * bytes}");
        if (!mayBeNumber) throw Fault($"{name} is not a register");
        if (declared.SpecialRegister(name) is { } special) return bytes == 4 ? special : throw Fault($"{name} has 32 bits");
        if (declared.Variable(name) is { } variable) return declared.Constant((ulong)variable.Start, bytes == 8);
        if (FloatBits().Match(name) is { Success: true } bits) return bits.Groups[1].Value == (bytes == 8 ? "d" : "f") ? declared.Constant(ulong.Parse(bits.Groups[2].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture), bytes == 8) : throw Fault($"{name} has not {8 * bytes} bits");
        if (long.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) return declared.Constant((ulong)value, bytes == 8);
        throw Fault($"{name} is not declared");
    }

    int Note(int register)
    {
        Registers.Add(register);
        return register;
    }

    (string Name, long Offset) Bracket(int i)
    {
        var match = InBrackets().Match(At(i));
        if (!match.Success) throw Fault($"{At(i)} is not an address");
        return (match.Groups[1].Value, match.Groups[2].Success ? long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) : 0);
    }

    public PtxFault Fault(string message) => new($"line {line}: {text}: {message}");

    [GeneratedRegex(@"^\[\s*([%\w]+)\s*(?:\+\s*(-?\d+))?\s*\]$")]
    private static partial Regex InBrackets();

    [GeneratedRegex("^0([fd])([0-9A-Fa-f]{8,16})$")]
    private static partial Regex FloatBits();
}
