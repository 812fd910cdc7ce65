using System.Numerics;
using System.Runtime.Intrinsics;

namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>
/// The function of each instruction, by its full name with all modifiers. Names that are not here are refused, because nothing is guessed. Numbers follow the
/// PTX ISA: floats are rounded to nearest, ties to even, and keep subnormals, because no text asks for .ftz. Approximations give the nearest float.
/// </summary>
static class InstructionSet
{
    static readonly Dictionary<string, Func<Operands, Instruction>> All = [];

    static InstructionSet()
    {
        Moves();
        Bits<uint>("b32", 32);
        Bits<ulong>("b64", 64);
        Integers<int>("s32", ["lt", "le", "gt", "ge"]);
        Integers<uint>("u32", ["lo", "ls", "hi", "hs", "lt", "le", "gt", "ge"]);
        Integers<long>("s64", ["lt", "le", "gt", "ge"]);
        Integers<ulong>("u64", ["lo", "ls", "hi", "hs", "lt", "le", "gt", "ge"]);
        Wide();
        Floats<float>("f32");
        Floats<double>("f64");
        Approximations();
        Conversions();
        Predicates();
        MemoryAccess();
        Threads();
    }

    public static Instruction Decode(string name, Operands operands) => All.TryGetValue(name, out var make)
        ? make(operands)
        : throw new PtxFault($"line {operands.Line}: the interpreter does not know the instruction {name} ({operands.Text})");

    // ---- integers and bits

    static void Moves()
    {
        foreach (var type in (string[])["b32", "u32", "s32", "f32"]) All[$"mov.{type}"] = Map<uint>(a => a);
        foreach (var type in (string[])["b64", "u64", "s64", "f64"]) All[$"mov.{type}"] = Map<ulong>(a => a);
        foreach (var type in (string[])["b32", "u32", "s32", "f32"]) All[$"selp.{type}"] = o => new Select<uint>(o.Target<uint>(0), o.Source<uint>(1), o.Source<uint>(2), o.Predicate(3));
        foreach (var type in (string[])["b64", "u64", "s64", "f64"]) All[$"selp.{type}"] = o => new Select<ulong>(o.Target<ulong>(0), o.Source<ulong>(1), o.Source<ulong>(2), o.Predicate(3));

        // Device memory has the same addresses with and without its name.
        All["cvta.to.global.u64"] = Map<ulong>(a => a);
    }

    static void Bits<T>(string type, int bits) where T : unmanaged, IBinaryInteger<T>
    {
        All[$"and.{type}"] = Map2<T>((a, b) => a & b);
        All[$"or.{type}"] = Map2<T>((a, b) => a | b);
        All[$"xor.{type}"] = Map2<T>((a, b) => a ^ b);
        All[$"not.{type}"] = Map<T>(a => ~a);
        All[$"shl.{type}"] = Shift<T>(bits, (a, n) => a << n, (a, n) => n < bits ? a << (int)n : T.Zero);
    }

    // After a process has loaded PoCL, the processor's exception does not arrive any more.
    static T Divisor<T>(T value) where T : IBinaryInteger<T> => T.IsZero(value) ? throw new DivideByZeroException() : value;

    static void Integers<T>(string type, string[] orders) where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        var bits = 8 * System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
        var signed = T.MinValue != T.Zero;
        All[$"add.{type}"] = Map2<T>((a, b) => a + b);
        All[$"sub.{type}"] = Map2<T>((a, b) => a - b);
        All[$"mul.lo.{type}"] = Map2<T>((a, b) => a * b);
        All[$"mad.lo.{type}"] = Map3<T>((a, b, c) => a * b + c);
        All[$"min.{type}"] = Map2<T>(Vector512.Min);
        All[$"max.{type}"] = Map2<T>(Vector512.Max);
        All[$"div.{type}"] = Lanes<T, T, T>((a, b) => a / Divisor(b));
        All[$"rem.{type}"] = Lanes<T, T, T>((a, b) => a % Divisor(b));
        if (signed) All[$"neg.{type}"] = Map<T>(a => -a);
        if (signed) All[$"abs.{type}"] = Map<T>(Vector512.Abs);

        // For signed numbers, the sign is shifted in. If all bits are shifted out, only the sign remains.
        All[$"shr.{type}"] = Shift<T>(bits, (a, n) => a >> n, (a, n) => a >> (int)Math.Min(n, (uint)bits - 1) is var shifted && n >= bits && !signed ? T.Zero : shifted);

        Comparison<T>("eq", type, Vector512.Equals);
        Comparison<T>("ne", type, (a, b) => ~Vector512.Equals(a, b));
        foreach (var order in orders)
            Comparison<T>(order, type, order switch
            {
                "lt" or "lo" => Vector512.LessThan,
                "le" or "ls" => Vector512.LessThanOrEqual,
                "gt" or "hi" => Vector512.GreaterThan,
                _ => Vector512.GreaterThanOrEqual,
            });
    }

    static void Wide()
    {
        All["mul.wide.u32"] = o => new Widening<ulong>(o.Target<ulong>(0), o.Source<uint>(1), o.Source<uint>(2), (a, b) => a * b);
        All["mul.wide.s32"] = o => new Widening<long>(o.Target<ulong>(0), o.Source<uint>(1), o.Source<uint>(2), (a, b) => a * b);
        All["mul.hi.u32"] = Lanes<uint, uint, uint>((a, b) => (uint)((ulong)a * b >> 32));
        All["mul.hi.u64"] = Lanes<ulong, ulong, ulong>((a, b) => (ulong)((UInt128)a * b >> 64));
        foreach (var to in (string[])["u64", "s64"])
        {
            All[$"cvt.{to}.u32"] = o => new Widening<ulong>(o.Target<ulong>(0), o.Source<uint>(1), o.Source<uint>(1), (a, _) => a);
            All[$"cvt.{to}.s32"] = o => new Widening<long>(o.Target<ulong>(0), o.Source<uint>(1), o.Source<uint>(1), (a, _) => a);
        }

        foreach (var to in (string[])["u32", "s32"])
            foreach (var from in (string[])["u64", "s64"])
                All[$"cvt.{to}.{from}"] = o => new Narrowing(o.Target<uint>(0), o.Source<ulong>(1));
    }

    // ---- floats

    static void Floats<T>(string type) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // Without a rounding mode a product may be fused with a sum; with .rn it may not. Here it never is.
        foreach (var mode in (string[])["", ".rn"])
        {
            All[$"add{mode}.{type}"] = Map2<T>((a, b) => a + b);
            All[$"sub{mode}.{type}"] = Map2<T>((a, b) => a - b);
            All[$"mul{mode}.{type}"] = Map2<T>((a, b) => a * b);
        }

        All[$"fma.rn.{type}"] = Map3<T>((a, b, c) => typeof(T) == typeof(float)
            ? Vector512.FusedMultiplyAdd(a.As<T, float>(), b.As<T, float>(), c.As<T, float>()).As<float, T>()
            : Vector512.FusedMultiplyAdd(a.As<T, double>(), b.As<T, double>(), c.As<T, double>()).As<double, T>());
        All[$"div.rn.{type}"] = Map2<T>((a, b) => a / b);
        All[$"rcp.rn.{type}"] = Map<T>(a => Vector512<T>.One / a);
        All[$"sqrt.rn.{type}"] = Map<T>(Vector512.Sqrt);
        All[$"neg.{type}"] = Map<T>(a => -a);
        All[$"abs.{type}"] = Map<T>(Vector512.Abs);

        // The result of a number and a NaN is the number.
        All[$"min.{type}"] = Map2<T>(Vector512.MinNumber);
        All[$"max.{type}"] = Map2<T>(Vector512.MaxNumber);

        Comparison<T>("eq", type, Vector512.Equals);
        Comparison<T>("lt", type, Vector512.LessThan);
        Comparison<T>("le", type, Vector512.LessThanOrEqual);
        Comparison<T>("gt", type, Vector512.GreaterThan);
        Comparison<T>("ge", type, Vector512.GreaterThanOrEqual);
        Comparison<T>("ne", type, (a, b) => Vector512.LessThan(a, b) | Vector512.GreaterThan(a, b));

        // The same comparisons, which also hold if one of the operands is NaN.
        Comparison<T>("equ", type, (a, b) => ~(Vector512.LessThan(a, b) | Vector512.GreaterThan(a, b)));
        Comparison<T>("neu", type, (a, b) => ~Vector512.Equals(a, b));
        Comparison<T>("ltu", type, (a, b) => ~Vector512.GreaterThanOrEqual(a, b));
        Comparison<T>("leu", type, (a, b) => ~Vector512.GreaterThan(a, b));
        Comparison<T>("gtu", type, (a, b) => ~Vector512.LessThanOrEqual(a, b));
        Comparison<T>("geu", type, (a, b) => ~Vector512.LessThan(a, b));

        Test<T>("notanumber", type, a => Vector512.IsNaN(a));
        Test<T>("number", type, a => ~Vector512.IsNaN(a));
        Test<T>("infinite", type, a => Vector512.IsPositiveInfinity(a) | Vector512.IsNegativeInfinity(a));
        Test<T>("finite", type, a => ~(Vector512.IsNaN(a) | Vector512.IsPositiveInfinity(a) | Vector512.IsNegativeInfinity(a)));
    }

    static void Approximations()
    {
        foreach (var (name, f) in (IEnumerable<(string, Func<double, double>)>)[
            ("ex2", double.Exp2), ("lg2", double.Log2), ("sin", Math.Sin), ("cos", Math.Cos), ("tanh", Math.Tanh),
            ("rcp", x => 1 / x), ("sqrt", Math.Sqrt), ("rsqrt", x => 1 / Math.Sqrt(x))])
            All[$"{name}.approx.f32"] = Lanes<float, float>(x => (float)f(x));
        All["div.approx.f32"] = Map2<float>((a, b) => a / b);
    }

    static void Conversions()
    {
        foreach (var to in (string[])["s32", "u32"])
        {
            All[$"cvt.{to}.u8"] = o => new Unary<uint>(o.Target<uint>(0), o.Source<ushort>(1), a => a & Vector512.Create(0xffu));
            All[$"cvt.{to}.u16"] = o => new Unary<uint>(o.Target<uint>(0), o.Source<ushort>(1), a => a);
        }

        All["cvt.f64.f32"] = Lanes<float, double>(a => a);
        All["cvt.rn.f32.f64"] = Lanes<double, float>(a => (float)a);
        All["cvt.rn.f32.s32"] = Lanes<int, float>(a => a);
        All["cvt.rn.f32.u32"] = Lanes<uint, float>(a => a);
        All["cvt.rn.f32.s64"] = Lanes<long, float>(a => a);
        All["cvt.rn.f32.u64"] = Lanes<ulong, float>(a => a);
        All["cvt.rn.f64.s32"] = Lanes<int, double>(a => a);
        All["cvt.rn.f64.u32"] = Lanes<uint, double>(a => a);
        All["cvt.rzi.s32.f32"] = Lanes<float, int>(int.CreateSaturating);
        All["cvt.rzi.u32.f32"] = Lanes<float, uint>(uint.CreateSaturating);
        All["cvt.rmi.f32.f32"] = Map<float>(Vector512.Floor);
        All["cvt.rpi.f32.f32"] = Map<float>(Vector512.Ceiling);
        All["cvt.rzi.f32.f32"] = Map<float>(Vector512.Truncate);
        All["cvt.rni.f32.f32"] = Map<float>(Vector512.Round);

        // tf32: ties away from zero. The other 13 bits are not part of the number; hardware may leave any values there.
        All["cvt.rna.tf32.f32"] = Lanes<uint, uint>(a => BitConverter.UInt32BitsToSingle(a) is var x && float.IsFinite(x) ? a + 0x1000 & 0xffffe000 : a);

        // bf16x2: the first source goes to the upper half.
        All["cvt.rn.bf16x2.f32"] = Lanes<float, float, uint>((a, b) => (uint)Bf16(a) << 16 | Bf16(b));
    }

    static ushort Bf16(float x)
    {
        if (float.IsNaN(x)) return 0x7fff;
        var bits = BitConverter.SingleToUInt32Bits(x);
        uint upper = bits >> 16, rest = bits & 0xffff;
        return (ushort)(rest > 0x8000 || rest == 0x8000 && (upper & 1) == 1 ? upper + 1 : upper);
    }

    // ---- predicates

    static void Predicates()
    {
        All["mov.pred"] = o => new Logic(o.TargetPredicate(0), o.Predicate(1), o.Predicate(1), (a, _) => a);
        All["not.pred"] = o => new Logic(o.TargetPredicate(0), o.Predicate(1), o.Predicate(1), (a, _) => ~a);
        All["and.pred"] = o => new Logic(o.TargetPredicate(0), o.Predicate(1), o.Predicate(2), (a, b) => a & b);
        All["or.pred"] = o => new Logic(o.TargetPredicate(0), o.Predicate(1), o.Predicate(2), (a, b) => a | b);
        All["xor.pred"] = o => new Logic(o.TargetPredicate(0), o.Predicate(1), o.Predicate(2), (a, b) => a ^ b);
    }

    static void Comparison<T>(string test, string type, Func<Vector512<T>, Vector512<T>, Vector512<T>> f) where T : unmanaged
    {
        All[$"setp.{test}.{type}"] = o => new Compare<T>(o.TargetPredicate(0), o.Source<T>(1), o.Source<T>(2), f, null, 0, false);
        foreach (var (name, combine) in (IEnumerable<(string, Func<uint, uint, uint>)>)[("and", (a, b) => a & b), ("or", (a, b) => a | b), ("xor", (a, b) => a ^ b)])
            All[$"setp.{test}.{name}.{type}"] = o => new Compare<T>(o.TargetPredicate(0), o.Source<T>(1), o.Source<T>(2), f, combine, o.Predicate(3, out var negated), negated);
    }

    static void Test<T>(string test, string type, Func<Vector512<T>, Vector512<T>> f) where T : unmanaged =>
        All[$"testp.{test}.{type}"] = o => new Compare<T>(o.TargetPredicate(0), o.Source<T>(1), o.Source<T>(1), (a, _) => f(a), null, 0, false);

    // ---- memory

    static void MemoryAccess()
    {
        foreach (var (type, bytes) in (IEnumerable<(string, int)>)[("b32", 4), ("u32", 4), ("s32", 4), ("f32", 4), ("b64", 8), ("u64", 8), ("s64", 8), ("f64", 8)])
        {
            All[$"ld.param.{type}"] = o => bytes == 4 ? new Parameter<uint>(o.Target<uint>(0), o.ParameterOffset(1, bytes)) : new Parameter<ulong>(o.Target<ulong>(0), o.ParameterOffset(1, bytes));
            foreach (var (vector, count) in (IEnumerable<(string, int)>)[("", 1), (".v2", 2), (".v4", 4)])
            {
                if (count * bytes > 16) continue;
                All[$"ld.global{vector}.{type}"] = o => new Global(o.Address(1), o.Vector(0, count, bytes), bytes, stores: false);
                All[$"st.global{vector}.{type}"] = o => new Global(o.Address(0), o.Vector(1, count, bytes), bytes, stores: true);
                All[$"ld.shared{vector}.{type}"] = o => new Shared(o.Address(1), o.Vector(0, count, bytes), bytes, stores: false);
                All[$"st.shared{vector}.{type}"] = o => new Shared(o.Address(0), o.Vector(1, count, bytes), bytes, stores: true);
                All[$"ld.local{vector}.{type}"] = o => new Local(o.Address(1), o.Vector(0, count, bytes), bytes, stores: false);
                All[$"st.local{vector}.{type}"] = o => new Local(o.Address(0), o.Vector(1, count, bytes), bytes, stores: true);
            }
        }

        foreach (var (type, bytes) in (IEnumerable<(string, int)>)[("b8", 1), ("u8", 1), ("b16", 2), ("u16", 2)]) All[$"ld.global.{type}"] = o => new SmallGlobal(o.Target<ushort>(0), o.Address(1), bytes);

        All["atom.add.global.u32"] = All["atom.global.add.u32"] = o => new Atomic(o.Target<uint>(0), o.Address(1), o.Source<uint>(2), (a, b) => a + b);
        All["membar.gl"] = _ => new Fence();
        All["cp.async.cg.shared.global"] = o => new CopyAsync(o.Address(0), o.Address(1), o.Only(2, 16, o.Source<uint>(3)));
        All["cp.async.commit_group"] = _ => new CommitCopies();
        All["cp.async.wait_group"] = o => new WaitForCopies(o.Number(0));
        All["cp.async.wait_all"] = _ => new WaitForAllCopies();
    }

    // ---- threads

    static void Threads()
    {
        All["ret"] = _ => new Return();
        All["bra"] = o => new Jump(o.Label(0));
        All["bra.uni"] = o => new Jump(o.Label(0));
        All["brx.idx.uni"] = o => new JumpTable(o.Source<uint>(0), o.Label(1));
        All["griddepcontrol.launch_dependents"] = _ => new LetDependentsStart();
        All["griddepcontrol.wait"] = _ => new WaitForGrids();
        All["bar.sync"] = o => o.Only(0, 0, new Barrier());
        All["mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"] = o => new MatrixMultiply(o.Vector(0, 4, 4), o.Vector(1, 4, 4), o.Vector(2, 2, 4), o.Vector(3, 4, 4), bf16: false);
        All["mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"] = o => new MatrixMultiply(o.Vector(0, 4, 4), o.Vector(1, 4, 4), o.Vector(2, 2, 4), o.Vector(3, 4, 4), bf16: true);
        All["wgmma.mma_async.sync.aligned.m64n128k8.f32.tf32.tf32"] = o => o.Only(4, 1, o.Only(5, 1, new GroupMultiply(o.Vector(0, 64, 4), o.Vector(1, 4, 4), o.Source<ulong>(2), o.Predicate(3), bf16: false)));
        All["wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16"] = o => o.Only(4, 1, o.Only(5, 1, o.Only(6, 0, new GroupMultiply(o.Vector(0, 64, 4), o.Vector(1, 4, 4), o.Source<ulong>(2), o.Predicate(3), bf16: true))));
        All["wgmma.fence.sync.aligned"] = _ => new GroupFence();
        All["wgmma.commit_group.sync.aligned"] = _ => new CommitGroup();
        All["wgmma.wait_group.sync.aligned"] = o => new WaitForGroups(o.Number(0));
        All["fence.proxy.async.shared::cta"] = _ => new ProxyFence();
        foreach (var mode in (string[])["up", "down", "bfly", "idx"])
            All[$"shfl.sync.{mode}.b32"] = o => new Shuffle(o.Target<uint>(0), o.Source<uint>(1), o.Source<uint>(2), o.Source<uint>(3), o.Source<uint>(4), mode);
    }

    // ---- shapes of instructions

    static Func<Operands, Instruction> Map<T>(Func<Vector512<T>, Vector512<T>> f) where T : unmanaged => o => new Unary<T>(o.Target<T>(0), o.Source<T>(1), f);

    static Func<Operands, Instruction> Map2<T>(Func<Vector512<T>, Vector512<T>, Vector512<T>> f) where T : unmanaged => o => new Binary<T>(o.Target<T>(0), o.Source<T>(1), o.Source<T>(2), f);

    static Func<Operands, Instruction> Map3<T>(Func<Vector512<T>, Vector512<T>, Vector512<T>, Vector512<T>> f) where T : unmanaged => o => new Ternary<T>(o.Target<T>(0), o.Source<T>(1), o.Source<T>(2), o.Source<T>(3), f);

    static Func<Operands, Instruction> Lanes<TA, TD>(Func<TA, TD> f) where TA : unmanaged where TD : unmanaged => o => new EachLane<TA, TA, TD>(o.Target<TD>(0), o.Source<TA>(1), o.Source<TA>(1), (a, _) => f(a));

    static Func<Operands, Instruction> Lanes<TA, TB, TD>(Func<TA, TB, TD> f) where TA : unmanaged where TB : unmanaged where TD : unmanaged => o => new EachLane<TA, TB, TD>(o.Target<TD>(0), o.Source<TA>(1), o.Source<TB>(2), f);

    // The shift is usually a number in the text.
    static Func<Operands, Instruction> Shift<T>(int bits, Func<Vector512<T>, int, Vector512<T>> all, Func<T, uint, T> each) where T : unmanaged => o =>
        o.Immediate(2) is { } by && by >= 0 && by < bits
            ? new Unary<T>(o.Target<T>(0), o.Source<T>(1), a => all(a, (int)by))
            : new EachLane<T, uint, T>(o.Target<T>(0), o.Source<T>(1), o.Source<uint>(2), each);
}
