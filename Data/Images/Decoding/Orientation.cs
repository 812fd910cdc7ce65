namespace QuadEngine.Data;

/// <summary>The position of the camera: the orientation of EXIF (CIPA DC-008, tag 0x0112), from 1 (upright) to 8.</summary>
static class Orientation
{
    public const int Upright = 1;

    const ushort Tag = 0x0112, Short = 3, Little = 0x4949, Big = 0x4D4D, Magic = 42;

    /// <summary>Whether an orientation exchanges height and width.</summary>
    public static bool Turns(int orientation) => orientation >= 5;

    /// <summary>Returns the orientation in a block of EXIF, which is a TIFF file; upright if the block does not contain one or is damaged.</summary>
    public static int Read(ReadOnlySpan<byte> exif)
    {
        try
        {
            var order = new ByteReader(exif, bigEndian: true).UInt16("byte order");
            if (order is not (Little or Big)) return Upright;
            var reader = new ByteReader(exif, bigEndian: order == Big);
            reader.MoveTo(2, "magic number");
            if (reader.UInt16("magic number") != Magic) return Upright;
            reader.MoveTo(reader.UInt32("directory's offset"), "directory");
            for (var entries = reader.UInt16("directory"); entries > 0; entries--)
            {
                var (tag, type) = (reader.UInt16("tag"), reader.UInt16("type"));
                reader.Bytes(4, "count");
                var value = reader.UInt16("value");
                reader.Bytes(2, "value");
                if (tag == Tag && type == Short) return value is >= 1 and <= 8 ? value : Upright;
            }
        }
        catch (InvalidDataException)
        {
            // Damaged notes of a camera do not damage the picture.
        }

        return Upright;
    }

    /// <summary>Returns the picture in upright position.</summary>
    public static Picture Apply(Picture stored, int orientation)
    {
        if (orientation == Upright) return stored;

        // Pixel (y, x) of the result is pixel start + y * down + x * right of the stored picture.
        var (h, w) = (stored.Height, stored.Width);
        var (start, down, right) = orientation switch
        {
            2 => (w - 1, w, -1),
            3 => (h * w - 1, -w, -1),
            4 => ((h - 1) * w, -w, 1),
            5 => (0, 1, w),
            6 => ((h - 1) * w, 1, -w),
            7 => (h * w - 1, -1, -w),
            _ => (w - 1, -1, w),
        };

        var (height, width) = Turns(orientation) ? (w, h) : (h, w);
        var pixels = new byte[stored.Pixels.Length];
        var channels = stored.Channels;
        for (int y = 0, to = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (int c = 0, from = (start + y * down + x * right) * channels; c < channels; c++) pixels[to++] = stored.Pixels[from + c];
        return new(height, width, channels, pixels);
    }
}
