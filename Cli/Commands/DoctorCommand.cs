using System.CommandLine;
using System.Runtime.InteropServices;
using QuadEngine.Data;
using QuadEngine.Gpu;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad doctor</c>: shows what the engine finds on this machine.</summary>
static class DoctorCommand
{
    public static Command Create(Output output)
    {
        var json = CommonOptions.Json();
        var command = new ToolCommand("doctor", "Show what the engine finds on this machine: processor, memory, devices, data sets.", "quad doctor --json") { json };
        command.SetAction(parsed =>
        {
            ReportItem[] items =
            [
                new("processor", Hardware.Processor),
                new("threads", $"{Environment.ProcessorCount}"),
                new("simd", Hardware.Simd),
                new("memory", Hardware.Bytes(Hardware.Memory)),
                new("runtime", $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}"),
                .. GpuDiagnostics.Describe().Select(gpu => new ReportItem(gpu.Name, gpu.Hardware.Length > 0 ? $"{gpu.Hardware}, {gpu.Details}" : gpu.Details)),
                new("best device", Device.Best.Name),
                .. Datasets.All.Select(info => new ReportItem(info.Name, DataCommand.Whereabouts(info, Datasets.DefaultFolder) ?? $"not in {Datasets.DefaultFolder}")),
            ];
            output.Table(["", ""], items.Select(item => (string[])[item.Name, item.Value ?? ""]));
            if (parsed.GetValue(json)) output.Json(new("doctor") { Device = Device.Best.Name, Items = items });
        });
        return command;
    }
}
