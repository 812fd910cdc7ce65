using System.Numerics;

namespace QuadEngine.Data;

/// <summary>
/// BMP (Microsoft, [MS-WMF] 2.2.2.9 and the headers of Windows 3 to 98 and OS/2): 1 to 32 bits per pixel, palettes, bit masks, run lengths. Rows start at the
/// bottom or, if the height is negative, at the top.
/// </summary>
sealed class Bmp : PictureFormat
{
    const uint Plain = 0, Runs8 = 1, Runs4 = 2, Masks = 3, MasksWithAlpha = 6;
    const int FileHeader = 14, CoreHeader = 12, InfoHeader = 40;

    // A run of 255 pixels takes 2 bytes.
    const int MostPixelsOfAByte = 128;

    protected override bool Begins(ReadOnlySpan<byte> file) => file.StartsWith("BM"u8);

    protected override PictureHead ReadHead(ReadOnlySpan<byte> file) => Layout.Read(file).Head;

    protected override Picture ReadAll(ReadOnlySpan<byte> file)
    {
        var layout = Layout.Read(file);
        var (height, width) = (layout.Head.Height, layout.Head.Width);
        if (layout.Compression is Runs8 or Runs4) return Coloured(layout, Unrolled(file, layout));

        var stride = (width * (long)layout.Bits + 31) / 32 * 4;
        var length = stride * (height - 1) + (width * (long)layout.Bits + 7) / 8;      // some writers leave out the padding of the last row
        if (length > file.Length - layout.Offset) throw new InvalidDataException($"it ends after {file.Length:N0} bytes, but its pixels take {layout.Offset + length:N0}");
        var pixels = new byte[height * width * 3];
        for (var y = 0; y < height; y++)
        {
            var row = file.Slice((int)(layout.Offset + stride * (layout.TopDown ? y : height - 1 - y)));
            var to = pixels.AsSpan(y * width * 3, width * 3);
            for (var x = 0; x < width; x++) layout.Pixel(row, x, to[(3 * x)..]);
        }

        return new(height, width, 3, pixels);
    }

    static Picture Coloured(Layout layout, byte[] indices)
    {
        var (height, width) = (layout.Head.Height, layout.Head.Width);
        var pixels = new byte[height * width * 3];
        for (var i = 0; i < indices.Length; i++) layout.Color(indices[i], pixels.AsSpan(3 * i));
        return new(height, width, 3, pixels);
    }

    /// <summary>Returns the palette indices of run-length data. (count, index) repeats an index; (0, n) with n over 2 is followed by n indices; (0, 0) ends a row, (0, 1) ends the picture, (0, 2) skips pixels.</summary>
    static byte[] Unrolled(ReadOnlySpan<byte> file, Layout layout)
    {
        var (height, width, four) = (layout.Head.Height, layout.Head.Width, layout.Compression == Runs4);
        if ((long)height * width > (long)MostPixelsOfAByte * file.Length) throw new InvalidDataException($"{file.Length:N0} bytes cannot hold its {width:N0} x {height:N0} pixels");
        var indices = new byte[height * width];
        var reader = new ByteReader(file, bigEndian: false);
        reader.MoveTo(layout.Offset, "pixels");
        for (int x = 0, y = 0; y < height || reader.Left > 0;)
        {
            var (count, value) = (reader.Byte("pixels"), reader.Byte("pixels"));
            if ((count, value) == (0, 1)) return indices;
            if ((count, value) == (0, 0))
            {
                (x, y) = (0, y + 1);
                continue;
            }

            if ((count, value) == (0, 2))
            {
                (x, y) = (x + reader.Byte("pixels"), y + reader.Byte("pixels"));
                continue;
            }

            var literal = count == 0;
            var length = literal ? value : count;
            var values = literal ? reader.Bytes(four ? (length + 1) / 2 : length, "pixels") : default;
            if (literal && values.Length % 2 == 1 && reader.Left > 0) reader.Byte("pixels");
            if (y >= height) throw new InvalidDataException($"a run of pixels comes after its {height} rows");
            var row = (layout.TopDown ? y : height - 1 - y) * width;
            for (var i = 0; i < length && x < width; i++)      // some writers write more than a row
            {
                var pair = literal ? values[four ? i / 2 : i] : value;
                indices[row + x++] = four ? (byte)(i % 2 == 0 ? pair >> 4 : pair & 15) : pair;
            }
        }

        return indices;
    }

    /// <summary>The layout of pixels in the file.</summary>
    sealed class Layout
    {
        readonly byte[][] palette = [];
        readonly uint[] masks = [];

        public PictureHead Head { get; }

        public int Bits { get; }

        public uint Compression { get; }

        public long Offset { get; }

        public bool TopDown { get; }

        public static Layout Read(ReadOnlySpan<byte> file) => new(file);

        Layout(ReadOnlySpan<byte> file)
        {
            var reader = new ByteReader(file, bigEndian: false);
            reader.MoveTo(10, "header");
            Offset = reader.UInt32("header");
            var header = reader.UInt32("header");
            if (header is not (CoreHeader or 16 or >= InfoHeader and <= 124)) throw new InvalidDataException($"its header has {header} bytes, expected 12 to 124");
            long width = header == CoreHeader ? reader.UInt16("header") : (int)reader.UInt32("header");
            long height = header == CoreHeader ? reader.UInt16("header") : (int)reader.UInt32("header");
            TopDown = height < 0;
            Head = PictureHead.Checked(Math.Abs(height), width, channels: 3);
            reader.UInt16("header");
            Bits = reader.UInt16("header");
            uint colours = 0;
            if (header >= InfoHeader)
            {
                Compression = reader.UInt32("header");
                reader.Bytes(12, "header");
                colours = reader.UInt32("header");
            }

            if (!((Compression, Bits) is (Plain, 1 or 2 or 4 or 8 or 16 or 24 or 32) or (Runs8, 8) or (Runs4, 4) or (Masks or MasksWithAlpha, 16 or 32)))
                throw new InvalidDataException($"it has {Bits} bits per pixel in compression {Compression}, which is not supported");
            masks = Bits is 16 or 32 ? ReadMasks(file, header) : [];
            palette = Bits <= 8 ? ReadPalette(file, header, colours) : [];
        }

        /// <summary>Writes the RGB of pixel x of a row.</summary>
        public void Pixel(ReadOnlySpan<byte> row, int x, Span<byte> to)
        {
            switch (Bits)
            {
                case 24:
                    (to[0], to[1], to[2]) = (row[3 * x + 2], row[3 * x + 1], row[3 * x]);
                    break;
                case 16:
                    Masked((uint)(row[2 * x] | row[2 * x + 1] << 8), to);
                    break;
                case 32:
                    Masked((uint)(row[4 * x] | row[4 * x + 1] << 8 | row[4 * x + 2] << 16 | row[4 * x + 3] << 24), to);
                    break;
                default:
                    var bit = (long)x * Bits;
                    Color(row[(int)(bit / 8)] >> (int)(8 - Bits - bit % 8) & (1 << Bits) - 1, to);
                    break;
            }
        }

        /// <summary>Writes the RGB of an index in the palette.</summary>
        public void Color(int index, Span<byte> to)
        {
            if (index >= palette.Length) throw new InvalidDataException($"a pixel has color {index}, but the palette has {palette.Length} colors");
            palette[index].CopyTo(to);
        }

        void Masked(uint value, Span<byte> to)
        {
            for (var c = 0; c < masks.Length; c++)
            {
                var (mask, low) = (masks[c], BitOperations.TrailingZeroCount(masks[c]));
                to[c] = mask == 0 ? (byte)0 : (byte)(255ul * ((value & mask) >> low) / (mask >> low));
            }
        }

        uint[] ReadMasks(ReadOnlySpan<byte> file, uint header)
        {
            if (Compression == Plain) return Bits == 16 ? [0x7C00, 0x3E0, 0x1F] : [0xFF0000, 0xFF00, 0xFF];
            var reader = new ByteReader(file, bigEndian: false);
            reader.MoveTo(FileHeader + InfoHeader, "masks");      // inside a longer header, or after this one
            return [reader.UInt32("masks"), reader.UInt32("masks"), reader.UInt32("masks")];
        }

        byte[][] ReadPalette(ReadOnlySpan<byte> file, uint header, uint colours)
        {
            // Some writers state no number of colors, or more than the file has room for before its pixels.
            var bytes = header == CoreHeader ? 3 : 4;
            var room = Math.Max(0, (Math.Min(Offset, file.Length) - FileHeader - header) / bytes);
            var count = (int)Math.Min(Math.Min(colours == 0 ? 1u << Bits : colours, 1u << Bits), room);
            var reader = new ByteReader(file, bigEndian: false);
            reader.MoveTo(FileHeader + header, "palette");
            var read = new byte[count][];
            for (var i = 0; i < count; i++)
            {
                var colour = reader.Bytes(bytes, "palette");
                read[i] = [colour[2], colour[1], colour[0]];
            }

            return read;
        }
    }
}
