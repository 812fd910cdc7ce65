using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// A tensor broadcast to a larger shape. Pieces of it are contiguous memory: the tensor's own memory if it has that shape, otherwise a
/// buffer that stays in the L1 cache. A short repeating operand (a number, a bias of [C]) is written out once per chunk.
/// </summary>
sealed unsafe class BroadcastOperand
{
    /// <summary>The number of elements in a piece.</summary>
    const int Piece = 2048;

    readonly float* data;
    readonly StridedCopy expansion;
    readonly bool isContiguous;
    readonly int period;

    public BroadcastOperand(Operand tensor, Shape shape)
    {
        data = tensor.Pointer();
        expansion = new StridedCopy(shape.AsSpan(), Strides(tensor.Shape, shape), shape.Strides());
        var inner = expansion[expansion.Rank - 1];
        isContiguous = expansion.Rank == 1 && inner.Stride == 1;
        if (expansion.Rank == 1 && inner.Stride == 0) period = 1;
        if (expansion.Rank == 2 && inner is (<= Piece, 1) && expansion[0].Stride == 0) period = inner.Extent;
    }

    /// <summary>Receives elements [start, start + count) of two operands.</summary>
    public delegate void PieceBody(int start, int count, float* a, float* b);

    /// <summary>Calls the body for pieces that cover [0, length), on all cores.</summary>
    public static void ForEachPiece(BroadcastOperand a, BroadcastOperand b, int length, PieceBody body) =>
        Sweep.All(length, (start, count) => ForEachPiece(a, b, start, count, body));

    [SkipLocalsInit]
    static void ForEachPiece(BroadcastOperand a, BroadcastOperand b, int start, int count, PieceBody body)
    {
        float* bufferA = stackalloc float[2 * Piece], bufferB = stackalloc float[2 * Piece];
        a.WriteOut(bufferA, count);
        b.WriteOut(bufferB, count);
        for (var end = start + count; start < end; start += Piece)
        {
            var n = Math.Min(Piece, end - start);
            body(start, n, a.At(start, n, bufferA), b.At(start, n, bufferB));
        }
    }

    // The buffer is one period longer than a piece, because a piece may start anywhere within the period.
    void WriteOut(float* buffer, int count)
    {
        if (period == 0) return;
        Unsafe.CopyBlockUnaligned(buffer, data, 4 * (uint)period);
        for (int done = period, end = period + Math.Min(count, Piece); done < end; done *= 2)
            Unsafe.CopyBlockUnaligned(buffer + done, buffer, 4 * (uint)Math.Min(done, end - done));
    }

    float* At(int start, int count, float* buffer)
    {
        if (isContiguous) return data + start;
        if (period > 0) return buffer + start % period;
        expansion.Range(data, buffer - start, start, count);
        return buffer;
    }

    static int[] Strides(Shape operand, Shape shape)
    {
        int[] own = operand.Strides(), strides = new int[shape.Rank];
        var missing = shape.Rank - operand.Rank;
        for (var axis = 0; axis < operand.Rank; axis++)
            if (operand[axis] != 1) strides[missing + axis] = own[axis];
        return strides;
    }
}
