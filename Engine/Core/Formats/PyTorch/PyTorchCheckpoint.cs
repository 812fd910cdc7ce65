using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace QuadEngine;

/// <summary>
/// Reads files of torch.save without Python: the zip format (since PyTorch 1.6) and the older stream of pickles. Pickles are programs.
/// Here they can only build tensors and dictionaries; a pickle that names anything else is refused. No code of the file is ever executed.
/// </summary>
public static class PyTorchCheckpoint
{
    const byte PickleStart = 0x80;
    const long LegacyProtocol = 1001;
    static readonly BigInteger legacyMagic = BigInteger.Parse("01950a86a20f9469cfc6c", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>
    /// Reads the state dictionary of a checkpoint, converted to float32, in its order and layouts. It is the checkpoint itself, or the value
    /// under "state_dict", "model_state_dict", "model_state", "model" or "net". The prefix "module." of DataParallel is dropped if all
    /// names have it. Entries that are not tensors are skipped.
    /// </summary>
    /// <param name="path">A file of torch.save, with any name.</param>
    /// <exception cref="InvalidFileException">The file is not a checkpoint, is damaged, or names something that tensors do not need.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static IReadOnlyDictionary<string, HostTensor> Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var file = new MappedFile(path);
        return Read(file, out _);
    }

    internal static bool Looks(MappedFile file) => ZipDirectory.Looks(file) || (file.Length > 0 && file.Slice(0, 1)[0] == PickleStart);

    /// <param name="file">The file.</param>
    /// <param name="leftOut">See <see cref="WeightFile.Read(string, out IReadOnlyDictionary{string, string}, out IReadOnlyList{string})"/>.</param>
    internal static IReadOnlyDictionary<string, HostTensor> Read(MappedFile file, out IReadOnlyList<string> leftOut)
    {
        var notes = new List<string>();
        var tensors = ZipDirectory.Looks(file) ? ReadZip(file, notes) : ReadLegacy(file, notes);
        leftOut = [.. notes.Distinct()];
        return tensors;
    }

    /// <summary>The zip contains FOLDER/data.pkl, FOLDER/data/KEY for each storage and, since PyTorch 2.1, FOLDER/byteorder.</summary>
    static IReadOnlyDictionary<string, HostTensor> ReadZip(MappedFile file, List<string> leftOut)
    {
        const string Pickle = "data.pkl";
        var zip = new ZipDirectory(file);
        if (zip.Names.FirstOrDefault(name => name == Pickle || name.EndsWith("/" + Pickle, StringComparison.Ordinal)) is not { } pickleName)
            throw new InvalidFileException(file.Path, "", $"the zip has no {Pickle}, which a PyTorch checkpoint has", "Pass a file that torch.save wrote.");
        var folder = pickleName[..^Pickle.Length];

        if (zip.TryFind(folder + "byteorder", out var order, out var orderLength)
            && !file.Slice(order, (int)Math.Min(orderLength, 16)).SequenceEqual("little"u8))
            throw new InvalidFileException(file.Path, folder + "byteorder", "the byte order is not \"little\"", "Save it again on a little-endian machine.");

        var (offset, length) = zip.Find(pickleName);
        var root = Unpickler.Read(file, ref offset, offset + length, TorchGlobals.Table, TorchGlobals.Storage, leftOut);
        return TorchStateDictionary.Read(file, root, leftOut, storage =>
        {
            var (start, bytes) = zip.Find($"{folder}data/{storage.Key}");
            return bytes / (storage.Type.Bits() / 8) >= storage.StoredCount ? start : throw new InvalidFileException(
                file.Path, $"storage \"{storage.Key}\"", $"it has {bytes} bytes but {storage.StoredCount} elements of {storage.Type} are expected");
        });
    }

    /// <summary>
    /// The file has five pickles (magic number, protocol, system information, the value, the storages' keys), then for each key the number of elements
    /// (8 bytes) and the elements, always little-endian.
    /// </summary>
    static IReadOnlyDictionary<string, HostTensor> ReadLegacy(MappedFile file, List<string> leftOut)
    {
        var offset = 0L;
        var types = new Dictionary<string, ElementType>();
        object? Next() => Unpickler.Read(file, ref offset, file.Length, TorchGlobals.Table, id =>
        {
            var storage = TorchGlobals.Storage(id);
            if (storage is TorchStorage { Key: var key, Type: var type })
                types[key] = type;
            return storage;
        }, leftOut);

        if (Next() is not BigInteger magic || magic != legacyMagic)
            throw new InvalidFileException(file.Path, "byte 0", "this is a pickle, but not one that torch.save wrote", "Pass a checkpoint written by torch.save.");
        if (Next() is not LegacyProtocol)
            throw new InvalidFileException(file.Path, $"byte {offset}", $"the protocol of the checkpoint is not {LegacyProtocol}");
        Next();
        var root = Next();
        if (Next() is not List<object?> keys)
            throw new InvalidFileException(file.Path, $"byte {offset}", "the list of the storages' keys is missing");

        var storages = new Dictionary<string, (long Start, long Count)>();
        foreach (var item in keys)
        {
            if (item is not string key || !types.TryGetValue(key, out var type) || storages.ContainsKey(key))
                throw new InvalidFileException(file.Path, $"byte {offset}", $"the storage key \"{item}\" belongs to no tensor, or appears twice");
            var count = BinaryPrimitives.ReadInt64LittleEndian(file.Slice(offset, sizeof(long)));
            offset += sizeof(long);
            if (count < 0 || count > file.Length)
                throw new InvalidFileException(file.Path, $"byte {offset}", $"the storage \"{key}\" is said to have {count} elements");
            var bytes = count * (type.Bits() / 8);
            file.Require(offset, bytes);
            storages.Add(key, (offset, count));
            offset += bytes;
        }
        return TorchStateDictionary.Read(file, root, leftOut, storage => storages.TryGetValue(storage.Key, out var place) && place.Count == storage.StoredCount
            ? place.Start
            : throw new InvalidFileException(file.Path, $"storage \"{storage.Key}\"",
                $"the tensors expect {storage.StoredCount} elements but the file has {(place == default ? "none" : place.Count)}"));
    }
}
