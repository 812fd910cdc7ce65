using System.Runtime.CompilerServices;

namespace QuadEngine.Tests.Autograd;

/// <summary>Handles that nobody disposed: the garbage collector gives their memory back, once.</summary>
public class FinalizedHandleTests
{
    // A result that waits for its next operation holds handles of its own. When all become garbage together, each share is
    // released by its finalizer, and must not be released again by the result's.
    [Test]
    public void Dropping_unread_results_releases_their_operands_once()
    {
        var x = Tensor.Full([64, 16], 2f);
        for (var round = 0; round < 20; round++)
        {
            LeaveGarbage(x);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            // Were the memory of x released too often, one of these would be given it.
            for (var i = 0; i < 8; i++) _ = Tensor.Full([64, 16], -1f);
            Assert.That(x.ToArray(), Is.All.EqualTo(2f), $"round {round}");
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void LeaveGarbage(Tensor x)
    {
        Tensor leaf = x.Detach(), gamma = Tensor.Ones([16]);
        leaf.RequiresGrad = gamma.RequiresGrad = true;
        _ = BatchNorm.Train(leaf, gamma, null);
        _ = BatchNorm.Train(leaf, gamma, null).Relu();
        _ = MatMul.Apply(leaf, Tensor.Ones([16, 3]));
        _ = BatchNorm.Train(leaf, gamma, null).Sum();
    }
}
