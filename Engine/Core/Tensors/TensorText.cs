using System.Globalization;
using System.Text;

namespace QuadEngine;

/// <summary>Tensors as text: aligned rows in brackets. Of a large tensor it has the first three and the last three of each axis, as in NumPy and PyTorch.</summary>
static class TensorText
{
    const int MostElements = 1000, Edge = 3, LineWidth = 96;

    /// <summary>The elements after a heading. If they are one row that fits, they are on the same line.</summary>
    /// <param name="heading">A heading that describes the tensor.</param>
    /// <param name="shape">The extents of the tensor.</param>
    /// <param name="read">Reads a number of elements from an index on. Of a large tensor on a GPU, only a few are copied.</param>
    public static string Of<T>(string heading, Shape shape, Func<int, int, T[]> read) where T : IFormattable
    {
        var shortened = shape.Elements > MostElements;
        var cells = new List<string>();
        Collect(0, 0);
        var width = cells.Select(cell => cell.Length).DefaultIfEmpty().Max();
        var (text, next) = (new StringBuilder(), 0);
        Write(0);
        return $"{heading}{(shape.Rank > 1 || text.Length > LineWidth ? ":\n" : ": ")}{text}";

        // The shown indices of an axis: all, or the edges with dots (-1) between them.
        IEnumerable<int> Shown(int axis) => !shortened || shape[axis] <= 2 * Edge ? Enumerable.Range(0, shape[axis]) : [.. Enumerable.Range(0, Edge), -1, .. Enumerable.Range(shape[axis] - Edge, Edge)];

        void Collect(int axis, int first)
        {
            if (axis == shape.Rank)
            {
                cells.Add(Format(read(first, 1)[0]));
                return;
            }

            if (axis == shape.Rank - 1)
            {
                var count = shape[axis];
                if (!shortened || count <= 2 * Edge) cells.AddRange(read(first, count).Select(Format));
                else cells.AddRange(read(first, Edge).Concat(read(first + count - Edge, Edge)).Select(Format));
                return;
            }

            var step = 1;
            for (var inner = axis + 1; inner < shape.Rank; inner++) step *= shape[inner];
            foreach (var index in Shown(axis).Where(index => index >= 0)) Collect(axis + 1, first + index * step);
        }

        void Write(int axis)
        {
            if (axis == shape.Rank)
            {
                text.Append(cells[next++]);
                return;
            }

            text.Append('[');
            var (innermost, column, separate) = (axis == shape.Rank - 1, axis + 1, false);
            foreach (var index in Shown(axis))
            {
                if (separate)
                {
                    text.Append(',');
                    column += width + 2;
                    var wraps = innermost && column + width > LineWidth;
                    if (wraps) column = axis + 1;
                    text.Append(innermost && !wraps ? " " : "\n" + new string('\n', Math.Max(0, shape.Rank - axis - 2)) + new string(' ', axis + 1));
                }

                separate = true;
                if (index < 0) text.Append("...");
                else if (innermost) text.Append(cells[next++].PadLeft(width));
                else Write(axis + 1);
            }

            text.Append(']');
        }
    }

    static string Format<T>(T value) where T : IFormattable => value.ToString(value is float ? "G6" : null, CultureInfo.InvariantCulture);
}
