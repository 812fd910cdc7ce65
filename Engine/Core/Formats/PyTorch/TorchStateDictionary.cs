namespace QuadEngine;

/// <summary>Finds the tensors in the value of a checkpoint's pickle, and reads their data.</summary>
internal static class TorchStateDictionary
{
    // The keys under which training programs store the state dictionary, in the order in which they are tried.
    static readonly string[] places = ["state_dict", "model_state_dict", "model_state", "model", "net"];
    const int MaxNesting = 4;
    const string DataParallelPrefix = "module.";

    /// <param name="file">The checkpoint.</param>
    /// <param name="root">The value of its pickle.</param>
    /// <param name="leftOut">Gets a message if all names share a prefix.</param>
    /// <param name="locate">The byte at which a storage's data starts; checks that the file has the whole storage.</param>
    public static IReadOnlyDictionary<string, HostTensor> Read(MappedFile file, object? root, List<string> leftOut, Func<TorchStorage, long> locate)
    {
        var found = Find(file, root);
        var isDataParallel = found.Keys.All(name => name.StartsWith(DataParallelPrefix, StringComparison.Ordinal));
        if (isDataParallel) leftOut.Add($"the prefix \"{DataParallelPrefix}\" of all names");
        var tensors = new OrderedDictionary<string, HostTensor>(found.Count);
        var elements = 0L;
        foreach (var (name, tensor) in found)
        {
            var view = new View(Integers(tensor.Size), Integers(tensor.Stride), tensor.Offset);
            if (!HostTensor.TryCount(view.Shape, out var count))
                throw Invalid(file, name, $"the shape {HostTensor.Text(view.Shape)} is beyond what an array can hold");
            // Views may overlap and repeat (tied weights, strides of 0). But more elements than the file has bytes would be an attack on memory.
            if ((elements += count) > file.Length)
                throw Invalid(file, name, $"the tensors up to this one expand to {elements} elements, more than the file has bytes ({file.Length})",
                    "Call contiguous() on expanded tensors before saving.");
            tensors.Add(isDataParallel ? name[DataParallelPrefix.Length..] : name, Read(file, name, tensor, view, count, locate));
        }
        return tensors;
    }

    static OrderedDictionary<string, TorchTensor> Find(MappedFile file, object? root)
    {
        var value = root;
        for (var depth = 0; depth < MaxNesting && value is PickledDictionary dictionary; depth++)
        {
            if (places.Select(place => Last(dictionary, place)).FirstOrDefault(v => v is PickledDictionary) is not { } nested)
                break;
            value = nested;
        }

        var tensors = new OrderedDictionary<string, TorchTensor>();
        foreach (var (key, item) in (value as PickledDictionary)?.Items ?? [])
        {
            if (key is string name && item is TorchTensor tensor)
                tensors[name] = tensor;
        }
        return tensors.Count > 0 ? tensors : throw new InvalidFileException(file.Path, "",
            $"there is no state dictionary in this checkpoint: it holds {Describe(root)}",
            $"Save model.state_dict(), alone or under one of the keys {string.Join(", ", places)}.");
    }

    static object? Last(PickledDictionary dictionary, string key) => dictionary.Items.LastOrDefault(item => item.Key is string name && name == key).Value;

    static string Describe(object? root) => root switch
    {
        PickledDictionary dictionary => $"a dictionary with the keys {string.Join(", ", dictionary.Items.Select(item => item.Key as string ?? "?").Take(10))}",
        TorchTensor => "a single tensor",
        List<object?> or object?[] => "a list",
        null => "None",
        _ => $"a {root.GetType().Name}",
    };

    static HostTensor Read(MappedFile file, string name, TorchTensor tensor, View view, int count, Func<TorchStorage, long> locate)
    {
        var shape = Array.ConvertAll(view.Shape, d => (int)d);
        if (count == 0)
            return new HostTensor([], shape);

        // An untyped storage counts bytes; the view counts elements of the tensor's type.
        var storage = tensor.Storage;
        var storageStart = locate(storage) + storage.Start * (storage.Type.Bits() / 8);
        var size = tensor.Type.Bits() / 8;
        var available = storage.Count * (storage.Type.Bits() / 8) / size;
        var last = view.Last;
        if (view.Offset < 0 || view.Strides.Any(stride => stride < 0) || last >= available)
            throw Invalid(file, name, $"offset {view.Offset}, shape {HostTensor.Text(view.Shape)} and strides {HostTensor.Text(view.Strides)} " +
                $"leave its storage of {available} elements");

        var extent = (long)last - view.Offset + 1;
        if (extent > Array.MaxLength)
            throw Invalid(file, name, $"it is spread over {extent} elements, beyond what an array can hold", "Call contiguous() on it before saving.");
        var values = Elements.Read(file, storageStart + view.Offset * size, tensor.Type, (int)extent);
        return new HostTensor(view.IsContiguous ? values : view.Gather(values, count), shape);
    }

    static long[] Integers(object?[] tuple) => Array.ConvertAll(tuple, n => (long)n!);

    static InvalidFileException Invalid(MappedFile file, string name, string problem, string fix = InvalidFileException.GetAgain) =>
        new(file.Path, $"tensor \"{name}\"", problem, fix);

    /// <summary>The layout of a tensor in its storage, in elements.</summary>
    readonly record struct View(long[] Shape, long[] Strides, long Offset)
    {
        /// <summary>The storage index of the last element; the view must not be empty.</summary>
        public Int128 Last => Shape.Zip(Strides).Aggregate((Int128)Offset, (last, axis) => last + (axis.First - 1) * (Int128)axis.Second);

        public bool IsContiguous
        {
            get
            {
                var expected = 1L;
                for (var axis = Shape.Length - 1; axis >= 0; axis--)
                {
                    if (Shape[axis] != 1 && Strides[axis] != expected)
                        return false;
                    expected *= Shape[axis];
                }
                return true;
            }
        }

        /// <summary>The elements in row-major order. The index counts up like an odometer, and the position in the storage follows it.</summary>
        /// <param name="storage">The storage from this view's offset to its last element.</param>
        /// <param name="count">The number of elements of the view.</param>
        public float[] Gather(float[] storage, int count)
        {
            var values = new float[count];
            var index = new int[Shape.Length];
            var position = 0L;
            for (var i = 0; i < count; i++)
            {
                values[i] = storage[position];
                for (var axis = Shape.Length - 1; axis >= 0; axis--)
                {
                    position += Strides[axis];
                    if (++index[axis] < Shape[axis])
                        break;
                    position -= Strides[axis] * Shape[axis];
                    index[axis] = 0;
                }
            }
            return values;
        }
    }
}
