using Table =
    QuadEngine.Devices.Row<QuadEngine.Operations.ReluOp,
    QuadEngine.Devices.Row<QuadEngine.Operations.Relu6Op,
    QuadEngine.Devices.Row<QuadEngine.Operations.HardSigmoidOp,
    QuadEngine.Devices.NoRow>>>;

namespace QuadEngine.Devices;

/// <summary>
/// A point-wise function that kernels apply to a result before they write it. It is part of an <see cref="Epilogue{T}"/> and of a batch norm. The functions are the rows
/// of the table above. One more row adds a function to the kernels, their backward, fusion and export.
/// </summary>
/// <remarks>
/// Each function is an <see cref="IUnaryOp{TSelf}"/>. If gradients flow, a function joins only if its derivative reads the output alone, because the input is not written. A kernel of a
/// GPU contains the code of all rows and selects one when it runs. The CPU has a kernel for each row.
/// </remarks>
public readonly record struct Activation
{
    // The place in the table, counted from 1; 0 for no function.
    readonly int row;

    Activation(int row) => this.row = row;

    /// <summary>y = z.</summary>
    public static Activation None => default;

    /// <summary>y = max(z, 0).</summary>
    public static Activation Relu => Of<ReluOp>();

    /// <summary>y = min(max(z, 0), 6).</summary>
    public static Activation Relu6 => Of<Relu6Op>();

    /// <summary>The function of an operation, or <see cref="None"/> if the table has no row for it.</summary>
    public static Activation Of<TOp>() where TOp : struct, IUnaryOp<TOp> => new(Table.Find<TOp>(1));

    /// <summary>Whether there is no function: y = z.</summary>
    public bool IsNone => row == 0;

    /// <summary>The functions of all rows.</summary>
    internal static IEnumerable<Activation> All => Enumerable.Range(1, Table.Count).Select(row => new Activation(row));

    /// <summary>y = act(z), as kernels of GPUs compute it.</summary>
    /// <param name="z">An element.</param>
    public float F(float z) => Table.F(row, z);

    /// <summary>dz = dy act'(y), as kernels of GPUs compute it.</summary>
    /// <param name="dy">An element of the gradient of y.</param>
    /// <param name="y">The element of the result.</param>
    public float Backward(float dy, float y) => Table.Backward(row, dy, y);

    /// <summary>Calls the visitor with the operation. It does nothing for <see cref="None"/>.</summary>
    /// <param name="visitor">The visitor.</param>
    public void Accept<TVisitor>(TVisitor visitor) where TVisitor : IActivationVisitor => Table.Accept(row, visitor);

    /// <summary>The name of the operation's type, for messages.</summary>
    public override string ToString() => Table.NameOf(row);
}

/// <summary>Code that is generic in the operation of an <see cref="Activation"/>.</summary>
public interface IActivationVisitor
{
    /// <summary>Runs the code for an operation.</summary>
    void Visit<TOp>() where TOp : struct, IUnaryOp<TOp>;
}

/// <summary>The rows of the table of activations, as nested types. A function that takes the number of a row is compiled with the code of all rows.</summary>
interface IRows
{
    static abstract int Count { get; }

    static abstract int Find<TOp>(int first) where TOp : struct, IUnaryOp<TOp>;

    static abstract float F(int row, float z);

    static abstract float Backward(int row, float dy, float y);

    static abstract void Accept<TVisitor>(int row, TVisitor visitor) where TVisitor : IActivationVisitor;

    static abstract string NameOf(int row);
}

/// <summary>A row, and the rows after it.</summary>
readonly struct Row<TActivation, TRest> : IRows where TActivation : struct, IUnaryOp<TActivation> where TRest : struct, IRows
{
    public static int Count => 1 + TRest.Count;

    public static int Find<TOp>(int first) where TOp : struct, IUnaryOp<TOp> => typeof(TOp) == typeof(TActivation) ? first : TRest.Find<TOp>(first + 1);

    // A selection instead of a jump for the first row. Kernels jump over the code of the other rows.
    public static float F(int row, float z)
    {
        float own = TActivation.F(z), y = row == 1 ? own : z;
        return TRest.Count == 0 || row < 2 ? y : TRest.F(row - 1, z);
    }

    public static float Backward(int row, float dy, float y)
    {
        float own = TActivation.Backward(dy, 0f, y), dz = row == 1 ? own : dy;
        return TRest.Count == 0 || row < 2 ? dz : TRest.Backward(row - 1, dy, y);
    }

    public static void Accept<TVisitor>(int row, TVisitor visitor) where TVisitor : IActivationVisitor
    {
        if (row == 1) visitor.Visit<TActivation>();
        else TRest.Accept(row - 1, visitor);
    }

    public static string NameOf(int row) => row == 1 ? typeof(TActivation).Name : TRest.NameOf(row - 1);
}

/// <summary>The end of the table.</summary>
readonly struct NoRow : IRows
{
    public static int Count => 0;

    public static int Find<TOp>(int first) where TOp : struct, IUnaryOp<TOp> => 0;

    public static float F(int row, float z) => z;

    public static float Backward(int row, float dy, float y) => dy;

    public static void Accept<TVisitor>(int row, TVisitor visitor) where TVisitor : IActivationVisitor
    {
    }

    public static string NameOf(int row) => nameof(Activation.None);
}
