namespace QuadEngine.Devices.Cpu;

/// <summary>The kernels of the CPU, one file per family. <see cref="ThreadTeam"/> distributes them over the cores.</summary>
sealed unsafe partial class CpuKernels : Kernels;
