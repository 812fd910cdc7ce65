using QuadEngine.Tests.Interleaving;

namespace System.Threading;

sealed class SemaphoreSlim(int initialCount, int maxCount = int.MaxValue) : IDisposable
{
    int count = initialCount;

    public int CurrentCount => count;

    public void Wait() => Run.Block("Semaphore.Wait", () => count > 0, () => count--);

    /// <summary>Time is not modeled: a wait with a timeout ends at once.</summary>
    public bool Wait(int millisecondsTimeout)
    {
        Run.Step("Semaphore.Wait");
        return Run.Atomic(() =>
        {
            if (count == 0) return false;
            count--;
            return true;
        });
    }

    public int Release() => Release(1);

    public int Release(int releaseCount)
    {
        Run.Step("Semaphore.Release");
        return Run.Atomic(() =>
        {
            if (count > maxCount - releaseCount) throw new SemaphoreFullException();
            count += releaseCount;
            return count - releaseCount;
        });
    }

    public void Dispose()
    {
    }
}

sealed class ManualResetEventSlim(bool initialState = false) : IDisposable
{
    bool isSet = initialState;

    public bool IsSet => Volatile.Read(ref isSet);

    public void Set()
    {
        Run.Step("Event.Set");
        isSet = true;
    }

    public void Reset()
    {
        Run.Step("Event.Reset");
        isSet = false;
    }

    public void Wait() => Run.Block("Event.Wait", () => isSet, () => { });

    public void Dispose()
    {
    }
}
