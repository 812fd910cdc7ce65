using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>The tiles that products use, and the number of slices of their sums.</summary>
public class PlanTests
{
    static readonly Precision[] Precisions = Enum.GetValues<Precision>();

    [Test]
    public void A_plan_covers_the_product_with_whole_neurons_and_slices_of_whole_steps()
    {
        var random = new Random(7);
        var taken = new HashSet<TileChoice>();
        var (added, folded) = (0, 0);
        for (var i = 0; i < 20_000; i++)
        {
            var extents = (Rows: Extent(200_000), Columns: Extent(600), Depth: Extent(200_000));
            var batches = random.Next(4) == 0 ? random.Next(2, 70) : 1;
            int neuron = random.Next(2) == 0 ? 1 : random.Next(1, 40);
            var precision = Precisions[i % Precisions.Length];
            var hasEpilogue = neuron > 1 || random.Next(2) == 0;
            var asked = $"{precision} {extents}, {batches} batches, neurons of {neuron}";
            if (ProductPlan.For(precision, extents, batches, mayAdd: true, mayFold: !hasEpilogue, neuron, warpGroups: i % 2 == 0) is not { } plan)
            {
                Assert.That(neuron, Is.GreaterThan(1), asked);
                continue;
            }

            taken.Add(plan.Tile);
            (added, folded) = (added + (plan.AddsSlices ? 1 : 0), folded + (plan.Slices > 1 && !plan.AddsSlices ? 1 : 0));
            var grid = plan.Grid;
            Assert.That((grid.Rows, grid.Columns, grid.Depth), Is.EqualTo(extents), asked);
            Assert.That(grid.ColumnsPerTile % neuron, Is.Zero, asked);
            Assert.That(plan.ColumnTiles, Is.EqualTo((extents.Columns + grid.ColumnsPerTile - 1) / grid.ColumnsPerTile), asked);
            Assert.That(plan.RowTiles * (plan.ElementsPerTile / ColumnsOf(plan.Tile)), Is.InRange(extents.Rows, extents.Rows + 255), asked);
            Assert.That(precision == Precision.Float32 || plan.StartsAtQuads, asked);
            Assert.That(plan.Cycles, Is.GreaterThan(0).And.LessThan(double.PositiveInfinity), asked);
            if (plan.Slices == 1)
            {
                Assert.That((grid.DepthPerSlice, grid.DepthOffset, plan.AddsSlices), Is.EqualTo((extents.Depth, 0, false)), asked);
                continue;
            }

            Assert.That(batches, Is.EqualTo(1), asked);
            Assert.That(plan.AddsSlices || !hasEpilogue, asked);
            Assert.That(grid.DepthOffset, Is.EqualTo(grid.DepthPerSlice), asked);
            Assert.That(grid.DepthPerSlice % 16, Is.Zero, asked);
            Assert.That(extents.Depth, Is.InRange((plan.Slices - 1) * grid.DepthPerSlice + 1, plan.Slices * grid.DepthPerSlice), asked);
        }

        Assert.That(taken, Is.EquivalentTo(Enum.GetValues<TileChoice>()), "every tile is used");
        Assert.That(Math.Min(added, folded), Is.GreaterThan(100), "slices are added up in both ways");

        int Extent(int most) => random.Next(3) == 0 ? random.Next(1, 20) : (int)Math.Exp(random.NextDouble() * Math.Log(most));
    }

    static int ColumnsOf(TileChoice tile) => int.Parse(tile.ToString().Split('x')[1], System.Globalization.CultureInfo.InvariantCulture);

    [Test]
    public void Only_the_tile_that_is_forced_is_taken([ValueSource(nameof(Precisions))] Precision precision)
    {
        foreach (var tile in ProductPlan.TilesOf(precision))
            Assert.That(ProductPlan.For(precision, (1000, 64, 5000), 1, mayAdd: true, mayFold: true, neuron: 1, tile, warpGroups: true)!.Value.Tile, Is.EqualTo(tile));
    }

    // 3x3 convolutions of a ResNet-20 at batch 128, with statistics.
    [TestCase(16, nameof(TileChoice.Tile256x16))]
    [TestCase(32, nameof(TileChoice.Tile128x32))]
    [TestCase(64, nameof(TileChoice.Tile64x64))]
    public void Stages_of_a_resnet_take_tiles_as_wide_as_they_are(int channels, string tile)
    {
        var side = 512 / channels;
        Assert.That(ProductPlan.For(Precision.Float32, (128 * side * side, channels, 9 * channels), 1, mayAdd: true, mayFold: false, neuron: 1)!.Value.Tile.ToString(), Is.EqualTo(tile));
    }

    // If there are few tiles, slices use the rest of the machine: one image, 64 channels of 8 x 8 pixels.
    [Test]
    public void A_single_image_is_cut_along_the_sum()
    {
        var plan = ProductPlan.For(Precision.Float32, (64, 64, 576), 1, mayAdd: true, mayFold: false, neuron: 1)!.Value;
        Assert.That((plan.AddsSlices, plan.Slices), Is.EqualTo((true, 9)));
    }
}
