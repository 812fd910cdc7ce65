using System.Runtime.InteropServices;

namespace QuadEngine.Cli;

/// <summary>Ctrl-C and a request to terminate: the first cancels, so that work can be saved; the second ends the process at once.</summary>
sealed class Interruption : IDisposable
{
    /// <summary>What shells expect of a process that Ctrl-C ended.</summary>
    public const int ExitCode = 130;

    readonly CancellationTokenSource source = new();
    readonly PosixSignalRegistration[] registrations;

    /// <summary>Listens until disposed.</summary>
    /// <param name="onFirst">Tells the user what happens now.</param>
    public Interruption(Action onFirst)
    {
        void Handle(PosixSignalContext signal)
        {
            if (source.IsCancellationRequested) return;
            signal.Cancel = true;
            onFirst();
            source.Cancel();
        }

        registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in registrations) registration.Dispose();
        source.Dispose();
    }
}
