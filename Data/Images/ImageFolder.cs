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
    readonly IReadOnlyList<FoundFile> found;

    ImageFolder(string folder, IReadOnlyList<string> classNames, IReadOnlyList<FoundFile> found, IReadOnlyList<int> labels, int leftOut)
    {
        (Folder, ClassNames, this.found, Labels, LeftOut) = (folder, classNames, found, labels, leftOut);
        Files = [.. found.Select(file => file.Path)];
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>The names of the classes; where the folder itself says them, those of its sub-folders (<see cref="ClassFolder"/>) in ordinal order.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The paths of all images, class after class, each class in ordinal order.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The class of each image.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>Other files in the folder: no images by their names, images in no class, or links to what is listed already.</summary>
    public int LeftOut { get; }

    /// <summary>N, the number of images.</summary>
    public int Count => Files.Count;

    /// <summary>
    /// Lists a folder. Folders without images are classes too; files that are no images by their names are left out, and so is what has a name
    /// with a dot in front. Links are followed, but each real folder and each real file is listed once.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="classNames">The classes that a network tells apart, in its order; where it is left out, every sub-folder is a class.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="ArgumentException">It has no folders with images in them, or one that is none of the classes, or one twice.</exception>
    public static ImageFolder Open(string folder, IReadOnlyList<string>? classNames = null)
    {
        var tops = FolderWalk.FoldersIn(folder);
        string[] names = [.. tops.Select(path => ClassFolder.ClassOf(Path.GetFileName(path)))];
        classNames ??= names;
        var unknown = names.Except(classNames).ToArray();
        Check.That(tops.Length > 0, nameof(ImageFolder), $"{folder} has no folders in it; expected one for each class with its pictures inside, like {Path.Combine(folder, "cat", "1.jpg")}.");
        Check.That(unknown.Length == 0, nameof(ImageFolder), $"{folder} has {Listed(unknown)}, expected folders of the classes {Listed(classNames)}; a class is its folder's name, capitals included.");
        foreach (var same in tops.GroupBy(FolderWalk.RealPath).Concat(tops.GroupBy(path => ClassFolder.ClassOf(Path.GetFileName(path)))))
            Check.That(same.Count() == 1, nameof(ImageFolder), $"{string.Join(" and ", same)} are the same class; take one out.");

        var (files, repeated) = FolderWalk.FilesUnder(tops);
        var classes = classNames.Select(name => Array.IndexOf(names, name)).Select(i => i < 0 ? [] : files[i].Where(file => Picture.HasExtension(file.Path)).ToArray()).ToArray();
        var (count, all) = (classes.Sum(images => images.Length), files.Sum(list => list.Length) + FolderWalk.CountIn(folder) + repeated);
        Check.That(count > 0, nameof(ImageFolder), $"the folders of {folder} ({Listed(names)}) have no pictures in them; expected files {string.Join(", ", Picture.Extensions)}.");
        return new(folder, classNames, [.. classes.SelectMany(images => images)], [.. classes.SelectMany((images, label) => Enumerable.Repeat(label, images.Length))], all - count);
    }

    /// <summary>The batches of one epoch: images [N, H, W, C] and labels [N]. For training give a seed and <see cref="Framing.Random"/>.</summary>
    /// <param name="batchSize">Images in a batch.</param>
    /// <param name="imageShape">[H, W, C] of what the network sees; C is 1 (grey) or 3 (RGB).</param>
    /// <param name="framing">Which part of an image is seen; <see cref="Framing.Center"/> where it is left out.</param>
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
        new(new FolderSource(this, imageShape, framing ?? Framing.Center, normalization, prefetch ?? Environment.ProcessorCount, device), new EpochOrder(batchSize, seed, epoch, dropLast, start));

    /// <summary>The images as a data set that decodes, cuts and resizes each when a batch needs it: for folders that memory does not hold.</summary>
    /// <inheritdoc cref="ToDataset"/>
    public LabeledImages Stream(Shape imageShape, Framing? framing = null, Normalization? normalization = null) =>
        new Streamed(new FolderSource(this, imageShape, Still(framing), normalization));

    /// <summary>All images decoded, cut and resized once, in memory: a data set as any other, where they fit.</summary>
    /// <param name="imageShape">[H, W, C] of what the network sees; C is 1 (grey) or 3 (RGB).</param>
    /// <param name="framing">Which part of an image is seen, the same each time; <see cref="Framing.Center"/> where it is left out.</param>
    /// <param name="normalization">How bytes become numbers; ImageNet's for RGB and [0, 1] for grey where it is left out.</param>
    /// <exception cref="ArgumentException">An argument is out of range, the framing is random, or the images take more than 2 GB.</exception>
    /// <exception cref="InvalidFileException">Images are damaged; the message names them.</exception>
    public ImageDataset ToDataset(Shape imageShape, Framing? framing = null, Normalization? normalization = null)
    {
        var source = new FolderSource(this, imageShape, Still(framing), normalization);
        Check.That((long)Count * imageShape.Elements <= Array.MaxLength, nameof(ImageFolder), $"{Count} images {imageShape} take more than 2 GB; use {nameof(Stream)}, or a smaller size.");
        var pixels = new byte[Count * imageShape.Elements];
        var damaged = ReadAll(image => source.Pixels(image, seed: 0, epoch: 0).CopyTo(pixels.AsSpan(image * imageShape.Elements)));
        if (damaged.Count > 0) throw Refusal(damaged);
        return new(Name, pixels, Labels.ToArray(), ClassNames, imageShape[0], imageShape[1], imageShape[2], source.Normalization);
    }

    /// <summary>So many of the images, evenly out of all classes.</summary>
    /// <param name="count">From 0 to <see cref="Count"/>.</param>
    /// <exception cref="ArgumentException">There are fewer.</exception>
    public ImageFolder Take(int count)
    {
        Check.That(count >= 0 && count <= Count, nameof(Take), $"asked for {count} images, but {Folder} has {Count}.");
        return Select([.. Enumerable.Range(0, count).Select(i => (int)((long)i * Count / count))]);
    }

    /// <summary>What is known of the images from the heads of their files, without decoding them.</summary>
    /// <exception cref="InvalidFileException">Files are no images, or damaged; the message names them, all at once.</exception>
    public FolderSurvey Survey()
    {
        var (heads, damaged) = Heads();
        if (damaged.Count > 0) throw Refusal(Inspect().Damaged);       // one look at the heads does not find all
        return new(heads, damaged);
    }

    /// <summary>Decodes every image: what is known of those that are whole, and which files are not.</summary>
    public FolderSurvey Inspect()
    {
        var heads = new PictureHead[Count];
        var damaged = ReadAll(image =>
        {
            var picture = Picture.Decode(Files[image]);
            heads[image] = new(picture.Height, picture.Width, picture.Channels);
        });
        return new(heads, damaged);
    }

    /// <summary>Sizes and colours by the heads of the files, and the files whose head says that they are no images.</summary>
    internal (PictureHead[] Heads, IReadOnlyList<InvalidFileException> Damaged) Heads()
    {
        var heads = new PictureHead[Count];
        return (heads, ReadAll(image => heads[image] = PictureFile.Head(Files[image])));
    }

    /// <summary>Paths without links, in the order of <see cref="Files"/>.</summary>
    internal IEnumerable<string> RealFiles => found.Select(file => file.RealPath);

    /// <summary>The name of the folder itself, without its place.</summary>
    internal string Name => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Folder)));

    internal ImageFolder Select(IReadOnlyList<int> images) =>
        new(Folder, ClassNames, [.. images.Select(image => found[image])], [.. images.Select(image => Labels[image])], LeftOut);

    /// <summary>"cat, dog and 3 more".</summary>
    internal static string Listed(IReadOnlyCollection<string> names, int most = 5) =>
        names.Count <= most ? string.Join(", ", names) : $"{string.Join(", ", names.Take(most))} and {names.Count - most} more";

    /// <summary>One error that names all files that cannot be read: some of them, and how many there are.</summary>
    internal static InvalidFileException Refusal(IReadOnlyList<InvalidFileException> damaged) => damaged.Count == 1 ? damaged[0]
        : new(damaged[0].Path, "", $"{Reason(damaged[0])}; {damaged.Count - 1} more cannot be read either: {Listed([.. damaged.Skip(1).Select(e => e.Path)])}", "Save them anew with another program, or take them out; `quad data show` names each with what is wrong.");

    static string Reason(InvalidFileException e) => e.Message[(e.Path.Length + 2)..].Split(". ")[0];

    /// <summary>Reads every image; gives those that cannot be read, in their order.</summary>
    IReadOnlyList<InvalidFileException> ReadAll(Action<int> read)
    {
        var failures = new InvalidFileException?[Count];
        Parallel.For(0, Count, image =>
        {
            try
            {
                read(image);
            }
            catch (InvalidFileException e)
            {
                failures[image] = e;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failures[image] = new(Files[image], "", $"it cannot be read ({e.Message.TrimEnd('.')})", "Give the right to read it, or take it out.");
            }
        });

        return [.. failures.OfType<InvalidFileException>()];
    }

    static Framing Still(Framing? framing)
    {
        Check.That(framing is not { IsRandom: true }, nameof(ImageFolder), $"{framing} draws anew each time, but a data set shows the same each time; use {nameof(Batches)}.");
        return framing ?? Framing.Center;
    }

    /// <summary>A data set whose images stay in their files.</summary>
    sealed class Streamed(FolderSource source) : LabeledImages(source.Name, source.ClassNames, source.ImageShape, source.Normalization)
    {
        public override int Count => source.Count;

        public override int Label(int index) => source.Label(index);

        public override ReadOnlySpan<byte> Image(int index) => source.Pixels(index, seed: 0, epoch: 0);

        private protected override int Ahead => Environment.ProcessorCount;
    }

    sealed class FolderSource : HostSource
    {
        readonly ImageFolder folder;
        readonly Framing framing;

        public FolderSource(ImageFolder folder, Shape imageShape, Framing framing, Normalization? normalization, int prefetch = 0, Device? device = null) : base(prefetch, device)
        {
            Check.That(imageShape.Rank == 3 && imageShape.Elements > 0 && imageShape[2] is 1 or 3, nameof(ImageFolder), $"the image shape is {imageShape}; expected [H, W, 3] for RGB or [H, W, 1] for grey.");
            (this.folder, this.framing, ImageShape) = (folder, framing, imageShape);
            Normalization = normalization ?? (imageShape[2] == 3 ? Normalization.ImageNet : Normalization.UnitRange(1));
            Check.That(Normalization.Channels == imageShape[2], nameof(ImageFolder), $"the normalisation is for {Normalization.Channels} channels, but the images have {imageShape[2]}.");
        }

        public Normalization Normalization { get; }

        public string Name => folder.Name;

        public IReadOnlyList<string> ClassNames => folder.ClassNames;

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
