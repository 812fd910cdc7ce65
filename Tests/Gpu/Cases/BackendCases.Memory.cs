using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

// Memory.
static partial class BackendCases
{
    static IEnumerable<BackendCase> Memory =>
    [
        new(nameof(Backend.Fill), "", s =>
        {
            var y = s.Output([s.Extent(3000)]);
            s.Backend.Fill(y, s.Number());
            s.Result("y", y);
        }, Tolerance: 0f),
        new(nameof(Backend.Copy), "", s =>
        {
            Shape shape = [s.Extent(3000)];
            Tensor x = s.Values(shape), y = s.Output(shape);
            s.Backend.Copy(x, y);
            s.Result("y", y);
        }, Tolerance: 0f),
        new(nameof(Backend.CopyStrided), "", s =>
        {
            // A transpose in a random order, padded: y has one element more along its first axis.
            int[] extents = [.. Enumerable.Range(0, s.Pick(1, 5)).Select(_ => s.Pick(1, 9))];
            int[] order = [.. Enumerable.Range(0, extents.Length).OrderBy(_ => s.Pick(0, 1000))];
            int[] ordered = [.. order.Select(axis => extents[axis])];
            Shape from = extents, to = ordered, padded = to.With(0, ordered[0] + 1);
            Tensor x = s.Values(from), y = s.Values(padded);
            s.Backend.CopyStrided(x, 0, order.Select(axis => from.Strides()[axis]).ToArray(), to, padded.Strides()[0], padded.Strides(), y);
            s.Result("y", y);
        }, Tolerance: 0f),
        new(nameof(Backend.GatherImages), "", s =>
        {
            // Large images take several groups each; shifts reach beyond the image.
            int count = s.Pick(1, 9), height = s.Extent(90), width = s.Extent(90), channels = s.Pick(1, 4), batch = s.Pick(1, 20), first = s.Pick(0, 5);
            using var pixels = IntTensor.Empty([(count * height * width * channels + 3) / 4], s.Device);
            using (var target = pixels.Write()) s.Device.Upload(s.Bytes(count * height * width * channels), target);
            IntTensor order = s.Labels(first + batch + s.Pick(0, 3), count), labels = IntTensor.Empty([batch], s.Device);
            var images = s.Output([batch, height, width, channels]);
            var windows = s.Chance(3) ? default : new RandomWindows(Stream(s), s.Pick(0, 2) switch { 0 => 0, 1 => s.Pick(1, 4), _ => 2 * height }, s.Chance());
            s.Backend.GatherImages(new ImageBytes(pixels, s.Labels(count, 10), s.Values([channels, 256])), order, first, windows, images, labels);
            s.Result("images", images);
            s.Result("labels", labels);
        }, Tolerance: 0f),
    ];
}
