using System.Runtime.CompilerServices;

namespace QuadEngine.Tests.Autograd;

/// <summary>The garbage collector returns the memory of handles that nobody disposed, once.</summary>
public class FinalizedHandleTests
{
    // A deferred result holds its own handles on its operands. When all become garbage together, each finalizer of a handle
    // releases it. The finalizer of the result must not release it again, because the pool would then lend one block twice.
    [Test]
    public void Dropping_unread_results_with_their_operands_releases_each_block_once()
    {
        for (var round = 0; round < 10; round++)
        {
            LeaveGarbage();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Tensor[] tensors = [.. Enumerable.Range(0, 64).Select(i => Tensor.Full([77, 16], i))];
            for (var i = 0; i < tensors.Length; i++) Assert.That(tensors[i].ToArray(), Is.All.EqualTo(i), $"round {round}");
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void LeaveGarbage()
    {
        for (var i = 0; i < 8; i++)
        {
            Tensor x = Tensor.Ones([77, 16]), gamma = Tensor.Ones([16]);
            x.RequiresGrad = gamma.RequiresGrad = true;
            _ = x.BatchNorm(gamma, null);
            _ = x.BatchNorm(gamma, null).Relu();
            _ = x.MatMul(Tensor.Ones([16, 16]));
        }
    }
}
