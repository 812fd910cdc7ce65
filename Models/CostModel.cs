using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>One layer of a summary.</summary>
/// <param name="Path">Its parameter path.</param>
/// <param name="Layer">As it prints.</param>
/// <param name="Output">Shape of its output for one image.</param>
/// <param name="Parameters">Learned values of its own.</param>
/// <param name="MultiplyAdds">Multiply-adds for one image; biases, norms and activations are not counted, as usual.</param>
public sealed record LayerCost(string Path, string Layer, Shape Output, long Parameters, long MultiplyAdds);

/// <summary>What a network costs: parameters and multiply-adds of each layer for one input, found by calling it once.</summary>
/// <param name="Layers">Those with parameters of their own or without children, in the order in which their calls end.</param>
public sealed record CostModel(IReadOnlyList<LayerCost> Layers)
{
    /// <summary>All parameters.</summary>
    public long Parameters => Layers.Sum(layer => layer.Parameters);

    /// <summary>All multiply-adds for one image.</summary>
    public long MultiplyAdds => Layers.Sum(layer => layer.MultiplyAdds);

    /// <summary>Measures a network on an input of the given shape.</summary>
    /// <param name="network">Called with zeros, in inference and on its device; it stays as it is.</param>
    /// <param name="input">[1, H, W, C] or [1, in] for the multiply-adds of one input.</param>
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
