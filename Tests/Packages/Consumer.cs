using QuadEngine.Cli.Export;

namespace QuadEngine.Tests.Packages;

/// <summary>A program in its own folder that knows QuadEngine only from its packages.</summary>
sealed class Consumer : IDisposable
{
    const string Source = """
        using QuadEngine;
        using QuadEngine.Data;
        using QuadEngine.Layers;
        using QuadEngine.Models;

        Generator.Default = new Generator(seed: 1);
        var (train, test) = Datasets.Load("fashion-mnist-sample");
        var configuration = new NetworkConfiguration { Model = "resnet8", Neuron = "quadratic", Height = 28, Width = 28, Channels = 1 };
        var network = configuration.Build();
        var sgd = new Sgd(network.ParameterGroups(), learningRate: 0.05f, momentum: 0.9f);
        var steps = 0;
        foreach (var (images, labels) in train.Take(160).Batches(32, seed: 1))
        {
            var loss = Losses.CrossEntropy(network.Forward(images), labels);
            loss.Backward();
            sgd.Step();
            if (!float.IsFinite(loss.Item())) return 1;
            steps++;
        }
        Console.WriteLine($"trained {steps} steps");

        var trained = new Classifier(configuration, network, test.ClassNames, test.Normalization);
        var file = Path.Combine(AppContext.BaseDirectory, "clothes.safetensors");
        trained.Save(file);
        var loaded = Classifier.Read(file);
        var picture = new Picture(28, 28, 1, test.Image(0).ToArray());
        var (before, after) = (trained.Classify(picture), loaded.Classify(picture));
        Console.WriteLine(before.SequenceEqual(after) ? "the file says the same" : "the file differs");
        Console.WriteLine($"predicted one of {after.Count}: {test.ClassNames.Contains(after[0].Class)}");
        return 0;
        """;

    readonly string folder = Directory.CreateTempSubdirectory("quadengine-consumer-").FullName;

    public Consumer(Feed feed)
    {
        File.WriteAllText(Path.Combine(folder, "Program.cs"), Source);
        File.WriteAllText(Path.Combine(folder, "consumer.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <!-- Packages of this version go nowhere else; those of others are taken from where they are. -->
                <RestorePackagesPath>{Path.Combine(folder, "packages")}</RestorePackagesPath>
                <RestoreFallbackFolders>{Packages}</RestoreFallbackFolders>
                <RestoreAdditionalProjectSources>{feed.Folder}</RestoreAdditionalProjectSources>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="QuadEngine.Models" Version="{Feed.Version}" />
              </ItemGroup>
            </Project>
            """);
    }

    public string Output => Path.Combine(folder, "out");

    static string Packages => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
        ? folder
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>Builds and runs the program, and returns the lines that it printed.</summary>
    public string[] Run()
    {
        var (code, text) = NativeToolchain.Run("dotnet", "build", Path.Combine(folder, "consumer.csproj"), "-c", "Release", "-o", Output, "-v", "quiet", "--nologo");
        Assert.That(code, Is.Zero, text);
        (code, text) = NativeToolchain.Run("dotnet", Path.Combine(Output, "consumer.dll"));
        Assert.That(code, Is.Zero, text);
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
