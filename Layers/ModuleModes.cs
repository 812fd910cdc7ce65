using QuadEngine.Layers;

namespace QuadEngine;

/// <summary>Switches modules between training and inference, and gives back the type they were called on.</summary>
/// <remarks>
/// A mode holds for every thread. To evaluate a network that others use meanwhile, or that goes on training after it, open an <see cref="EvaluationMode"/>.
/// </remarks>
public static class ModuleModes
{
    /// <summary>Switches a module and all below to training: batch norm uses the statistics of its batch, dropout drops.</summary>
    /// <param name="module">The module.</param>
    /// <param name="training">False for inference.</param>
    /// <exception cref="InvalidOperationException">The mode would change while the module is being called.</exception>
    public static T Train<T>(this T module, bool training = true) where T : ModuleBase
    {
        module.SetMode(training);
        return module;
    }

    /// <summary>Switches a module and all below to inference: batch norm uses its running statistics, dropout passes its input on.</summary>
    /// <param name="module">The module.</param>
    /// <exception cref="InvalidOperationException">The mode would change while the module is being called.</exception>
    public static T Eval<T>(this T module) where T : ModuleBase => module.Train(false);
}
