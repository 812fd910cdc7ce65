using System.Reflection;
using System.Runtime.Loader;

namespace QuadEngine.Tests.Gpu;

/// <summary>A program has the package of the GPU, but no line that names it. The engine is loaded anew, and nothing registers the package.</summary>
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
        using var reflection = context.EnterContextualReflection();      // as in a program, where there is no test runner with its own context
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
