using System.Text;

namespace QuadEngine.Layers;

public abstract partial class ModuleBase
{
    /// <summary>The constructor call of the module as text, e.g. "Conv2d(16 -> 32, 3x3, stride 2, padding 1)".</summary>
    protected virtual string Describe() => GetType().Name;

    /// <summary>The constructor call of the module, with its children indented below it and the numbers of parameters.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Print(text, "", "");
        return text.ToString().TrimEnd();
    }

    void Print(StringBuilder text, string indent, string label)
    {
        text.Append(indent).Append(label).Append(Describe());
        var count = ParameterCount;
        if (children.Count > 0) text.Append(" {");
        if (count > 0) text.Append($"  # {count:N0} parameters");
        text.AppendLine();
        if (children.Count == 0) return;
        foreach (var (name, module) in children) module.Print(text, indent + "  ", $"{name}: ");
        text.Append(indent).AppendLine("}");
    }
}
