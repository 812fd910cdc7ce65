using System.Reflection;
using System.Runtime.Loader;

namespace QuadEngine.Tests.Gpu;

/// <summary>A program that has the package of the GPU, and no line that names it: the engine loaded anew, and nobody registers anything.</summary>
public class PackageFoundTests
{
    [Test]
    public void Devices_of_the_package_are_found_without_a_call()
    {
        var device = Get(new Fresh(hasGpu: true), "simulator");
        Assert.That(device.ToString(), Is.EqualTo("simulator"));
    }

    [Test]
    public void Without_the_package_the_error_names_it()
    {
        var error = Assert.Throws<TargetInvocationException>(() => Get(new Fresh(hasGpu: false), "cuda:0"))!;
        Assert.That(error.InnerException!.Message, Does.Contain("found: cpu").And.Contain("dotnet add package QuadEngine.Gpu"));
    }

    static object Get(Fresh context, string name)
    {
        using var reflection = context.EnterContextualReflection();      // as it is in a program: no test runner has a context of its own
        return context.LoadFromAssemblyName(new("QuadEngine")).GetType("QuadEngine.Device")!.GetMethod("Get", [typeof(string)])!.Invoke(null, [name])!;
    }

    sealed class Fresh(bool hasGpu) : AssemblyLoadContext("fresh", isCollectible: false)
    {
        protected override Assembly? Load(AssemblyName name)
        {
            if (name.Name == "QuadEngine.Gpu" && !hasGpu) throw new FileNotFoundException(name.Name);
            return name.Name is "QuadEngine" or "QuadEngine.Gpu" or "ILGPU" or "ILGPU.Algorithms" ? LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, name.Name + ".dll")) : null;
        }
    }
}
