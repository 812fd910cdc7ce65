using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>The cost of one layer.</summary>
/// <param name="Path">The path of its parameters.</param>
/// <param name="Layer">The layer in the form in which it prints.</param>
/// <param name="Output">The shape of its output for one image.</param>
/// <param name="Parameters">The number of learned values of the layer itself, without its children.</param>
/// <param name="MultiplyAdds">The multiply-adds for one image. As usual, biases, norms and activations are not counted.</param>
public sealed record LayerCost(string Path, string Layer, Shape Output, long Parameters, long MultiplyAdds);

/// <summary>The cost of a network: the parameters and multiply-adds of each layer for one input. One call of the network measures them.</summary>
/// <param name="Layers">The layers that have parameters of their own or no children, in the order in which their calls end.</param>
public sealed record CostModel(IReadOnlyList<LayerCost> Layers)
{
    /// <summary>The number of all parameters.</summary>
    public long Parameters => Layers.Sum(layer => layer.Parameters);

    /// <summary>The number of all multiply-adds for one image.</summary>
    public long MultiplyAdds => Layers.Sum(layer => layer.MultiplyAdds);

    /// <summary>Measures a network on an input of the given shape.</summary>
    /// <param name="network">The network. It is called with zeros, in inference mode, on its device, and is not changed.</param>
    /// <param name="input">The shape [1, H, W, C] or [1, in], for the multiply-adds of one input.</param>
    public static CostModel Of(Module network, Shape input)
    {
        var paths = network.Modules().ToDictionary(entry => entry.Module, entry => entry.Path);
        var layers = new List<LayerCost>();
        using (new EvaluationMode())
        using (new NoGrad())
        using (new TensorScope())
        using (new ModuleTrace((module, x, y) =>
        {
            var own = module.ParameterCount - module.Children.Sum(child => child.Module.ParameterCount);
            if ((module.Children.Count == 0 || own > 0) && paths.TryGetValue(module, out var path))
                layers.Add(new LayerCost(path, module.ToString().Split([" {", "  #"], 2, default)[0], y.Shape, own, module.MultiplyAdds(x.Shape, y.Shape)));
        }))
            network.Forward(Tensor.Zeros(input, network.Device));
        return new CostModel(layers);
    }
}
