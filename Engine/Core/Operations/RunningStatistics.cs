namespace QuadEngine;

/// <summary>The running mean and variance of a batch norm, [channels] each; every training step updates them in place.</summary>
/// <param name="Mean">The mean, [channels].</param>
/// <param name="Variance">The unbiased variance, [channels].</param>
/// <param name="Momentum">The weight of the new batch: running = (1 - momentum) running + momentum batch, as in PyTorch.</param>
public sealed record RunningStatistics(Tensor Mean, Tensor Variance, float Momentum = 0.1f);
