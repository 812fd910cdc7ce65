using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>The changes to the OpenCL C that ILGPU writes.</summary>
public class OpenClTextTests
{
    // Drivers cache compiled programs by their text.
    [Test]
    public void A_kernel_has_one_text_whatever_was_compiled_before()
    {
        var first = OpenClText.Rewrite(Kernel(type: 7, parameter: 40, label: 12, shared: 93));
        Assert.That(OpenClText.Rewrite(Kernel(type: 1207, parameter: 9, label: 7, shared: 5)), Is.EqualTo(first));
        Assert.That(first, Does.Contain(".field_3 =").And.Contain("var2 = var1;").And.Contain("get_local_id(0)"), "names that are always the same do not change");
        Assert.That(first.Split("type_"), Has.Length.EqualTo(5), "a type keeps one name, and another type has another");
        Assert.That(first, Does.Match(@"typedef local float\* (type_\d+);[\s\S]*typedef global float\* (?!\1)type_\d+;"));
    }

    static string Kernel(int type, int parameter, int label, int shared) => $$"""
        typedef local float* type_{{type}};
        typedef global float* type_{{type + 1}};
        kernel void Kernel(type_{{type + 1}} _view_{{parameter}})
        {
            local float shared_var_{{shared}}[32];
            type_{{type}} var1;
            L_{{label}}_0:
            var2 = var1;
            var3.field_3 = get_local_id(0);
            goto L_{{label}}_0;
        }
        """;
}
