using System.Runtime.InteropServices;

namespace QuadEngine.Cli;

/// <summary>Handles Ctrl-C and requests to terminate. The first signal cancels, so that work can be saved; the second ends the process at once.</summary>
sealed class Interruption : IDisposable
{
    /// <summary>The exit code that shells expect of a process that Ctrl-C ended.</summary>
    public const int ExitCode = 130;

    readonly CancellationTokenSource source = new();
    readonly PosixSignalRegistration[] registrations;

    /// <summary>Listens to the signals until it is disposed.</summary>
    /// <param name="onFirst">Called at the first signal, to tell the user what happens now.</param>
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

    /// <summary>The token that the first signal cancels.</summary>
    public CancellationToken Token => source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in registrations) registration.Dispose();
        source.Dispose();
    }
}
