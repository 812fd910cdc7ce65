using System.Diagnostics;
using System.Runtime.InteropServices;
using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>A CUDA driver library without a GPU, built from StubDriver.c. The host path runs, and kernels are counted; <see cref="InterpretedCuda"/> can run them.</summary>
sealed class StubDriver
{
    static readonly Lazy<StubDriver> Built = new(Build);
    readonly nint library;

    StubDriver(nint library) => this.library = library;

    /// <summary>Loads the stub instead of the driver for the rest of this process; ignores the test if that is impossible.</summary>
    public static StubDriver Instance
    {
        get
        {
            if (NativeLibrary.TryLoad("libcuda.so.1", out _)) Assert.Ignore("A real CUDA driver is installed here, and the stub would replace it.");
            return Built.Value;
        }
    }

    /// <summary>The path of the library, for separate processes.</summary>
    public string File { get; private init; } = "";

    public GpuDevice Device { get; private set; } = null!;

    public int Count(string name) => Marshal.GetDelegateForFunctionPointer<Counter>(NativeLibrary.GetExport(library, $"stub_{name}"))();

    /// <summary>Sets a value of the stub: "version", "refuse_graphs", "refuse_edges", "refuse_programmatic", "lost_edge", "order", "refuse_modules", "room" (bytes of memory left, -1 for all).</summary>
    public void Set(string name, int value) => Marshal.GetDelegateForFunctionPointer<Setter>(NativeLibrary.GetExport(library, $"stub_set_{name}"))(value);

    /// <summary>Sets the functions that prepare, run and forget a launch; with zeros, kernels are not executed.</summary>
    public void SetMachine(nint prepare, nint run, nint forget) => Marshal.GetDelegateForFunctionPointer<MachineSetter>(NativeLibrary.GetExport(library, "stub_set_machine"))(prepare, run, forget);

    /// <summary>The error that the driver reports for a launch that failed.</summary>
    public void SetFault(string message)
    {
        var text = Marshal.StringToCoTaskMemUTF8(message);
        Marshal.GetDelegateForFunctionPointer<TextSetter>(NativeLibrary.GetExport(library, "stub_set_fault"))(text);
        Marshal.FreeCoTaskMem(text);
    }

    /// <summary>The blocks that are allocated on the device now, in ascending order.</summary>
    public (ulong[] Starts, ulong[] Ends) Blocks()
    {
        var blocks = Marshal.GetDelegateForFunctionPointer<BlockList>(NativeLibrary.GetExport(library, "stub_blocks"));
        var count = blocks([], [], 0);
        ulong[] starts = new ulong[count], ends = new ulong[count];
        blocks(starts, ends, count);
        return (starts, ends);
    }

    public string LastPtx => Marshal.PtrToStringUTF8(Marshal.GetDelegateForFunctionPointer<Text>(NativeLibrary.GetExport(library, "stub_last_ptx"))())!;

    static StubDriver Build()
    {
        var folder = Directory.CreateTempSubdirectory("quadengine-stub").FullName;
        string source = Path.Combine(folder, "stub.c"), file = Path.Combine(folder, "libcuda.so.1");
        using (var text = typeof(StubDriver).Assembly.GetManifestResourceStream("StubDriver.c")!)
        using (var target = System.IO.File.Create(source)) text.CopyTo(target);
        try
        {
            using var gcc = Process.Start("gcc", ["-shared", "-fPIC", "-w", source, "-o", file]);
            gcc.WaitForExit();
            Assert.That(gcc.ExitCode, Is.Zero, "gcc builds the stub");
        }
        catch (System.ComponentModel.Win32Exception) when (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.Ignore("There is no gcc here to build the stub driver.");
        }

        Environment.SetEnvironmentVariable(NativeLibraries.CudaPathVariable, file);
        Environment.SetEnvironmentVariable(PtxCache.FolderVariable, Path.Combine(folder, "cache"));
        var stub = new StubDriver(NativeLibrary.Load(file)) { File = file };
        var provider = new GpuDevices();
        stub.Device = (GpuDevice)provider.TryGet("cuda")!;
        return stub;
    }

    delegate int Counter();

    delegate void Setter(int value);

    delegate nint Text();

    delegate void MachineSetter(nint prepare, nint run, nint forget);

    delegate void TextSetter(nint text);

    delegate int BlockList(ulong[] starts, ulong[] ends, int most);
}
