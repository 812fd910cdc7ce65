// A program that contains one trained network with its weights. `quad export --format native` builds it.
using System.Globalization;
using QuadEngine;
using QuadEngine.Models;

const string Resource = "classifier.safetensors";
const int Shown = 3;

var files = args.Where(argument => argument != "--logits").ToArray();
if (files.Length == 0 || files[0] is "--help" or "-h")
{
    Console.WriteLine($"""
        {Path.GetFileName(Environment.ProcessPath)} [--logits] FILE...

        Prints the most probable classes of images. A FILE is an image (png, jpg, bmp), or ends in .f32 and holds normalized float32
        values [N, H, W, C], little-endian. --logits prints the network's outputs as they are.
        """);
    return files.Length == 0 ? 2 : 0;
}

using var weights = SafeTensors.Open((UnmanagedMemoryStream)typeof(Program).Assembly.GetManifestResourceStream(Resource)!, Resource);
var classifier = Classifier.Read(weights, Resource);
var exitCode = 0;
foreach (var file in files)
{
    try
    {
        foreach (var input in classifier.Inputs(file)) Console.WriteLine($"{file}: {Describe(classifier.Logits(input))}");
    }
    catch (Exception e) when (e is InvalidFileException or IOException or UnauthorizedAccessException or InvalidOperationException)
    {
        Console.Error.WriteLine(e.Message);
        exitCode = 1;
    }
}

return exitCode;

string Describe(float[] logits) => args.Length > files.Length
    ? string.Join(' ', logits.Select(logit => logit.ToString("R", CultureInfo.InvariantCulture)))
    : string.Join(", ", classifier.Rank(logits).Take(Shown));
