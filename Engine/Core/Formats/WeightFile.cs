namespace QuadEngine;

/// <summary>Reads weights by name from every file format that the engine knows. The first bytes of a file decide its format, not its name.</summary>
public static class WeightFile
{
    /// <summary>
    /// Reads every tensor of a safetensors file, or of the state dictionary in a PyTorch checkpoint, in the file's order and layouts.
    /// </summary>
    /// <param name="path">A file of either format, with any name.</param>
    /// <exception cref="InvalidFileException">The file is damaged, or its format is not known.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static IReadOnlyDictionary<string, HostTensor> Read(string path) => Read(path, out _);

    /// <param name="path">A file of either format, with any name.</param>
    /// <param name="metadata">The free text of a safetensors file; empty for other formats.</param>
    /// <inheritdoc cref="Read(string)"/>
    public static IReadOnlyDictionary<string, HostTensor> Read(string path, out IReadOnlyDictionary<string, string> metadata) => Read(path, out metadata, out _);

    /// <param name="path">A file of either format, with any name.</param>
    /// <param name="metadata">The free text of a safetensors file; empty for other formats.</param>
    /// <param name="leftOut">The parts of the file that were dropped, besides values that are not tensors: one phrase each, e.g. <c>the prefix "module." of all names</c>.</param>
    /// <inheritdoc cref="Read(string)"/>
    public static IReadOnlyDictionary<string, HostTensor> Read(string path, out IReadOnlyDictionary<string, string> metadata, out IReadOnlyList<string> leftOut)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var file = new MappedFile(path);
        (metadata, leftOut) = (new Dictionary<string, string>(), []);

        // The order matters, because the length of a header may start with the first byte of a pickle.
        if (SafeTensors.Looks(file))
        {
            var tensors = new SafeTensors(file);
            metadata = tensors.Metadata;
            return tensors.ReadAll();
        }
        if (PyTorchCheckpoint.Looks(file))
            return PyTorchCheckpoint.Read(file, out leftOut);

        if (UnknownContent.Of(file) is { } content) throw new InvalidFileException(path, "", content.Problem, content.Fix);
        var found = file.Length == 0
            ? "the file is empty (0 bytes)"
            : $"the format of this file is not known (its {file.Length} bytes start with {Convert.ToHexString(file.Slice(0, (int)Math.Min(16, file.Length)))})";
        throw new InvalidFileException(path, "", found,
            "Known are safetensors, and PyTorch checkpoints written by torch.save, as a zip or as the older stream of pickles.");
    }
}
