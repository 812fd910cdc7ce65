namespace QuadEngine.Data;

/// <summary>
/// JPEG (ITU-T T.81) in the forms that cameras, programs and the web use: sequential and progressive Huffman coding of 8 bits, gray, YCbCr, RGB, CMYK and YCCK, with
/// sampling in whole factors. The pixels are equal, bit for bit, to the pixels of libjpeg in its exact mode. In some cases libjpeg warns and continues with gray (coded data that ends before
/// its last block, undefined codes, no end marker). In these cases the file is refused.
/// </summary>
sealed class Jpeg : PictureFormat
{
    protected override bool Begins(ReadOnlySpan<byte> file) => file.Length >= 3 && file[0] == 0xFF && file[1] == Marker.Start && file[2] == 0xFF;

    protected override PictureHead ReadHead(ReadOnlySpan<byte> file)
    {
        var decoder = new Decoder(file);
        decoder.ReadTo(headOnly: true);
        return decoder.Head;
    }

    protected override Picture ReadAll(ReadOnlySpan<byte> file)
    {
        var decoder = new Decoder(file);
        decoder.ReadTo(headOnly: false);
        return decoder.Picture();
    }

    /// <summary>The second byte of a marker.</summary>
    static class Marker
    {
        public const byte Start = 0xD8, End = 0xD9, Scan = 0xDA, Quantization = 0xDB, Huffman = 0xC4, RestartInterval = 0xDD;
        public const byte Baseline = 0xC0, Extended = 0xC1, Progressive = 0xC2, ArithmeticConditioning = 0xCC;
        public const byte FirstRestart = 0xD0, LastRestart = 0xD7, Jfif = 0xE0, Exif = 0xE1, Adobe = 0xEE, Lines = 0xDC, Temporary = 0x01;

        /// <summary>Whether a marker starts a frame whose coding is not supported: lossless, hierarchical, arithmetic.</summary>
        public static bool IsOtherFrame(byte marker) => marker is >= 0xC3 and <= 0xCF and not (Huffman or 0xC8 or ArithmeticConditioning);

        /// <summary>Whether a marker has no length and no content.</summary>
        public static bool IsBare(byte marker) => marker is Temporary or >= FirstRestart and <= LastRestart;
    }

    ref struct Decoder(ReadOnlySpan<byte> file)
    {
        // Programs write about ten scans. Each scan costs a pass over the whole picture, even if it has few bytes.
        const int MostScans = 100;

        readonly ReadOnlySpan<byte> file = file;
        readonly int[]?[] quantization = new int[]?[4];
        readonly JpegHuffman?[] dc = new JpegHuffman?[4], ac = new JpegHuffman?[4];
        int position = 2, restartInterval, scans, orientation = Orientation.Upright;
        bool jfif;
        int? adobe;
        JpegFrame? frame;

        public readonly PictureHead Head => PictureHead.Checked(frame!.Height, frame.Width, frame.Components.Length == 1 ? 1 : 3, orientation);

        /// <summary>Reads all segments up to the frame, or up to the end marker with all scans in between.</summary>
        public void ReadTo(bool headOnly)
        {
            while (true)
            {
                var marker = NextMarker();
                if (marker == Marker.End)
                {
                    if (frame is null || frame.Components.Any(component => !component.HasScan)) throw new InvalidDataException("it has no data for its pixels");
                    return;
                }

                if (Marker.IsBare(marker)) continue;
                var segment = Segment();
                if (marker == Marker.Scan) ReadScan(segment);
                else Read(marker, segment);
                if (headOnly && frame is not null) return;
            }
        }

        public readonly Picture Picture() => Orientation.Apply(JpegPixels.Of(frame!, Colours()), orientation);

        byte NextMarker()
        {
            // Other bytes may lie between segments, and so may the rest of a scan's coded data. 0xFF before a marker is filling, 0xFF 0x00 is coded data.
            while (position + 1 < file.Length)
            {
                var found = file[position..].IndexOf((byte)0xFF);
                if (found < 0) break;
                position += found + 1;
                if (position < file.Length && file[position] is not (0 or 0xFF)) return file[position++];
            }

            throw new InvalidDataException($"it ends after {file.Length:N0} bytes without the end marker of JPEG: it is truncated");
        }

        ReadOnlySpan<byte> Segment()
        {
            var reader = new ByteReader(file[position..], bigEndian: true);
            var size = file.Length - position >= 2 ? reader.UInt16("segment") : 0;
            if (size < 2 || size > file.Length - position) throw new InvalidDataException($"it ends after {file.Length:N0} bytes, in a segment: it is truncated");
            position += size;
            return reader.Bytes(size - 2, "segment");
        }

        void Read(byte marker, ReadOnlySpan<byte> segment)
        {
            switch (marker)
            {
                case Marker.Quantization:
                    ReadQuantization(segment);
                    break;
                case Marker.Huffman:
                    ReadHuffman(segment);
                    break;
                case Marker.RestartInterval:
                    restartInterval = new ByteReader(segment, bigEndian: true).UInt16("restart interval");
                    break;
                case Marker.Baseline or Marker.Extended or Marker.Progressive:
                    if (frame is not null) throw new InvalidDataException("it has two frames");
                    frame = JpegFrame.Read(segment, marker == Marker.Progressive, file.Length);
                    PictureHead.Checked(frame.Height, frame.Width, channels: 3);
                    break;
                case Marker.Jfif:
                    jfif |= segment.StartsWith("JFIF\0"u8);
                    break;
                case Marker.Exif:
                    if (segment.StartsWith("Exif\0\0"u8)) orientation = Orientation.Read(segment[6..]);
                    break;
                case Marker.Adobe:
                    if (segment.StartsWith("Adobe"u8) && segment.Length >= 12) adobe = segment[11];
                    break;
                case var other when Marker.IsOtherFrame(other):
                    throw new InvalidDataException($"its coding (lossless, hierarchical or arithmetic, marker 0x{other:X2}) is not supported");
            }
        }

        readonly void ReadQuantization(ReadOnlySpan<byte> segment)
        {
            var reader = new ByteReader(segment, bigEndian: true);
            while (reader.Left > 0)
            {
                var kind = reader.Byte("quantization table");
                if (kind >> 4 > 1 || (kind & 15) > 3) throw new InvalidDataException($"a quantization table is of kind 0x{kind:X2}");
                var table = new int[JpegBlock.Size];
                foreach (var place in JpegBlock.Order) table[place] = kind >> 4 == 1 ? reader.UInt16("quantization table") : reader.Byte("quantization table");
                quantization[kind & 15] = table;
            }
        }

        readonly void ReadHuffman(ReadOnlySpan<byte> segment)
        {
            var reader = new ByteReader(segment, bigEndian: true);
            while (reader.Left > 0)
            {
                var kind = reader.Byte("Huffman table");
                if (kind >> 4 > 1 || (kind & 15) > 3) throw new InvalidDataException($"a Huffman table is of kind 0x{kind:X2}");
                var counts = reader.Bytes(16, "Huffman table");
                var symbols = 0;
                foreach (var count in counts) symbols += count;
                (kind >> 4 == 0 ? dc : ac)[kind & 15] = new(counts, reader.Bytes(symbols, "Huffman table"));
            }
        }

        void ReadScan(ReadOnlySpan<byte> segment)
        {
            if (frame is null) throw new InvalidDataException("a scan comes before its frame");
            if (++scans > MostScans) throw new InvalidDataException($"it has more than {MostScans} scans");
            var reader = new ByteReader(segment, bigEndian: true);
            var components = new JpegComponent[reader.Byte("scan")];
            var tables = new (JpegHuffman?, JpegHuffman?)[components.Length];
            if (components.Length is 0 or > 4) throw new InvalidDataException($"a scan has {components.Length} components");
            for (var i = 0; i < components.Length; i++)
            {
                var (name, kinds) = (reader.Byte("scan"), reader.Byte("scan"));
                var component = frame.Components.FirstOrDefault(component => component.Name == name) ?? throw new InvalidDataException($"a scan is of component {name}, which the frame does not have");
                if (components[..i].Contains(component) || (kinds >> 4) > 3 || (kinds & 15) > 3) throw new InvalidDataException("a scan's head is damaged");
                component.Quantization ??= quantization[component.QuantizationTable] ?? throw new InvalidDataException($"it lacks quantization table {component.QuantizationTable}");
                (components[i], tables[i]) = (component, (dc[kinds >> 4], ac[kinds & 15]));
            }

            var (first, last, bits) = (reader.Byte("scan"), reader.Byte("scan"), reader.Byte("scan"));
            var band = frame.Progressive ? new JpegBand(first, last, bits >> 4, bits & 15) : JpegBand.Whole;
            var scan = new JpegScan(file[position..], frame, components, tables, band, restartInterval);
            scan.Read();
            position += scan.Position;
        }

        /// <summary>Returns the meaning of three or four components by the rules of libjpeg: the JFIF or the Adobe marker decides, else the names of the components.</summary>
        readonly JpegColors Colours()
        {
            var components = frame!.Components;
            if (components.Length == 4) return adobe is null or 0 ? JpegColors.Cmyk : JpegColors.Ycck;
            if (components.Length == 1) return JpegColors.Gray;
            if (jfif) return JpegColors.YCbCr;
            if (adobe is { } transform) return transform == 0 ? JpegColors.Rgb : JpegColors.YCbCr;
            return (components[0].Name, components[1].Name, components[2].Name) == ((byte)'R', (byte)'G', (byte)'B') ? JpegColors.Rgb : JpegColors.YCbCr;
        }
    }
}
