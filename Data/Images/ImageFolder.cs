namespace QuadEngine.Data;

/// <summary>
/// Labelled image files, a folder for each class as ImageNet has them: FOLDER/cat/1.jpg, FOLDER/dog/2.png. Files of any size are
/// decoded, cut and resized when a batch needs them, ahead of it on other threads; only their names are kept in memory.
/// <code>
/// var train = ImageFolder.Open("photos/train");
/// foreach (var (images, labels) in train.Batches(64, [224, 224, 3], seed: 1, epoch: e, framing: Framing.Random)) ...
/// </code>
/// </summary>
public sealed class ImageFolder
{
    ImageFolder(string folder, IReadOnlyList<string> classNames, IReadOnlyList<string> files, IReadOnlyList<int> labels) =>
        (Folder, ClassNames, Files, Labels) = (folder, classNames, files, labels);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>The names of the class folders, in ordinal order.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The paths of all images, class after class, each class in ordinal order.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The class of each image.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>N, the number of images.</summary>
    public int Count => Files.Count;

    /// <summary>Lists a folder. Folders without images are classes too; files that are no images by their names are left out.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="ArgumentException">It has no folders with images in them.</exception>
    public static ImageFolder Open(string folder)
    {
        string[] classes = [.. Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)];
        var files = new List<string>();
        var labels = new List<int>();
        for (var label = 0; label < classes.Length; label++)
            foreach (var file in Directory.EnumerateFiles(classes[label], "*", SearchOption.AllDirectories).Where(IsImage).Order(StringComparer.Ordinal))
            {
                files.Add(file);
                labels.Add(label);
            }

        Check.That(files.Count > 0, nameof(ImageFolder), $"{folder} has {classes.Length} folders and no images in them; expected a folder for each class, with files {string.Join(", ", Picture.Extensions)}.");
        return new(folder, [.. classes.Select(path => Path.GetFileName(path))], files, labels);
    }

    /// <summary>The batches of one epoch: images [N, H, W, C] and labels [N]. For training give a seed and <see cref="Framing.Random"/>.</summary>
    /// <param name="batchSize">Images in a batch.</param>
    /// <param name="imageShape">[H, W, C] of what the network sees; C is 1 (grey) or 3 (RGB).</param>
    /// <param name="framing">Which part of an image is seen; <see cref="Framing.Centre"/> where it is left out.</param>
    /// <param name="normalization">How bytes become numbers; ImageNet's for RGB and [0, 1] for grey where it is left out.</param>
    /// <param name="seed">Shuffles the images, another order each epoch; in their own order where it is left out.</param>
    /// <param name="epoch">Which epoch, counted from 0: the order and the framing depend on it.</param>
    /// <param name="dropLast">Leaves out a last batch with fewer images.</param>
    /// <param name="start">The first batch: resumes an epoch in its middle with the bits it would have had.</param>
    /// <param name="prefetch">Batches in preparation at once on other threads, as many as processors where it is left out; 0 prepares them on the caller's. Changes no bit.</param>
    /// <param name="device">Where the tensors go; the CPU where it is left out.</param>
    /// <exception cref="ArgumentException">An argument is out of range, or a random framing has no seed.</exception>
    public Loader Batches(
        int batchSize, Shape imageShape, Framing? framing = null, Normalization? normalization = null, ulong? seed = null, int epoch = 0, bool dropLast = false,
        int start = 0, int? prefetch = null, Device? device = null) =>
        new(new FolderSource(this, imageShape, framing ?? Framing.Centre, normalization), batchSize, seed, epoch, dropLast, start, prefetch ?? Environment.ProcessorCount, device);

    /// <summary>All images decoded, cut and resized once, in memory: a data set as any other, where they fit.</summary>
    /// <inheritdoc cref="Batches"/>
    public ImageDataset ToDataset(Shape imageShape, Framing? framing = null, Normalization? normalization = null)
    {
        var source = new FolderSource(this, imageShape, framing ?? Framing.Centre, normalization);
        var pixels = new byte[Count * imageShape.Elements];
        Parallel.For(0, Count, image => source.Pixels(image, seed: 0, epoch: 0).CopyTo(pixels.AsSpan(image * imageShape.Elements)));
        return new(Path.GetFileName(Path.TrimEndingDirectorySeparator(Folder)), pixels, Labels.ToArray(), ClassNames, imageShape[0], imageShape[1], imageShape[2], source.Normalization);
    }

    static bool IsImage(string path) => Picture.Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    sealed class FolderSource : BatchSource
    {
        readonly ImageFolder folder;
        readonly Framing framing;

        public FolderSource(ImageFolder folder, Shape imageShape, Framing framing, Normalization? normalization)
        {
            Check.That(imageShape.Rank == 3 && imageShape.Elements > 0 && imageShape[2] is 1 or 3, nameof(ImageFolder), $"the image shape is {imageShape}; expected [H, W, 3] for RGB or [H, W, 1] for grey.");
            (this.folder, this.framing, ImageShape) = (folder, framing, imageShape);
            Normalization = normalization ?? (imageShape[2] == 3 ? Normalization.ImageNet : Normalization.UnitRange(1));
            Check.That(Normalization.Channels == imageShape[2], nameof(ImageFolder), $"the normalisation is for {Normalization.Channels} channels, but the images have {imageShape[2]}.");
        }

        public Normalization Normalization { get; }

        public override int Count => folder.Count;

        public override Shape ImageShape { get; }

        public override object? Randomness => framing.IsRandom ? framing : null;

        public override int Label(int image) => folder.Labels[image];

        public override void Write(int image, ulong seed, int epoch, Span<float> to) => Normalization.Apply(Pixels(image, seed, epoch), to);

        public byte[] Pixels(int image, ulong seed, int epoch)
        {
            int height = ImageShape[0], width = ImageShape[1];
            var picture = Picture.Read(folder.Files[image], ImageShape[2]);
            var (frame, mirrored) = framing.Choose(picture, height, width, seed, epoch, image);
            var seen = picture.Resample(frame, height, width);
            return (mirrored ? seen.Mirror() : seen).Pixels;
        }
    }
}
