using System.IO.Compression;

namespace QuadEngine.Data;

/// <summary>PNG (ISO/IEC 15948): all color types and depths, interlaced or not. Depths of 16 bits are cut to 8; transparency is ignored.</summary>
sealed class Png : PictureFormat
{
    // Deflate makes at most 258 bytes from 2 bits.
    const int MostExpansion = 1032;

    // Adam7: the start of each pass, and the distances of its pixels, down and right.
    static readonly (int Top, int Left, int Down, int Right)[] adam7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)], whole = [(0, 0, 1, 1)];

    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', (byte)'\r', (byte)'\n', 0x1a, (byte)'\n'];

    /// <summary>Returns the checksum of a chunk.</summary>
    public static uint Crc(ReadOnlySpan<byte> kind, ReadOnlySpan<byte> data) => Crc32.Append(Crc32.Append(0, kind), data);

    protected override bool Begins(ReadOnlySpan<byte> file) => file.StartsWith(Signature);

    protected override PictureHead ReadHead(ReadOnlySpan<byte> file)
    {
        var chunks = new Chunks(file);
        var header = Header.Read(ref chunks);
        var orientation = Orientation.Upright;
        while (chunks.Next() && !chunks.Is("IDAT"u8) && !chunks.Is("IEND"u8))
            if (chunks.Is("eXIf"u8)) orientation = Orientation.Read(chunks.Data);
        return PictureHead.Checked(header.Height, header.Width, header.Channels, orientation);
    }

    protected override Picture ReadAll(ReadOnlySpan<byte> file)
    {
        var chunks = new Chunks(file);
        var header = Header.Read(ref chunks);
        var (orientation, palette) = (Orientation.Upright, Array.Empty<byte>());
        using var compressed = new MemoryStream();
        while (chunks.Next() && !chunks.Is("IEND"u8))
            if (chunks.Is("IDAT"u8)) compressed.Write(chunks.Data);
            else if (chunks.Is("PLTE"u8)) palette = chunks.Data.ToArray();
            else if (chunks.Is("eXIf"u8)) orientation = Orientation.Read(chunks.Data);
            else if (chunks.IsNeeded) throw new InvalidDataException($"it has a chunk {chunks.Name}, which is not in the standard");
        if (header.IsPalette && palette.Length is 0 or > 3 * 256 || palette.Length % 3 != 0) throw new InvalidDataException($"its palette has {palette.Length} bytes, expected 3 for each of up to 256 colors");

        var passes = header.Interlaced ? adam7 : whole;
        var length = passes.Sum(pass => header.LengthOf(pass));
        if (length > MostExpansion * compressed.Length) throw new InvalidDataException($"{compressed.Length:N0} compressed bytes cannot hold its {header.Width:N0} x {header.Height:N0} pixels");

        compressed.Position = 0;
        using var rows = new ZLibStream(compressed, CompressionMode.Decompress);
        var pixels = new byte[header.Height * header.Width * header.Channels];
        foreach (var pass in passes) ReadPass(rows, header, pass, palette, pixels);
        rows.ReadByte();       // checks the checksum, which follows the last row
        return Orientation.Apply(new(header.Height, header.Width, header.Channels, pixels), orientation);
    }

    static void ReadPass(ZLibStream rows, Header header, (int Top, int Left, int Down, int Right) pass, byte[] palette, byte[] pixels)
    {
        var (height, width) = header.SizeOf(pass);
        if (width == 0) return;
        var bytes = header.RowBytes(width);
        var (row, above) = (new byte[1 + bytes], new byte[1 + bytes]);
        for (var y = 0; y < height; y++)
        {
            if (rows.ReadAtLeast(row, row.Length, throwOnEndOfStream: false) < row.Length) throw new InvalidDataException("its compressed data ends before its last row");
            Unfilter(row[0], row.AsSpan(1), above.AsSpan(1), Math.Max(1, header.PixelBits / 8));
            var to = ((pass.Top + y * pass.Down) * header.Width + pass.Left) * header.Channels;
            header.Expand(row.AsSpan(1), width, palette, pixels.AsSpan(to), pass.Right * header.Channels);
            (row, above) = (above, row);
        }
    }

    /// <summary>Adds to each byte its prediction from its neighbors, <paramref name="apart"/> bytes to the left and in the row above.</summary>
    static void Unfilter(byte filter, Span<byte> row, ReadOnlySpan<byte> above, int apart)
    {
        switch (filter)
        {
            case 0:
                return;
            case 1:
                for (var i = apart; i < row.Length; i++) row[i] += row[i - apart];
                return;
            case 2:
                for (var i = 0; i < row.Length && i < above.Length; i++) row[i] += above[i];
                return;
            case 3:
                for (var i = 0; i < row.Length; i++) row[i] += (byte)(((i < apart ? 0 : row[i - apart]) + above[i]) / 2);
                return;
            case 4:
                for (var c = 0; c < apart; c++) Predict(row, above, c, apart);
                return;
            default:
                throw new InvalidDataException($"a row has filter {filter}, expected 0 to 4");
        }
    }

    /// <summary>Adds Paeth's prediction to one byte of each pixel: of left, above and their corner, the value that is nearest to left + above - corner.</summary>
    static void Predict(Span<byte> row, ReadOnlySpan<byte> above, int first, int apart)
    {
        above = above[..row.Length];
        for (int i = first, left = 0, corner = 0; i < row.Length; i += apart)
        {
            var up = (int)above[i];
            int toLeft = Math.Abs(up - corner), toUp = Math.Abs(left - corner), toCorner = Math.Abs(left + up - 2 * corner);
            var nearest = (toLeft <= toUp) & (toLeft <= toCorner) ? left : toUp <= toCorner ? up : corner;      // without a branch to mispredict
            corner = up;
            left = row[i] = (byte)(row[i] + nearest);
        }
    }

    /// <summary>The chunks of a file. Chunks that pixels depend on must have the correct checksum.</summary>
    ref struct Chunks
    {
        ByteReader reader;
        ReadOnlySpan<byte> kind;
        bool ended;

        public Chunks(ReadOnlySpan<byte> file)
        {
            reader = new(file, bigEndian: true);
            reader.MoveTo(Signature.Length, "first chunk");
        }

        public ReadOnlySpan<byte> Data { get; private set; }

        /// <summary>Whether the picture cannot be shown without this chunk: its name starts with a capital letter.</summary>
        public readonly bool IsNeeded => kind[0] is >= (byte)'A' and <= (byte)'Z';

        public readonly string Name => System.Text.Encoding.ASCII.GetString(kind);

        public readonly bool Is(ReadOnlySpan<byte> name) => kind.SequenceEqual(name);

        /// <summary>Moves to the next chunk; returns false after the last. A file without an end is truncated.</summary>
        public bool Next()
        {
            if (ended) return false;
            var length = reader.UInt32("head of a chunk");
            kind = reader.Bytes(4, "head of a chunk");
            Data = reader.Bytes(length, $"chunk {Name}");
            var crc = reader.UInt32($"checksum of chunk {Name}");
            if (IsNeeded && crc != Crc(kind, Data)) throw new InvalidDataException($"chunk {Name} is damaged: its checksum differs");
            ended = Is("IEND"u8);
            return true;
        }
    }

    sealed record Header(int Height, int Width, int Depth, int Colours, bool Interlaced)
    {
        const int Gray = 0, Rgb = 2, Indexed = 3, GrayAlpha = 4, Rgba = 6;

        public bool IsPalette => Colours == Indexed;

        public int Channels => Colours is Gray or GrayAlpha ? 1 : 3;

        public int PixelBits => Depth * Samples;

        int Samples => Colours switch { Rgb => 3, GrayAlpha => 2, Rgba => 4, _ => 1 };

        public static Header Read(ref Chunks chunks)
        {
            chunks.Next();
            if (!chunks.Is("IHDR"u8) || chunks.Data.Length != 13) throw new InvalidDataException("its first chunk is not a header");
            var reader = new ByteReader(chunks.Data, bigEndian: true);
            long width = reader.UInt32("header"), height = reader.UInt32("header");
            PictureHead.Checked(height, width, channels: 3);
            var (depth, colours) = (reader.Byte("header"), reader.Byte("header"));
            var (compression, filter, interlace) = (reader.Byte("header"), reader.Byte("header"), reader.Byte("header"));
            if (!((colours, depth) is (Gray, 1 or 2 or 4 or 8 or 16) or (Indexed, 1 or 2 or 4 or 8) or (Rgb or GrayAlpha or Rgba, 8 or 16)) || (compression, filter) != (0, 0) || interlace > 1)
                throw new InvalidDataException($"its header has color type {colours} of {depth} bits, compression {compression}, filter {filter} and interlace {interlace}, which PNG does not define");
            return new((int)height, (int)width, depth, colours, interlace == 1);
        }

        public (int Height, int Width) SizeOf((int Top, int Left, int Down, int Right) pass) => ((Height - pass.Top + pass.Down - 1) / pass.Down, (Width - pass.Left + pass.Right - 1) / pass.Right);

        public int RowBytes(int width) => (int)(((long)width * PixelBits + 7) / 8);

        /// <summary>Returns the number of bytes in a pass, with the filter byte of each row.</summary>
        public long LengthOf((int Top, int Left, int Down, int Right) pass)
        {
            var (height, width) = SizeOf(pass);
            return width == 0 ? 0 : (long)height * (1 + RowBytes(width));
        }

        /// <summary>Writes the pixels of a row in 8 bits, with <paramref name="apart"/> bytes from one pixel to the next.</summary>
        public void Expand(ReadOnlySpan<byte> row, int width, byte[] palette, Span<byte> to, int apart)
        {
            if (Depth < 8)
            {
                var (most, scale) = ((1 << Depth) - 1, 255 / ((1 << Depth) - 1));
                for (var x = 0; x < width; x++)
                {
                    var value = row[x * Depth / 8] >> (8 - Depth - x * Depth % 8) & most;
                    if (IsPalette) Color(palette, value).CopyTo(to[(x * apart)..]);
                    else to[x * apart] = (byte)(value * scale);
                }

                return;
            }

            // The first byte of a value of 16 bits is the high byte.
            var (bytes, between) = (PixelBits / 8, Depth / 8);
            if (!IsPalette && bytes == Channels && apart == Channels)
            {
                row[..(width * bytes)].CopyTo(to);
                return;
            }

            for (var x = 0; x < width; x++)
                if (IsPalette) Color(palette, row[x]).CopyTo(to[(x * apart)..]);
                else
                    for (var c = 0; c < Channels; c++) to[x * apart + c] = row[x * bytes + c * between];
        }

        static ReadOnlySpan<byte> Color(byte[] palette, int index) =>
            3 * index < palette.Length ? palette.AsSpan(3 * index, 3) : throw new InvalidDataException($"a pixel has color {index}, but the palette has {palette.Length / 3} colors");
    }
}
