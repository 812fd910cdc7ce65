using System.Collections.Frozen;

namespace QuadEngine;

/// <summary>The kind of a storage, as a pickle names it. An untyped storage counts bytes, and its tensors have the type.</summary>
internal sealed record TorchStorageType(ElementType Type);

/// <summary>A sequence of elements in the file that tensors view. <see cref="Start"/> and <see cref="Count"/> are in elements of its type.</summary>
internal sealed record TorchStorage(string Key, ElementType Type, long StoredCount, long Start, long Count);

/// <summary>A strided view of a storage: element [i, j, ...] is storage[offset + i strides[0] + j strides[1] + ...]. All numbers are in elements.</summary>
/// <remarks>Size and Stride are the pickle's own tuples of integers. They are shared and not copied, because a hostile file could name one tuple a million times.</remarks>
internal sealed record TorchTensor(TorchStorage Storage, ElementType Type, long Offset, object?[] Size, object?[] Stride);

/// <summary>Everything that a pickle of torch.save may name here. Any other name is refused.</summary>
internal static class TorchGlobals
{
    public static FrozenDictionary<string, object> Table { get; } = Build();

    static FrozenDictionary<string, object> Build()
    {
        var table = new Dictionary<string, object>();
        AddTypes(table);
        AddLeftOut(table);
        Add(table, "collections.OrderedDict", "nothing, or a list of pairs", OrderedDict);
        Add(table, "collections.Counter", "nothing, or a dictionary", a => a is [] ? new PickledDictionary() : a is [PickledDictionary] ? a[0] : null);      // milestones of MultiStepLR
        Add(table, "torch.Size", "sizes", a => a is [object?[] or List<object?>] ? a[0] : null);
        Add(table, "torch.device", "type, perhaps index", a => a is [string type, ..] ? type : null);
        Add(table, "torch._utils._rebuild_tensor", "storage, offset, size, stride", RebuildTensor);
        Add(table, "torch._utils._rebuild_tensor_v2", "storage, offset, size, stride, requires_grad, hooks", RebuildTensor);
        Add(table, "torch._utils._rebuild_tensor_v3", "storage, offset, size, stride, requires_grad, hooks, dtype", RebuildTypedTensor);
        Add(table, "torch._utils._rebuild_parameter", "tensor, requires_grad, hooks", FirstTensor);
        Add(table, "torch._utils._rebuild_parameter_with_state", "tensor, requires_grad, hooks, state", FirstTensor);
        return table.ToFrozenDictionary();
    }

    // Values that training programs save together with the weights. Python 3 has renamed __builtin__ to builtins, and protocol 2 writes bytes as a text with its encoding.
    static void AddLeftOut(Dictionary<string, object> table)
    {
        Add(table, "collections.defaultdict", "nothing, or what makes a value", a => a is [] or [PickledFunction] ? new PickledDictionary() : null);
        Add(table, "_codecs.encode", "a text and its encoding", a => a is [string, string] ? new PickledRest("bytes") : null);
        foreach (var module in new[] { "__builtin__", "builtins" })
        {
            foreach (var set in new[] { "set", "frozenset" }) Add(table, $"{module}.{set}", "nothing, or a list", a => a is [] or [List<object?>] ? new PickledRest("a set") : null);
            Add(table, $"{module}.bytearray", "nothing, or bytes", a => a is [] or [byte[] or PickledRest] or [string, string] ? new PickledRest("bytes") : null);
            Add(table, $"{module}.bytes", "nothing, or bytes", a => a is [] or [byte[] or PickledRest] ? new PickledRest("bytes") : null);
            Add(table, $"{module}.complex", "two numbers", a => a is [double, double] ? new PickledRest("a complex number") : null);

            // The function that makes the values of a defaultdict.
            Add(table, $"{module}.dict", "nothing", a => a is [] ? new PickledDictionary() : null);
            Add(table, $"{module}.list", "nothing", a => a is [] ? new List<object?>() : null);
            foreach (var number in new[] { "int", "float", "bool", "str" }) Add(table, $"{module}.{number}", "nothing", _ => null);
        }
    }

    static void AddTypes(Dictionary<string, object> table)
    {
        ReadOnlySpan<(string? Storage, string Dtype, ElementType Type)> types =
        [
            ("DoubleStorage", "float64", ElementType.F64),
            ("FloatStorage", "float32", ElementType.F32),
            ("HalfStorage", "float16", ElementType.F16),
            ("BFloat16Storage", "bfloat16", ElementType.BF16),
            ("LongStorage", "int64", ElementType.I64),
            ("IntStorage", "int32", ElementType.I32),
            ("ShortStorage", "int16", ElementType.I16),
            ("CharStorage", "int8", ElementType.I8),
            ("ByteStorage", "uint8", ElementType.U8),
            ("BoolStorage", "bool", ElementType.BOOL),
            (null, "uint16", ElementType.U16),
            (null, "uint32", ElementType.U32),
            (null, "uint64", ElementType.U64),
            (null, "float8_e4m3fn", ElementType.F8_E4M3),
            (null, "float8_e5m2", ElementType.F8_E5M2),
            (null, "float8_e4m3fnuz", ElementType.F8_E4M3FNUZ),
            (null, "float8_e5m2fnuz", ElementType.F8_E5M2FNUZ),
            (null, "float8_e8m0fnu", ElementType.F8_E8M0),
        ];
        foreach (var (storage, dtype, type) in types)
        {
            table.Add("torch." + dtype, type);
            if (storage is not null)
                table.Add("torch." + storage, new TorchStorageType(type));
        }
        table.Add("torch.storage.UntypedStorage", new TorchStorageType(ElementType.U8));
    }

    static void Add(Dictionary<string, object> table, string name, string parameters, Func<object?[], object?> apply) =>
        table.Add(name, new PickledFunction(name, parameters, apply));

    /// <summary>
    /// ("storage", type, key, location, count). In the older format (view key, offset, count) or None follows: a view of a storage.
    /// </summary>
    public static object? Storage(object? id)
    {
        if (id is not object?[] parts || parts is not ["storage", TorchStorageType { Type: var type }, string key, _, long count, ..] || count < 0)
            return null;
        return parts[5..] switch
        {
            [] or [null] => new TorchStorage(key, type, count, 0, count),
            [object?[] view] when view is [_, long start, long length] && start >= 0 && length >= 0 && start <= count && length <= count - start =>
                new TorchStorage(key, type, count, start, length),
            _ => null,
        };
    }

    // Python 2 passes the pairs as a list. The list is emptied after use, so that a hostile file gains nothing by naming one list many times.
    static PickledDictionary? OrderedDict(object?[] arguments)
    {
        var dictionary = new PickledDictionary();
        if (arguments is [])
            return dictionary;
        if (arguments is not [List<object?> pairs])
            return null;
        foreach (var pair in pairs)
        {
            if (pair is not (IList<object?> and [var key, var value]))
                return null;
            dictionary.Items.Add(new(key, value));
        }
        pairs.Clear();
        return dictionary;
    }

    static TorchTensor? RebuildTensor(object?[] arguments) =>
        arguments is [TorchStorage storage, long offset, object?[] size, object?[] stride, ..]
        && size.Length == stride.Length && size.Length <= HostTensor.MaxRank && size.Concat(stride).All(n => n is long)
            ? new TorchTensor(storage, storage.Type, offset, size, stride)
            : null;

    static TorchTensor? RebuildTypedTensor(object?[] arguments) =>
        arguments is [_, _, _, _, _, _, ElementType type, ..] && RebuildTensor(arguments) is { } tensor ? tensor with { Type = type } : null;

    static object? FirstTensor(object?[] arguments) => arguments is [TorchTensor tensor, ..] ? tensor : null;
}
