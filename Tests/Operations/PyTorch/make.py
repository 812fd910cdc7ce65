"""Computes with PyTorch what SameAsPyTorchTests.cs compares with, into semantics.safetensors beside this file:

    python3 make.py            (written with PyTorch 1.13.1)

Images are stored channels last and filters [kH, kW, Cin, Cout], as the engine holds them; gradients are those of sum(y * c).
"""
import os
import sys

import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.optim import lr_scheduler

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "../../../docs"))
from quadratic import save_file

torch.manual_seed(1)
tensors = {}


def keep(name, **values):
    tensors.update({f"{name}.{key}": torch.as_tensor(value, dtype=torch.float32).detach().clone() for key, value in values.items()})


def last(x):
    """Images [N, C, H, W] to [N, H, W, C]; anything else as it is."""
    return x.permute(0, 2, 3, 1) if x.dim() == 4 else x


def ours(filter):
    return filter.permute(2, 3, 1, 0)


def leaf(*shape, scale=1.0, shift=0.0):
    return (torch.randn(*shape) * scale + shift).requires_grad_()


def backward(y):
    c = torch.randn_like(y)
    y.backward(c)
    return c


# Batch norm: two steps of training, then inference; the running variance is the unbiased one.
x, gamma, beta = leaf(4, 5, 3, 3, scale=2, shift=3), leaf(5), leaf(5)
mean, variance = torch.zeros(5), torch.ones(5)
F.batch_norm(x.detach() * 2, mean, variance, training=True, momentum=0.3)
y = F.batch_norm(x, mean, variance, gamma, beta, training=True, momentum=0.3, eps=1e-5)
keep("batch_norm", x=last(x), gamma=gamma, beta=beta, y=last(y), c=last(backward(y)), dx=last(x.grad), dgamma=gamma.grad, dbeta=beta.grad, mean=mean, variance=variance,
     inference=last(F.batch_norm(x, mean, variance, gamma, beta, eps=1e-5)))

x, gamma, beta = leaf(3, 4, 7, scale=3, shift=-1), leaf(7), leaf(7)
y = F.layer_norm(x, [7], gamma, beta)
keep("layer_norm", x=x, gamma=gamma, beta=beta, y=y, c=backward(y), dx=x.grad, dgamma=gamma.grad, dbeta=beta.grad)

# Convolutions: stride, padding, dilation, groups.
for stride, padding, dilation, groups in [(1, 1, 1, 1), (2, 1, 1, 1), (1, 2, 2, 2), (2, 3, 1, 4), (3, 0, 2, 1)]:
    x, w, b = leaf(2, 4, 9, 8), leaf(8, 4 // groups, 3, 3), leaf(8)
    y = F.conv2d(x, w, b, stride, padding, dilation, groups)
    keep(f"conv2d {stride} {padding} {dilation} {groups}", x=last(x), w=ours(w), b=b, y=last(y), c=last(backward(y)), dx=last(x.grad), dw=ours(w.grad), db=b.grad)

for name, pool in [("average_pool", lambda x: F.avg_pool2d(x, 3, 2, 1)), ("max_pool", lambda x: F.max_pool2d(x, 3, 2, 1)), ("global_average", lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1))]:
    x = leaf(2, 3, 7, 6)
    y = pool(x)
    keep(name, x=last(x), y=last(y), c=last(backward(y)), dx=last(x.grad))

# Element-wise functions, at kinks, at zeros of both signs, and at large arguments.
points = torch.cat([torch.linspace(-6, 6, 49), torch.tensor([-0.0, 1e-4, -1e-4, 30.0, -30.0, 90.0, -90.0, 2.0, -2.0])])
for name, function in {
    "relu": F.relu, "leaky_relu": lambda x: F.leaky_relu(x, 0.1), "gelu": F.gelu, "silu": F.silu, "softplus": F.softplus, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "abs": torch.abs,
    "clamp": lambda x: x.clamp(-2, 2), "maximum": lambda x: torch.maximum(x, torch.tensor(2.0)), "square": torch.square, "pow": lambda x: x.pow(3),
}.items():
    x = points.clone().requires_grad_()
    y = function(x)
    y.sum().backward()
    keep(name, x=x, y=y, dx=x.grad)

x = torch.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [5.0, 4.0, 5.0]], requires_grad=True)
y = x.amax(1)
keep("max", x=x, y=y, c=backward(y), dx=x.grad)

# Losses, with small and large differences of logits.
labels = torch.tensor([3, 0, 2, 2, 1, 3])
keep("labels", values=labels)
for name, scale, smoothing in [("cross_entropy", 2, 0.0), ("cross_entropy_smooth", 2, 0.1), ("cross_entropy_far", 60, 0.2)]:
    x = leaf(6, 4, scale=scale)
    y = F.cross_entropy(x, labels, label_smoothing=smoothing)
    y.backward()
    keep(name, x=x, y=y, dx=x.grad)
for name, scale in [("binary_cross_entropy", 2), ("binary_cross_entropy_far", 60)]:
    x, target = leaf(6, 4, scale=scale), torch.rand(6, 4, requires_grad=True)
    y = F.binary_cross_entropy_with_logits(x, target)
    y.backward()
    keep(name, x=x, target=target, y=y, dx=x.grad)
for name, function in [("softmax", F.softmax), ("log_softmax", F.log_softmax)]:
    x = leaf(5, 6, scale=10)
    y = function(x, dim=-1)
    keep(name, x=x, y=y, c=backward(y), dx=x.grad)


# Optimizers: six steps over given gradients. The second parameter is in another group; the third has no gradient in the first two steps.
def train(name, make):
    parameters = [leaf(4, 3), leaf(5), leaf(2)]
    optimizer = make([{"params": [parameters[0], parameters[2]]}, {"params": [parameters[1]], "lr": 0.01, "weight_decay": 0.2}])
    keep(name, **{f"start{i}": parameter for i, parameter in enumerate(parameters)})
    for step in range(6):
        for i, parameter in enumerate(parameters):
            parameter.grad = None if i == 2 and step < 2 else torch.randn_like(parameter) + 0.5 * parameter.detach()
            if parameter.grad is not None: keep(name, **{f"gradient{step}{i}": parameter.grad})
        if step >= 3: keep(name, **{f"norm{step}": nn.utils.clip_grad_norm_(parameters, 1.0 if step < 5 else 1e3)})
        optimizer.step()
    keep(name, **{f"end{i}": parameter for i, parameter in enumerate(parameters)})


train("sgd", lambda groups: optim.SGD(groups, lr=0.1))
train("sgd_momentum", lambda groups: optim.SGD(groups, lr=0.1, momentum=0.9, weight_decay=0.05, dampening=0.3))
train("sgd_nesterov", lambda groups: optim.SGD(groups, lr=0.1, momentum=0.9, weight_decay=0.05, nesterov=True))
train("adamw", lambda groups: optim.AdamW(groups, lr=0.1, weight_decay=0.05))


# Schedules: the learning rate of 14 steps from a base of 1.
def rates(name, make):
    optimizer = optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make(optimizer)
    factors = []
    for _ in range(14):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    keep(name, factors=factors)


rates("milestones", lambda o: lr_scheduler.MultiStepLR(o, [3, 8], gamma=0.1))
rates("cosine", lambda o: lr_scheduler.CosineAnnealingLR(o, 13, eta_min=0.05))
rates("warm_up", lambda o: lr_scheduler.LinearLR(o, start_factor=0.2, total_iters=5))
rates("chain", lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.LinearLR(o, start_factor=0.25, total_iters=4), lr_scheduler.CosineAnnealingLR(o, 9)], [4]))

save_file(tensors, os.path.join(here, "semantics.safetensors"))
