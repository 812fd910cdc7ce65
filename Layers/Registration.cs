using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace QuadEngine.Layers;

public abstract partial class ModuleBase
{
    // The module whose function is running on this thread.
    [ThreadStatic]
    static ModuleBase? running;

    bool isRegistered, isChecked;

    // A module or parameter that is not registered would be in no optimizer and in no checkpoint, and would move to no device, without an error. If no gradients are recorded
    // (a teacher's predictions, inference), nothing is lost.
    void CheckRegistered(ModuleBase? caller)
    {
        if (NoGrad.Active) return;
        if (caller is not null && !isRegistered && !ReferenceEquals(caller, this) && Parameters().Any(parameter => parameter.RequiresGrad))
            throw Unregistered(caller, FieldOf(caller, this), GetType().Name, ParameterCount);
        if (isChecked) return;
        foreach (var (field, held) in Fields(this))
            foreach (var parameter in Elements<Parameter>(held))
                if (!parameter.IsRegistered && parameter.RequiresGrad) throw Unregistered(this, field, nameof(Parameter), parameter.Length);
        isChecked = true;
    }

    static InvalidOperationException Unregistered(ModuleBase owner, string? field, string kind, long parameters) => new(
        $"{owner.GetType().Name}: {field ?? "something it calls"}, a {kind} of {parameters:N0} learned values, is not registered, so it would never be trained, saved or moved to a device. "
        + $"Write {field ?? "it"} = Register(\"{field ?? "name"}\", ...) in the constructor; or call it in a {nameof(NoGrad)} if it should not learn.");

    static string? FieldOf(ModuleBase owner, ModuleBase child) =>
        Fields(owner).Where(field => Elements<ModuleBase>(field.Value).Contains(child)).Select(field => field.Name).FirstOrDefault();

    static IEnumerable<T> Elements<T>(object? held) where T : class => held switch
    {
        T one => [one],
        T[] or List<T> => (IEnumerable<T>)held,
        _ => [],
    };

    // The fields of each class, from the object's class to this one. The backing field of a property has the property's name.
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "A field that was trimmed away is not looked at; what it held is then not named, or not found.")]
    static IEnumerable<(string Name, object? Value)> Fields(ModuleBase module)
    {
        for (var type = module.GetType(); type is not null && type != typeof(ModuleBase); type = type.BaseType)
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                yield return (field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name, field.GetValue(module));
    }
}
