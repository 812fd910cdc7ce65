using CsCheck;

namespace QuadEngine.Tests.Autograd;

/// <summary>The checks of <see cref="JoinedBackwardTests"/> on GPUs.</summary>
public class DeviceJoinedBackwardTests
{
    // The compiler of a device may round a product and a sum together if they are now next to each other.
    [Test]
    public void It_has_the_values_of_two_passes_through_OpenCl() => Gen.ULong[1, ulong.MaxValue >> 8].Sample(seed => JoinedBackwardTests.AssertSame(seed, TestDevices.OpenCl, large: seed % 4 == 0, 1e-6f), iter: 40, threads: 1);

    [Test]
    public void It_has_the_values_of_two_passes_in_the_simulator() => Gen.ULong[1, ulong.MaxValue >> 8].Sample(seed => JoinedBackwardTests.AssertSame(seed, TestDevices.Simulator, large: false, 1e-6f), iter: 4, threads: 1);

    [Test]
    public void It_takes_a_launch_less_unless_others_read_the_neurons_or_gradients_are_checked()
    {
        var device = TestDevices.OpenCl;
        var joined = Launches(_ => { });
        Assert.That(Launches(y => _ = y.Exp()), Is.EqualTo(joined + 1), "another operation reads them");
        Assert.That(Launches(y => _ = y.Exp().Detach()), Is.EqualTo(joined + 1));
        Assert.That(Launches(_ => { }, guarded: true), Is.GreaterThan(joined), "the gradient between them must be checked");

        long Launches(Action<Tensor> read, bool guarded = false)
        {
            var (_, _, y, _) = JoinedBackwardTests.Neurons(device);
            read(y);
            var result = y.BatchNorm(null, null);
            _ = result.ToArray();
            var cotangent = Tensor.Ones(result.Shape, device);
            using var guard = guarded ? new NonFiniteGuard() : default;
            var before = device.Launches;
            result.Backward(cotangent);
            return device.Launches - before;
        }
    }
}
