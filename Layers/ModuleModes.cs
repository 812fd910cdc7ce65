using QuadEngine.Layers;

namespace QuadEngine;

/// <summary>Switches modules between training and inference, and returns the type they were called on.</summary>
/// <remarks>
/// A mode applies to every thread. To evaluate a network while others use it, or while it is being trained, open an <see cref="EvaluationMode"/>.
/// </remarks>
public static class ModuleModes
{
    /// <summary>Switches a module and all modules inside to training: batch norm uses the statistics of its batch, dropout drops.</summary>
    /// <param name="module">The module.</param>
    /// <param name="training">True for training, false for inference.</param>
    /// <exception cref="InvalidOperationException">The mode would change while the module is being called.</exception>
    public static T Train<T>(this T module, bool training = true) where T : ModuleBase
    {
        module.SetMode(training);
        return module;
    }

    /// <summary>Switches a module and all modules inside to inference: batch norm uses its running statistics, dropout passes its input on.</summary>
    /// <param name="module">The module.</param>
    /// <exception cref="InvalidOperationException">The mode would change while the module is being called.</exception>
    public static T Eval<T>(this T module) where T : ModuleBase => module.Train(false);
}
