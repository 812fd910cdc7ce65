"""Makes with PyTorch the files that PyTorchTests.cs reads, from network.safetensors and images.safetensors beside this file:

    python3 make.py            (written with PyTorch 1.13.1)
"""
import os
import sys

import torch
from torch import nn

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "../../../docs"))
from quadratic import ResNet, load_file, save_file


def path(name):
    return os.path.join(here, name)


def save_both(value, name):
    torch.save(value, path(name + ".pt"))
    torch.save(value, path(name + ".legacy.pth"), _use_new_zipfile_serialization=False)


# The network in PyTorch, with the counters of batch norm that the engine does not write, and its results for some images.
network = ResNet(1, widths=(5, 7), channels=1, rank=3)
network.load_state_dict(load_file(path("network.safetensors"))[0], strict=False)
images = load_file(path("images.safetensors"))[0]["images"].permute(0, 3, 1, 2)
with torch.no_grad():
    logits = network.eval()(images)
save_file({**network.state_dict(), "reference.logits": logits}, path("network.torch.safetensors"), {"format": "pt"})

# A checkpoint like those of training programs: state dictionary of DataParallel, optimizer, schedule, counters, and other values.
optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 2])
network.train()(images).sum().backward()
optimizer.step()
network.load_state_dict(load_file(path("network.safetensors"))[0], strict=False)
save_both({
    "epoch": 3, "arch": "resnet", "best_acc1": torch.tensor(91.25), "args": {"lr": 0.1, "dist": None, "gpu": torch.device("cuda:0"), "seed": 2 ** 70},
    "state_dict": nn.DataParallel(network).state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(),
}, "checkpoint")

# 0, 1, 2, ... in every type and through every kind of view.
ramp = torch.arange(24.)
rows = ramp.view(4, 6)
save_both({
    **{str(dtype)[len("torch."):]: ramp.to(dtype) for dtype in
       (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)},
    "rows": rows, "transposed": rows.t(), "columns": rows[:, 1:6:2], "tail": ramp[20:], "expanded": ramp[5:7].expand(2, 2),
    "channels_last": ramp.view(2, 3, 2, 2).contiguous(memory_format=torch.channels_last),
    "parameter": nn.Parameter(rows[2:]), "scalar": ramp[7], "empty": ramp[24:].view(0, 3), "half_tail": ramp.half()[20:],
}, "views")

# Objects that are not tensors or dictionaries, which are refused by name.
torch.save(nn.Linear(1, 1), path("module.pt"))
