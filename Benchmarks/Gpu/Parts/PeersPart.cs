using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using ILGPU.Runtime.Cuda;
using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu.Parts;

/// <summary>The time of other libraries for the same work on the same card. If a library is not installed, the figure says so.</summary>
static class PeersPart
{
    public const string Part = "peers", CuBlas = "cuBLAS", PyTorch = "PyTorch", Note = "note";

    static PeersPart() => NativeLibrary.SetDllImportResolver(typeof(CuBlas).Assembly, ResolveCuBlas);

    public static IEnumerable<WorkItem> Items(GpuBench bench) =>
    [
        new(Part, CuBlas, () => RunCuBlas(bench.At(Precision.Float32), bench.Size)),
        new(Part, PyTorch, () => RunTorch(bench.Python, bench.Batch, bench.Size), MostSeconds: 180),
    ];

    // ILGPU knows the libraries up to CUDA 12; the functions are the same in 13.
    static nint ResolveCuBlas(string name, System.Reflection.Assembly assembly, DllImportSearchPath? path) =>
        name.Contains("cublas", StringComparison.OrdinalIgnoreCase) && !NativeLibrary.TryLoad(name, assembly, path, out _)
        && NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "cublas64_13.dll" : "libcublas.so.13", out var newer) ? newer : 0;

    // Row-major y = a b is column-major y^T = b^T a^T. The numbers are random, because a card multiplies zeros faster.
    static IEnumerable<(string, double?, string?)> RunCuBlas(GpuDevice device, int size)
    {
        if (device.Accelerator is not CudaAccelerator accelerator) return [(Note, null, "absent, the device is not a CUDA device")];
        try
        {
            using var blas = new CuBlas(accelerator);
            using Tensor left = Tensor.Uniform([size, size], -1f, 1f, new Generator(1), device), right = Tensor.Uniform([size, size], -1f, 1f, new Generator(2), device), result = Tensor.Zeros([size, size], device);
            using Operand a = left.Read(), b = right.Read(), y = result.Write();
            var found = new List<(string, double?, string?)>();
            foreach (var (name, mode) in ((string, int)[])[("matmul float32", 0), ("matmul tf32", 3)])
            {
                blas.MathMode = (CuBlasMathMode)mode;
                found.Add((name, Clock.Seconds(accelerator.Synchronize, () => blas.Gemm(CuBlasOperation.NonTranspose, CuBlasOperation.NonTranspose, size, size, size, 1f, b.View(), size, a.View(), size, 0f, y.View(), size)), null));
            }

            return found;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException or CuBlasException or NotSupportedException or TypeInitializationException)
        {
            return [(Note, null, $"absent ({exception.Message})")];
        }
    }

    // The script writes a line of JSON for each figure as it is found, so figures before a failure are kept.
    static IEnumerable<(string, double?, string?)> RunTorch(string python, int batch, int size)
    {
        if (python.Length == 0)
        {
            yield return (Note, null, "absent; --torch python3 runs it if Python has PyTorch for CUDA");
            yield break;
        }

        var folder = Directory.CreateTempSubdirectory("quadengine-torch").FullName;
        try
        {
            var script = Path.Combine(folder, "torch_peer.py");
            using (var source = typeof(PeersPart).Assembly.GetManifestResourceStream("torch_peer.py")!)
            using (var target = File.Create(script)) source.CopyTo(target);
            if (Start(python, script, batch, size, out var refusal) is not { } started)
            {
                yield return (Note, null, refusal);
                yield break;
            }

            using var process = started;
            var errors = process.StandardError.ReadToEndAsync();
            while (process.StandardOutput.ReadLine() is { } line)
            {
                using var json = JsonDocument.Parse(line);
                foreach (var value in json.RootElement.EnumerateObject())
                    yield return value.Value.ValueKind == JsonValueKind.Number ? (value.Name, value.Value.GetDouble(), null) : (Note, null, value.Value.GetString());
            }

            process.WaitForExit();
            if (process.ExitCode != 0) yield return (Note, null, $"ended with {process.ExitCode} ({errors.Result.Trim().Split('\n')[^1]})");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static Process? Start(string python, string script, int batch, int size, out string? refusal)
    {
        try
        {
            refusal = null;
            return Process.Start(new ProcessStartInfo(python, [script, batch.ToString(CultureInfo.InvariantCulture), size.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true, RedirectStandardError = true });
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            refusal = $"absent ({python}: {exception.Message})";
            return null;
        }
    }
}
