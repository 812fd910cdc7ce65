namespace QuadEngine.Tests.Operations;

/// <summary>A plain array of doubles, with which the results of operations are compared.</summary>
public sealed class Array64(Shape shape)
{
    readonly int[] strides = shape.Strides();

    public Shape Shape { get; } = shape;

    public double[] Values { get; private init; } = new double[shape.Elements];

    /// <summary>The element at an index, with one number for each axis.</summary>
    public ref double this[params ReadOnlySpan<int> index]
    {
        get
        {
            var place = 0;
            for (var axis = 0; axis < index.Length; axis++)
            {
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index[axis], (uint)Shape[axis]);
                place += index[axis] * strides[axis];
            }

            return ref Values[place];
        }
    }

    public static Array64 Of(Tensor tensor) => new(tensor.Shape) { Values = Array.ConvertAll(tensor.ToArray(), value => (double)value) };

    /// <summary>Returns every index in row-major order.</summary>
    public static IEnumerable<int[]> Indices(Shape shape)
    {
        for (var place = 0; place < shape.Elements; place++)
        {
            var index = new int[shape.Rank];
            for (int axis = shape.Rank - 1, rest = place; axis >= 0; rest /= shape[axis--]) index[axis] = rest % shape[axis];
            yield return index;
        }
    }

    /// <summary>Makes an array whose elements are a function of their index.</summary>
    public static Array64 From(Shape shape, Func<int[], double> element)
    {
        var array = new Array64(shape);
        var place = 0;
        foreach (var index in Indices(shape)) array.Values[place++] = element(index);
        return array;
    }

    /// <summary>Returns the element that an index of a larger, broadcast shape reads.</summary>
    public double Broadcast(int[] index)
    {
        var own = new int[Shape.Rank];
        for (var axis = 0; axis < own.Length; axis++) own[axis] = Shape[axis] == 1 ? 0 : index[index.Length - own.Length + axis];
        return this[own];
    }
}
