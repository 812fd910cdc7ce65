using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace QuadEngine.Benchmarks.Peers;

/// <summary>
/// Lets a shared library load on a system whose libstdc++ is older than the one it was built with, if the library uses nothing of the new
/// version. TorchSharp 0.107 was built with GCC 13, whose header iostream makes every library refer to
/// ios_base_library_init of version GLIBCXX_3.4.32, although none calls it. Debian 12 ends at 3.4.30, and its loader refuses the library.
/// </summary>
/// <remarks>
/// An ELF file lists the versions that it needs. Each entry has a flag that marks the need as weak; the loader then continues without
/// it. See "Version Requirements" in the Linux Standard Base, chapter "Symbol Versioning".
/// </remarks>
static class WeakVersionNeeds
{
    const int VersionNeeds = 0x6ffffffe;    // SHT_GNU_verneed
    const ushort Weak = 0x2;                // VER_FLG_WEAK

    /// <summary>Marks the need of a version as weak, in this program's copy of the library, unless the system has the symbol.</summary>
    public static void Allow(string library, string version, string provider, string symbol)
    {
        if (!File.Exists(library) || NativeLibrary.TryLoad(provider, out var handle) && NativeLibrary.TryGetExport(handle, symbol, out _)) return;
        var elf = File.ReadAllBytes(library);
        if (Entry(elf, version) is not { } entry || (U16(elf, entry + 4) & Weak) != 0) return;
        BinaryPrimitives.WriteUInt16LittleEndian(elf.AsSpan((int)entry + 4), Weak);
        var aside = $"{library}.{Environment.ProcessId}";
        File.WriteAllBytes(aside, elf);
        File.Move(aside, library, overwrite: true);
    }

    // Section headers are 64 bytes: type at 4, offset at 24, index of the linked string table at 40, number of entries at 44.
    static long? Entry(byte[] elf, string version)
    {
        var sections = I64(elf, 40);
        for (var i = 0; i < U16(elf, 60); i++)
        {
            var section = sections + 64 * i;
            if (I32(elf, section + 4) != VersionNeeds) continue;
            var strings = I64(elf, sections + 64 * I32(elf, section + 40) + 24);
            return Entry(elf, I64(elf, section + 24), I32(elf, section + 44), strings, version);
        }

        return null;
    }

    // For each needed library: number of versions at 2, distance to the first at 8 and to the next library at 12.
    // For each version: flags at 4, name at 8, distance to the next at 12.
    static long? Entry(byte[] elf, long need, int libraries, long strings, string version)
    {
        for (; libraries > 0; libraries--, need += I32(elf, need + 12))
        {
            var entry = need + I32(elf, need + 8);
            for (var versions = U16(elf, need + 2); versions > 0; versions--, entry += I32(elf, entry + 12))
            {
                var name = elf.AsSpan((int)(strings + I32(elf, entry + 8)));
                if (name[..name.IndexOf((byte)0)].SequenceEqual(Encoding.ASCII.GetBytes(version))) return entry;
            }
        }

        return null;
    }

    static ushort U16(byte[] bytes, long at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan((int)at));

    static int I32(byte[] bytes, long at) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan((int)at));

    static long I64(byte[] bytes, long at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan((int)at));
}
