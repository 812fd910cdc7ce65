using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ILGPU.Runtime.Cuda;
using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>What others take for the same work on the same card, in seconds; nothing where they are not installed.</summary>
sealed class GpuPeers
{
    readonly Dictionary<string, double> seconds = [];

    /// <summary>What each peer is, or why it is missing.</summary>
    public List<string> Notes { get; } = [];

    public double? this[string work] => seconds.TryGetValue(work, out var value) ? value : null;

    /// <summary>Runs the peers.</summary>
    /// <param name="device">The card.</param>
    /// <param name="python">A Python with PyTorch for CUDA, or empty.</param>
    /// <param name="batch">Images of a step.</param>
    /// <param name="size">Side of the matrices.</param>
    public static GpuPeers Run(GpuDevice device, string python, int batch, int size)
    {
        var peers = new GpuPeers();
        peers.CuBlas(device, size);
        peers.Torch(python, batch, size);
        return peers;
    }

    // Row-major y = a b is column-major y^T = b^T a^T.
    void CuBlas(GpuDevice device, int size)
    {
        if (device.Accelerator is not CudaAccelerator accelerator)
        {
            Notes.Add("cuBLAS: absent, the device is none of CUDA's");
            return;
        }

        try
        {
            using var blas = new CuBlas(accelerator);
            using Tensor left = Tensor.Zeros([size, size], device), right = Tensor.Zeros([size, size], device), result = Tensor.Zeros([size, size], device);
            using Operand a = left.Read(), b = right.Read(), y = result.Write();
            foreach (var (name, mode) in ((string, int)[])[("float32", 0), ("tf32", 3)])
            {
                blas.MathMode = (CuBlasMathMode)mode;
                seconds[$"cublas {name}"] = Clock.Seconds(accelerator.Synchronize, () => blas.Gemm(CuBlasOperation.NonTranspose, CuBlasOperation.NonTranspose, size, size, size, 1f, b.View(), size, a.View(), size, 0f, y.View(), size));
            }

            Notes.Add("cuBLAS: of this machine");
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException or CuBlasException or NotSupportedException or TypeInitializationException)
        {
            Notes.Add($"cuBLAS: absent ({exception.Message})");
        }
    }

    void Torch(string python, int batch, int size)
    {
        if (python.Length == 0)
        {
            Notes.Add("PyTorch: absent; --torch python3 runs it where Python has PyTorch for CUDA");
            return;
        }

        var script = Path.Combine(Directory.CreateTempSubdirectory("quadengine-torch").FullName, "torch_peer.py");
        using (var source = typeof(GpuPeers).Assembly.GetManifestResourceStream("torch_peer.py")!)
        using (var target = File.Create(script)) source.CopyTo(target);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(python, [script, batch.ToString(CultureInfo.InvariantCulture), size.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                Notes.Add($"PyTorch: absent ({errors.Result.Trim().Split('\n')[^1]})");
                return;
            }

            using var json = JsonDocument.Parse(output.Split('\n')[^1]);
            foreach (var value in json.RootElement.EnumerateObject())
                if (value.Value.ValueKind == JsonValueKind.Number) seconds[value.Name] = value.Value.GetDouble();
                else Notes.Add(value.Value.GetString()!);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            Notes.Add($"PyTorch: absent ({python}: {exception.Message})");
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(script)!, recursive: true);
        }
    }
}
