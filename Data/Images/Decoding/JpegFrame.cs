namespace QuadEngine.Data;

/// <summary>How components make a color.</summary>
enum JpegColors { Gray, YCbCr, Rgb, Cmyk, Ycck }

/// <summary>Blocks of 8 x 8 coefficients or samples.</summary>
static class JpegBlock
{
    public const int Side = 8, Size = Side * Side;

    /// <summary>The position of each coefficient in its block, row-major, in the order of the file: zigzag from low to high frequencies.</summary>
    public static ReadOnlySpan<byte> Order =>
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];
}

/// <summary>One of the planes in which a picture is coded. It often has fewer samples than the picture has pixels.</summary>
sealed class JpegComponent(byte name, int down, int across, int quantizationTable)
{
    public byte Name { get; } = name;

    /// <summary>The sampling factor: the number of samples in this direction, relative to the other components.</summary>
    public int Down { get; } = down;

    /// <inheritdoc cref="Down"/>
    public int Across { get; } = across;

    public int QuantizationTable { get; } = quantizationTable;

    /// <summary>The quantization steps of the coefficients, row-major, as they were at the start of the component's first scan.</summary>
    public int[]? Quantization { get; set; }

    /// <summary>The number of samples inside the picture.</summary>
    public (int Height, int Width) Samples { get; set; }

    /// <summary>The number of blocks in memory, which fill whole units of all components.</summary>
    public (int Rows, int Columns) Blocks { get; set; }

    /// <summary>The number of blocks in a scan of only this component.</summary>
    public (int Rows, int Columns) OwnBlocks => ((Samples.Height + JpegBlock.Side - 1) / JpegBlock.Side, (Samples.Width + JpegBlock.Side - 1) / JpegBlock.Side);

    /// <summary>The number of bytes from one row of <see cref="Plane"/> to the next.</summary>
    public int Stride => Blocks.Columns * JpegBlock.Side;

    /// <summary>The samples [rows, stride].</summary>
    public byte[] Plane { get; set; } = [];

    /// <summary>The coefficients of all blocks if several scans make them; null if each block becomes samples when it is read.</summary>
    public short[]? Coefficients { get; set; }

    /// <summary>Whether a scan contained the lowest frequency of this component.</summary>
    public bool HasScan { get; set; }
}

/// <summary>The size and the components of a picture.</summary>
sealed class JpegFrame
{
    // A block takes at least one bit of a file, in the scan of its lowest frequency.
    const int MostBlocksOfAByte = 8;

    JpegFrame(int height, int width, bool progressive, JpegComponent[] components)
    {
        (Height, Width, Progressive, Components) = (height, width, progressive, components);
        (Down, Across) = (components.Max(component => component.Down), components.Max(component => component.Across));
        UnitRows = (height + JpegBlock.Side * Down - 1) / (JpegBlock.Side * Down);
        UnitColumns = (width + JpegBlock.Side * Across - 1) / (JpegBlock.Side * Across);
    }

    public int Height { get; }

    public int Width { get; }

    public bool Progressive { get; }

    public JpegComponent[] Components { get; }

    /// <summary>The highest sampling factors.</summary>
    public int Down { get; }

    /// <inheritdoc cref="Down"/>
    public int Across { get; }

    /// <summary>The number of rows of units (MCU). In each unit, every component has <see cref="JpegComponent.Down"/> x <see cref="JpegComponent.Across"/> blocks.</summary>
    public int UnitRows { get; }

    /// <summary>The number of units in a row.</summary>
    public int UnitColumns { get; }

    /// <summary>Reads the head of a frame.</summary>
    /// <param name="segment">The segment without its length.</param>
    /// <param name="progressive">Whether several scans make the coefficients.</param>
    /// <param name="fileLength">The length of the whole file. A frame with more blocks than the file can hold is refused.</param>
    public static JpegFrame Read(ReadOnlySpan<byte> segment, bool progressive, int fileLength)
    {
        var reader = new ByteReader(segment, bigEndian: true);
        var (bits, height, width) = (reader.Byte("frame"), reader.UInt16("frame"), reader.UInt16("frame"));
        if (bits != 8) throw new InvalidDataException($"its samples have {bits} bits, but only 8 bits are supported");
        PictureHead.Checked(height, width, channels: 3);
        var count = reader.Byte("frame");
        if (count is not (1 or 3 or 4)) throw new InvalidDataException($"it has {count} components, expected 1 (gray), 3 (color) or 4 (CMYK)");
        var components = new JpegComponent[count];
        for (var i = 0; i < components.Length; i++)
        {
            var (name, sampling, table) = (reader.Byte("frame"), reader.Byte("frame"), reader.Byte("frame"));
            components[i] = new(name, down: sampling & 15, across: sampling >> 4, table);
            if (components[i] is not { Down: >= 1 and <= 4, Across: >= 1 and <= 4, QuantizationTable: <= 3 }) throw new InvalidDataException("a component's sampling or table is damaged");
        }

        var frame = new JpegFrame(height, width, progressive, components);
        foreach (var component in components) frame.Place(component);
        var blocks = components.Sum(component => (long)component.OwnBlocks.Rows * component.OwnBlocks.Columns);
        if (blocks > (long)MostBlocksOfAByte * fileLength) throw new InvalidDataException($"{fileLength:N0} bytes cannot hold its {width:N0} x {height:N0} pixels");
        return frame;
    }

    /// <summary>Allocates memory for the samples, before the first scan.</summary>
    public void Allocate()
    {
        foreach (var component in Components)
        {
            if (component.Plane.Length > 0) continue;
            var samples = component.Blocks.Rows * component.Blocks.Columns * JpegBlock.Size;
            component.Plane = new byte[samples];
            if (Progressive) component.Coefficients = new short[samples];
        }
    }

    void Place(JpegComponent component)
    {
        if (Down % component.Down != 0 || Across % component.Across != 0) throw new InvalidDataException($"it has {component.Across} of {Across} samples across and {component.Down} of {Down} down, which is not a whole fraction");
        component.Samples = ((Height * component.Down + Down - 1) / Down, (Width * component.Across + Across - 1) / Across);
        component.Blocks = (UnitRows * component.Down, UnitColumns * component.Across);
    }
}
