namespace QuadEngine.Devices.Cpu;

/// <summary>The kernels of the CPU, one file a family; <see cref="ThreadTeam"/> spreads them over the cores.</summary>
sealed unsafe partial class CpuKernels : Kernels;
