using QuadEngine.Cli;
using QuadEngine.Gpu;

GpuDevices.Register();
return Tool.Run(args, Output.ToConsole());
