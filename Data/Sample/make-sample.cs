// Writes fashion-mnist-sample.br, the part of Fashion-MNIST that QuadEngine.Data embeds, from the four official files:
//   dotnet run Data/Sample/make-sample.cs -- FOLDER        (about 40 s; the folder has fashion-mnist/train-images-idx3-ubyte.gz ...)
#:project ../QuadEngine.Data.csproj
#:property PublishAot=false

using QuadEngine;
using QuadEngine.Data;
using QuadEngine.Data.Sample;

if (args is not [var folder])
{
    Console.Error.WriteLine("usage: dotnet run make-sample.cs -- FOLDER, a folder that holds the files of Fashion-MNIST");
    return 1;
}

var here = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
var target = Path.Combine(here, "fashion-mnist-sample.br");
var packed = GrayImageCodec.Encode(FashionSample.Choose(Datasets.Load("fashion-mnist", folder)), FashionSample.Side, FashionSample.Side);
AtomicFile.Write(target, stream => stream.Write(packed));
Console.WriteLine($"{target}: {packed.Length:N0} bytes");
return 0;
