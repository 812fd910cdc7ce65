using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace QuadEngine.Data;

/// <summary>The coefficients in a scan: those from First to Last in the order of frequencies. The scan has their bits from <paramref name="Low"/> up; earlier scans had the bits from <paramref name="High"/> up (0 if there were none).</summary>
readonly record struct JpegBand(int First, int Last, int High, int Low)
{
    public static JpegBand Whole { get; } = new(0, JpegBlock.Size - 1, 0, 0);
}

/// <summary>Decodes the coded data of one scan. The bits end at the next marker; reading more throws an <see cref="InvalidDataException"/>.</summary>
ref struct JpegScan
{
    readonly ReadOnlySpan<byte> data;
    readonly JpegFrame frame;
    readonly JpegComponent[] components;
    readonly (JpegHuffman? Dc, JpegHuffman? Ac)[] tables;
    readonly JpegBand band;
    readonly int restartInterval;
    readonly int[] predictions;
    readonly short[] block = new short[JpegBlock.Size];

    // The bits start at the highest; the bits below are zero.
    ulong bits;
    int count;

    // The number of next blocks without further coefficients in this band.
    int emptyBlocks;

    public JpegScan(ReadOnlySpan<byte> data, JpegFrame frame, JpegComponent[] components, (JpegHuffman? Dc, JpegHuffman? Ac)[] tables, JpegBand band, int restartInterval)
    {
        this.data = data;
        (this.frame, this.components, this.tables, this.band, this.restartInterval) = (frame, components, tables, band, restartInterval);
        predictions = new int[components.Length];
        var dcOnly = frame.Progressive && band.First == 0;
        if (band.Last >= JpegBlock.Size || band.First > band.Last || (dcOnly && band.Last > 0) || (frame.Progressive && band.First > 0 && components.Length > 1) || band.Low > 13 || (band.High > 0 && band.High != band.Low + 1))
            throw new InvalidDataException($"a scan has coefficients {band.First} to {band.Last}, bits {band.High} to {band.Low}, which JPEG does not have");
        foreach (var (dc, ac) in tables)
            if ((band.First == 0 && band.High == 0 && dc is null) || (!dcOnly && ac is null)) throw new InvalidDataException("it lacks a Huffman table");
        foreach (var component in components)
            if (band.First > 0 && !component.HasScan) throw new InvalidDataException("a scan of high frequencies comes before the scan of the lowest frequency");
    }

    /// <summary>The offset in the data where the scan ends.</summary>
    public int Position { get; private set; }

    /// <summary>Decodes all blocks of the scan.</summary>
    public void Read()
    {
        frame.Allocate();
        foreach (var component in components) component.HasScan = true;
        var single = components.Length == 1;
        var (rows, columns) = single ? components[0].OwnBlocks : (frame.UnitRows, frame.UnitColumns);
        var (untilRestart, restart) = (restartInterval, 0);
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
            {
                if (restartInterval > 0 && untilRestart-- == 0)
                {
                    Restart(restart++ % 8);
                    untilRestart = restartInterval - 1;
                }

                if (single) Block(0, row, column);
                else Unit(row, column);
            }
    }

    void Unit(int row, int column)
    {
        for (var i = 0; i < components.Length; i++)
        {
            var (down, across) = (components[i].Down, components[i].Across);
            for (var y = 0; y < down; y++)
                for (var x = 0; x < across; x++) Block(i, row * down + y, column * across + x);
        }
    }

    void Block(int index, int row, int column)
    {
        var component = components[index];
        if (component.Coefficients is { } coefficients)
        {
            Progressive(index, coefficients.AsSpan((row * component.Blocks.Columns + column) * JpegBlock.Size, JpegBlock.Size));
            return;
        }

        Array.Clear(block);
        var last = Sequential(index, block);
        JpegTransform.Inverse(block, component.Quantization!, last == 0, component.Plane.AsSpan((row * component.Stride + column) * JpegBlock.Side), component.Stride);
    }

    /// <summary>Decodes all coefficients of a block. Returns the index of the last that is not zero.</summary>
    int Sequential(int index, Span<short> block)
    {
        var (dc, ac) = tables[index];
        block[0] = (short)(predictions[index] += Difference(dc!));
        var last = 0;
        for (var k = 1; k < JpegBlock.Size; k++)
        {
            var symbol = Symbol(ac!);
            var (zeros, size) = (symbol >> 4, symbol & 15);
            if (size == 0)
            {
                if (zeros < 15) break;
                k += 15;
                continue;
            }

            k += zeros;
            if (k >= JpegBlock.Size) throw Damaged();
            block[JpegBlock.Order[k]] = (short)Signed(size);
            last = k;
        }

        return last;
    }

    void Progressive(int index, Span<short> block)
    {
        if (band.First > 0)
        {
            if (band.High == 0) Frequencies(tables[index].Ac!, block);
            else Refine(tables[index].Ac!, block);
        }
        else if (band.High == 0) block[0] = (short)((predictions[index] += Difference(tables[index].Dc!)) << band.Low);
        else if (Bits(1) != 0) block[0] |= (short)(1 << band.Low);
    }

    void Frequencies(JpegHuffman code, Span<short> block)
    {
        if (emptyBlocks > 0)
        {
            emptyBlocks--;
            return;
        }

        for (var k = band.First; k <= band.Last; k++)
        {
            var symbol = Symbol(code);
            var (zeros, size) = (symbol >> 4, symbol & 15);
            if (size == 0 && zeros < 15)
            {
                emptyBlocks = (1 << zeros) - 1 + Bits(zeros);
                return;
            }

            k += zeros;
            if (size == 0) continue;
            if (k > band.Last) throw Damaged();
            block[JpegBlock.Order[k]] = (short)(Signed(size) << band.Low);
        }
    }

    /// <summary>Decodes one more bit of the coefficients that are not zero, and the coefficients that become nonzero.</summary>
    void Refine(JpegHuffman code, Span<short> block)
    {
        var (k, one) = (band.First, 1 << band.Low);
        for (; emptyBlocks == 0 && k <= band.Last; k++)
        {
            var symbol = Symbol(code);
            var (zeros, size) = (symbol >> 4, symbol & 15);
            if (size == 0 && zeros < 15)
            {
                emptyBlocks = (1 << zeros) + Bits(zeros);
                break;
            }

            if (size > 1) throw Damaged();
            var value = size == 0 ? 0 : Bits(1) != 0 ? one : -one;
            for (; k <= band.Last; k++)
            {
                ref var coefficient = ref block[JpegBlock.Order[k]];
                if (coefficient != 0) RefineOne(ref coefficient, one);
                else if (--zeros < 0) break;
            }

            if (value == 0) continue;
            if (k > band.Last) throw Damaged();
            block[JpegBlock.Order[k]] = (short)value;
        }

        if (emptyBlocks == 0) return;
        for (; k <= band.Last; k++)
        {
            ref var coefficient = ref block[JpegBlock.Order[k]];
            if (coefficient != 0) RefineOne(ref coefficient, one);
        }

        emptyBlocks--;
    }

    void RefineOne(ref short coefficient, int one)
    {
        if (Bits(1) != 0 && (coefficient & one) == 0) coefficient += (short)(coefficient >= 0 ? one : -one);
    }

    /// <summary>Reads a restart marker. Bits and predictions start again after it.</summary>
    void Restart(int number)
    {
        while (Position + 1 < data.Length && !(data[Position] == 0xFF && data[Position + 1] is not (0 or 0xFF))) Position++;
        if (Position + 1 >= data.Length || data[Position + 1] != 0xD0 + number) throw Damaged();
        Position += 2;
        (bits, count, emptyBlocks) = (0, 0, 0);
        Array.Clear(predictions);
    }

    int Difference(JpegHuffman code)
    {
        var size = Symbol(code);
        return size <= 15 ? Signed(size) : throw Damaged();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    byte Symbol(JpegHuffman code)
    {
        if (count < JpegHuffman.LongestCode) Fill();
        var (symbol, length) = code.Find((int)(bits >> (64 - JpegHuffman.LongestCode)));
        if (length == 0) throw Damaged();
        Skip(length);
        return symbol;
    }

    /// <summary>Returns a number of <paramref name="size"/> bits. A number whose first bit is 0 is negative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    int Signed(int size)
    {
        var value = Bits(size);
        return size > 0 && value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    int Bits(int size)
    {
        if (size == 0) return 0;
        if (count < size) Fill();
        var value = (int)(bits >> (64 - size));
        Skip(size);
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Skip(int size)
    {
        if (size > count) throw Cut();
        bits <<= size;
        count -= size;
    }

    /// <summary>Takes bytes up to the next marker. 0xFF 0x00 is the byte 0xFF.</summary>
    void Fill()
    {
        // Take eight bytes at once if none is 0xFF.
        if (data.Length - Position >= sizeof(ulong))
        {
            var next = BinaryPrimitives.ReadUInt64BigEndian(data[Position..]);
            if (((~next - 0x0101010101010101) & next & 0x8080808080808080) == 0)
            {
                bits |= next >> count;
                Position += (64 - count) >> 3;
                count += (64 - count) & ~7;
                if (count < 64) bits &= ulong.MaxValue << (64 - count);
                return;
            }
        }

        while (count <= 56 && Position < data.Length)
        {
            var value = data[Position];
            if (value == 0xFF)
            {
                if (Position + 1 >= data.Length || data[Position + 1] != 0) return;
                Position++;
            }

            Position++;
            bits |= (ulong)value << (56 - count);
            count += 8;
        }
    }

    static InvalidDataException Cut() => new("its coded data ends before its last pixels: it is truncated or damaged");

    static InvalidDataException Damaged() => new("its coded data is damaged");
}
