using System.Runtime.InteropServices;
using QuadEngine.Data;
using QuadEngine.Models;
using QuadEngine.Tests.Images;

namespace QuadEngine.Tests.Export;

public class ClassifierTests
{
    [Test]
    public void File_gives_back_network_and_meaning()
    {
        using var trained = new Trained("resnet8");
        var read = Classifier.Read(trained.File("classifier.safetensors"));
        Assert.That(read.Configuration, Is.EqualTo(trained.Classifier.Configuration));
        Assert.That(read.Images.Classes, Is.EqualTo(trained.Classifier.Images.Classes));
        using var batch = Trained.Test.Take(5).Batches(5).Single();
        var input = batch.Input.ToArray();
        Assert.That(read.Logits(input), Is.EqualTo(trained.Classifier.Logits(input)));
    }

    [Test]
    public void Probabilities_are_the_softmax_in_descending_order()
    {
        using var trained = new Trained("resnet8");
        using var batch = Trained.Test.Take(1).Batches(1).Single();
        var logits = trained.Classifier.Logits(batch.Input.ToArray());
        var ranked = trained.Classifier.Rank(logits);
        var sum = logits.Sum(logit => Math.Exp(logit));
        Assert.That(ranked.Select(prediction => prediction.Probability), Is.Ordered.Descending);
        Assert.That(ranked.Sum(prediction => prediction.Probability), Is.EqualTo(1f).Within(1e-5f));
        foreach (var (name, probability) in ranked)
            Assert.That(probability, Is.EqualTo(Math.Exp(logits[trained.Classifier.Images.Classes.ToList().IndexOf(name)]) / sum).Within(1e-5));
    }

    [Test]
    public void Image_file_is_seen_as_the_data_set_has_it()
    {
        using var trained = new Trained("resnet8");
        using var files = new ImageFiles();
        var path = files.Write("shoe.png", new Picture(28, 28, 1, Trained.Test.Image(9).ToArray()));
        using var batch = Trained.Test.Slice(9, 1).Batches(1).Single();
        Assert.That(trained.Classifier.Inputs(path).Single(), Is.EqualTo(batch.Input.ToArray()));
        Assert.That(trained.Classifier.Input(Picture.Read(path)), Is.EqualTo(batch.Input.ToArray()), "a gray network gets the same values from a picture that is read in color");
    }

    [Test]
    public void Raw_file_holds_as_many_inputs_as_fit()
    {
        using var trained = new Trained("resnet8");
        using var batch = Trained.Test.Take(3).Batches(3).Single();
        var values = batch.Input.ToArray();
        File.WriteAllBytes(trained.File("x.f32"), MemoryMarshal.AsBytes(values.AsSpan()));
        Assert.That(trained.Classifier.Inputs(trained.File("x.f32")).SelectMany(input => input), Is.EqualTo(values));
        File.WriteAllBytes(trained.File("x.f32"), new byte[100]);
        Assert.That(() => trained.Classifier.Inputs(trained.File("x.f32")), Throws.TypeOf<InvalidFileException>().With.Message.Contains("100 bytes"));
    }

    [Test]
    public void File_of_weights_alone_says_what_it_lacks()
    {
        using var trained = new Trained("resnet8");
        Assert.That(() => Classifier.Read(trained.File("weights.safetensors")), Throws.TypeOf<InvalidFileException>().With.Message.Contains("quad export"));
    }
}
