using System.Runtime.CompilerServices;
using QuadEngine.Tests.Interleaving;

namespace System.Threading;

static class Monitor
{
    static readonly ConditionalWeakTable<object, State> States = [];

    public static void Enter(object on) => Of(on).Owned.Enter("Monitor.Enter");

    public static void Enter(object on, ref bool taken)
    {
        Enter(on);
        taken = true;
    }

    public static bool TryEnter(object on) => Of(on).Owned.TryEnter("Monitor.TryEnter");

    public static void Exit(object on) => Of(on).Owned.Exit();

    public static bool IsEntered(object on) => Of(on).Owned.IsMine;

    public static bool Wait(object on)
    {
        var state = Of(on);
        var woken = new StrongBox<bool>();
        state.Waiting.Add(woken);
        var depth = state.Owned.Leave();
        Run.Changed();
        Run.Block("Monitor.Wait", () => woken.Value && state.Owned.IsFree, () => state.Owned.Resume(depth));
        return true;
    }

    public static void Pulse(object on) => Wake(on, 1);

    public static void PulseAll(object on) => Wake(on, int.MaxValue);

    static void Wake(object on, int count)
    {
        var state = Of(on);
        if (!state.Owned.IsMine) throw new SynchronizationLockException();
        Run.Changed();
        foreach (var waiting in state.Waiting.Take(count)) waiting.Value = true;
        state.Waiting.RemoveAll(waiting => waiting.Value);
    }

    static State Of(object on) => States.GetOrCreateValue(on);

    sealed class State
    {
        public Ownership Owned { get; } = new();

        public List<StrongBox<bool>> Waiting { get; } = [];
    }
}
