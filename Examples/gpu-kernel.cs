// A GPU kernel in C#:   dotnet run Examples/gpu-kernel.cs [cuda:0 | opencl:0 | simulator]
#:project ../Engine/Gpu/QuadEngine.Gpu.csproj
#:property PublishAot=false

using ILGPU;
using QuadEngine;
using QuadEngine.Devices;
using QuadEngine.Gpu;

// The simulator runs every thread of the kernel on the CPU: it is slow and exact, and a debugger can stop in the kernel.
var device = (GpuDevice)Device.Get(args.Length > 0 ? args[0] : "simulator");

const int rows = 100, columns = 1000;
var x = Tensor.Uniform([rows, columns], -1f, 1f, new Generator(seed: 1));
var sums = Tensor.Empty([rows], device);

// Read() and Write() hold the memory until the kernel was launched, even if the garbage collector drops the tensors.
using (Tensor there = x.To(device))
using (Operand from = there.Read(), to = sums.Write())
    device.Launch(new RowSums(from.View(), columns, to.View()), groups: rows);

var worst = sums.ToArray().Zip(x.Sum([1]).ToArray(), (got, expected) => MathF.Abs(got - expected)).Max();
Console.WriteLine($"{rows} sums of {columns} numbers on {device}, largest difference from the CPU {worst:E1}");
return worst < 1e-3f ? 0 : 1;

/// <summary>
/// One group for each row. Each thread adds up every 64th number. Then the group folds its 64 sums in shared memory, always in the same order, without
/// atomics, so every run gives the same bits. Floor: the row is read once, and neighboring threads read neighboring addresses.
/// </summary>
public readonly struct RowSums(ArrayView<float> x, int columns, ArrayView<float> sums) : IKernel
{
    public static int Threads => 64;

    public void Run()
    {
        var row = Grid.IdxX * columns;
        var sum = 0f;
        for (var i = Group.IdxX; i < columns; i += 64) sum += x[row + i];

        var partial = SharedMemory.Allocate1D<float>(64);
        partial[Group.IdxX] = sum;
        Group.Barrier();
        for (var half = 32; half > 0; half /= 2)
        {
            if (Group.IdxX < half) partial[Group.IdxX] += partial[Group.IdxX + half];
            Group.Barrier();
        }

        if (Group.IdxX == 0) sums[Grid.IdxX] = partial[0];
    }
}
