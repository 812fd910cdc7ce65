using QuadEngine;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace Shapes;

public sealed class ShapesPlugin : IPlugin
{
    public void Register()
    {
        Networks.Registry.Register(new ShapeNet());
        Datasets.Registry.Register(new ShapeSet());
        Neurons.Registry.Register(new GatedEntry());
        Optimizers.Registry.Register(new LionEntry());
        Schedules.Registry.Register(new SawtoothEntry());
        Augmentations.Registry.Register(new EraseEntry());
    }
}
