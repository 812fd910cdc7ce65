using QuadEngine.Data.Formats;
using QuadEngine.Data.Sample;

namespace QuadEngine.Data;

/// <summary>
/// The known data sets by name.
/// <code>var (train, test) = Datasets.Load("cifar10", folder);</code>
/// </summary>
public static class Datasets
{
    static readonly string[] CifarClasses = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    static readonly string[] FashionClasses = 
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    static readonly Normalization FashionNormalization = new([0.2860f], [0.3530f]);

    static readonly string[] IdxFiles = 
        ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"];

    static readonly string[] Cifar100Classes =
    [
        "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
        "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
        "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
        "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
        "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
        "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
        "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
        "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
        "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
        "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
    ];

    /// <summary>
    /// The engine's own data sets in the order of their names, and the data sets that were added. Register a class of your own once:
    /// <code>Datasets.Registry.Register(new Shapes());</code>
    /// </summary>
    public static Registry<DatasetInfo> Registry { get; } = new("data set",
        new FileDataset("cifar10", "small color photographs (Krizhevsky 2009)", [32, 32, 3], CifarClasses, (info, files) => ReadCifar(info, files, labelBytes: 1))
        {
            TrainCount = 50_000,
            TestCount = 10_000,
            // These are not the statistics of CIFAR-10. The published ResNets for it were trained with them, and training works as well with either.
            Normalization = Normalization.ImageNet,
            Augmentation = "crop-flip",
            License = "none stated; cite Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
            HomePage = "https://www.cs.toronto.edu/~kriz/cifar.html",
            Files = ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"],
            SubFolders = ["cifar-10-batches-bin", Path.Combine("cifar-10", "cifar-10-batches-bin"), "cifar-10", "cifar10"],
            Downloads = [CifarDownload("cifar-10-binary.tar.gz", 170_052_171, "c32a1d4ab5d03f1284b67883e8d87530")],
        },
        new FileDataset("cifar100", "small color photographs in 100 classes (Krizhevsky 2009)", [32, 32, 3], Cifar100Classes, (info, files) => ReadCifar(info, files, labelBytes: 2))
        {
            TrainCount = 50_000,
            TestCount = 10_000,
            Normalization = new([0.5071f, 0.4865f, 0.4409f], [0.2673f, 0.2564f, 0.2762f]),
            Augmentation = "crop-flip",
            License = "none stated; cite Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
            HomePage = "https://www.cs.toronto.edu/~kriz/cifar.html",
            Files = ["train.bin", "test.bin"],
            SubFolders = ["cifar-100-binary", Path.Combine("cifar-100", "cifar-100-binary"), "cifar-100", "cifar100"],
            Downloads = [CifarDownload("cifar-100-binary.tar.gz", 168_513_733, "03b5dce01913d631647c71ecec9e9cb8")],
        },
        new FileDataset("fashion-mnist", "gray photographs of clothes (Xiao, Rasul and Vollgraf 2017)", [28, 28, 1], FashionClasses, ReadIdx)
        {
            TrainCount = 60_000,
            TestCount = 10_000,
            Normalization = FashionNormalization,
            Augmentation = "flip",
            License = "MIT (Zalando SE)",
            HomePage = "https://github.com/zalandoresearch/fashion-mnist",
            Files = IdxFiles,
            SubFolders = ["fashion-mnist", Path.Combine("FashionMNIST", "raw")],
            Downloads = IdxDownloads("fashion-mnist",
                ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                 "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"],
                (26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"), (29_515, "25c81989df183df01b3e8a0aad5dffbe"),
                (4_422_102, "bef4ecab320f06d8554ea6380940ec79"), (5_148, "bb300cfdad3c16e7a12a480ee83cd310")),
        },
        new FashionSample(FashionClasses, FashionNormalization),
        new FileDataset("mnist", "handwritten digits (LeCun, Cortes and Burges 1998)", [28, 28, 1], ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], ReadIdx)
        {
            TrainCount = 60_000,
            TestCount = 10_000,
            Normalization = new([0.1307f], [0.3081f]),
            License = "CC BY-SA 3.0",
            HomePage = "http://yann.lecun.com/exdb/mnist/",
            Files = IdxFiles,
            SubFolders = ["mnist", Path.Combine("MNIST", "raw")],
            Downloads = IdxDownloads("mnist",
                ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"],
                (9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"), (28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
                (1_648_877, "9fb629c4189551a2d022fa330f9573f3"), (4_542, "ec29112dd5afa0611ce80d1b7f02629c")),
        });

    /// <summary>All data sets, in the order of their registration.</summary>
    public static IReadOnlyList<DatasetInfo> All => Registry.Entries;

    /// <summary>The names of all data sets.</summary>
    public static IReadOnlyList<string> Names => Registry.Names;

    /// <summary>
    /// The folder of data sets if no folder is given: the variable QUADENGINE_DATA, else .quadengine/data in the home folder.
    /// </summary>
    public static string DefaultFolder =>
        Environment.GetEnvironmentVariable("QUADENGINE_DATA") is { Length: > 0 } folder
            ? folder
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".quadengine", "data");

    /// <summary>Returns the description of a data set.</summary>
    /// <param name="dataset">The name, in upper or lower case.</param>
    /// <exception cref="ArgumentException">There is no data set with this name; the message lists the known names.</exception>
    public static DatasetInfo Get(Selection dataset) => Registry.Get(dataset);

    /// <summary>Reads a data set: its training and its test images, with their normalization.</summary>
    /// <param name="dataset">The name, and values of the options.</param>
    /// <param name="folder">The folder with the files or with their usual sub-folder; null for <see cref="DefaultFolder"/>.</param>
    /// <exception cref="ArgumentException">There is no data set with this name, it has no such option, or a value is not possible.</exception>
    /// <exception cref="FileNotFoundException">The files are not in the folder; the message says which file to put where.</exception>
    /// <exception cref="InvalidFileException">The content of a file is wrong.</exception>
    public static DatasetSplits Load(Selection dataset, string? folder = null) => Registry.Get(dataset).Load(folder ?? DefaultFolder, Registry.Complete(dataset));

    internal static DatasetSplits ReadIdx(DatasetInfo info, string[] files) => new(
        Idx.Read(info.Name, files[0], files[1], info.ClassNames, info.Normalization),
        Idx.Read(info.Name, files[2], files[3], info.ClassNames, info.Normalization));

    /// <summary>Reads CIFAR. All files except the last are the training part.</summary>
    internal static DatasetSplits ReadCifar(DatasetInfo info, string[] files, int labelBytes) => new(
        CifarBinary.Read(info.Name, files[..^1], info.ClassNames, labelBytes, info.TrainCount!.Value / (files.Length - 1), info.Normalization),
        CifarBinary.Read(info.Name, files[^1..], info.ClassNames, labelBytes, info.TestCount!.Value, info.Normalization));

    static Download CifarDownload(string archive, long bytes, string md5) =>
        new(["https://www.cs.toronto.edu/~kriz/" + archive], archive, bytes, md5, IsArchive: true);

    static Download[] IdxDownloads(string subFolder, string[] places, params ReadOnlySpan<(long Bytes, string Md5)> files)
    {
        var downloads = new Download[files.Length];
        for (var i = 0; i < files.Length; i++)
        {
            var file = IdxFiles[i];
            downloads[i] = new([.. places.Select(place => place + file)], Path.Combine(subFolder, file), files[i].Bytes, files[i].Md5);
        }
        return downloads;
    }
}
