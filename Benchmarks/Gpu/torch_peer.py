"""The work of `Benchmarks -- gpu` in PyTorch, on the same card: prints a line of JSON with seconds for each figure, as it is found.

ResNet-20 on CIFAR's shape (He et al. 2016, shortcut A), channels last, batch fixed on the card; SGD with momentum and weight decay; each step
eager and captured as a CUDA graph, with TF32 off and on. The quadratic network is written as a user of PyTorch would write it.
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class Quadratic(nn.Module):
    """y = z_0 + 1/k sum lambda f^2 over the channels [z_0, f_1 .. f_k] of each neuron; remaining channels are a last, smaller one."""

    def __init__(self, channels, rank):
        super().__init__()
        self.whole, self.stride = channels // (rank + 1), rank + 1
        self.rest = channels - self.whole * self.stride
        self.coefficients = nn.Parameter(torch.zeros(self.whole, rank))
        self.last = nn.Parameter(torch.zeros(1, self.rest - 1)) if self.rest > 1 else None

    def forward(self, z):
        n, c, h, w = z.shape
        cut = self.whole * self.stride
        y = self.neurons(z[:, :cut].reshape(n, self.whole, self.stride, h, w), self.coefficients).reshape(n, cut, h, w)
        if self.last is not None:
            y = torch.cat([y, self.neurons(z[:, cut:].unsqueeze(1), self.last).squeeze(1)], 1)
        elif self.rest:
            y = torch.cat([y, z[:, cut:]], 1)
        return y

    @staticmethod
    def neurons(z, coefficients):
        f = z[:, :, 1:]
        y = z[:, :, :1] + (coefficients[None, :, :, None, None] * f * f).mean(2, keepdim=True)
        return torch.cat([y, f], 2)


class Block(nn.Module):
    def __init__(self, before, after, stride, rank):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after)
        self.conv2, self.bn2 = nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after)
        self.q1, self.q2 = (Quadratic(after, rank), Quadratic(after, rank)) if rank else (nn.Identity(), nn.Identity())
        self.stride, self.pad = stride, (after - before) // 2

    def forward(self, x):
        y = F.relu(self.bn1(self.q1(self.conv1(x))), inplace=True)
        y = self.bn2(self.q2(self.conv2(y)))
        if self.pad:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(y + x, inplace=True)


def network(rank):
    layers, width = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)], 16
    for channels in (16, 32, 64):
        for i in range(3):
            layers.append(Block(width, channels, 2 if i == 0 and channels > 16 else 1, rank))
            width = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)).cuda().to(memory_format=torch.channels_last)


def seconds(call, calls=50, blocks=7):
    for _ in range(5):
        call()
    torch.cuda.synchronize()
    times = []
    for _ in range(blocks):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / calls)
    return sorted(times)[blocks // 2]


def step_of(rank, batch):
    net = network(rank).train()
    images = torch.randn(batch, 3, 32, 32, device="cuda").to(memory_format=torch.channels_last)
    labels = torch.arange(batch, device="cuda") % 10
    sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def step():
        sgd.zero_grad(set_to_none=True)
        F.cross_entropy(net(images), labels).backward()
        sgd.step()

    return step


def captured(step):
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def show(**figures):
    print(json.dumps(figures), flush=True)


def main(batch, size):
    torch.backends.cudnn.benchmark = True
    show(peer=f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, {torch.cuda.get_device_name()}")
    a, b = torch.randn(size, size, device="cuda"), torch.randn(size, size, device="cuda")
    for name, tf32 in (("float32", False), ("tf32", True)):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        show(**{f"matmul {name}": seconds(lambda: a @ b, calls=10)})
        for neuron, rank in (("linear", 0), ("quadratic", 3)):
            show(**{f"{neuron} eager {name}": seconds(step_of(rank, batch))})
            show(**{f"{neuron} graph {name}": seconds(captured(step_of(rank, batch)))})
    a, b = a.bfloat16(), b.bfloat16()
    show(**{"matmul bf16": seconds(lambda: a @ b, calls=10)})


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
