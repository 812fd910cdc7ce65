"""QuadEngine's networks in PyTorch: files of weights both ways, quadratic layers, and ResNets of the CIFAR form.

    python quadratic.py best.safetensors images.f32

prints the logits of images, a line each. images.f32 holds normalised float32 values [N, H, W, C], as `quad predict` takes them.
"""
import json
import sys

import torch
from torch import nn
from torch.nn import functional

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "BOOL": torch.bool,
          "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8}


def load_file(path):
    """The tensors of a safetensors file by name, and its metadata. For the tensors alone, safetensors.torch.load_file does the same."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    metadata = header.pop("__metadata__", {})

    def tensor(entry):
        begin, end = entry["data_offsets"]
        dtype = DTYPES[entry["dtype"]]
        flat = torch.frombuffer(memoryview(content)[start + begin:start + end], dtype=dtype) if begin < end else torch.empty(0, dtype=dtype)
        return flat.reshape(entry["shape"]).clone()          # a clone is aligned, whatever the file was

    return {name: tensor(entry) for name, entry in header.items()}, metadata


def save_file(tensors, path, metadata=None):
    """Writes tensors as a safetensors file, e.g. a state_dict() for `quad eval --weights`."""
    names = {dtype: name for name, dtype in DTYPES.items()}
    header, data = {"__metadata__": metadata} if metadata else {}, bytearray()
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].element_size()):       # the widest first: all are aligned
        content = bytes(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()) if tensor.numel() else b""
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def quadratic(z, coefficients, rank, normalised=True):
    """[y, f] of quadratic neurons from their projections z, [N, channels, ...]: y = z_0 + s sum_i lambda_i z_i^2, s = 1/k or 1."""
    channel = torch.arange(z.shape[1], device=z.device)
    neuron, is_f = channel // (rank + 1), channel % (rank + 1) > 0
    neurons = int(neuron[-1]) + 1
    ranks = torch.bincount(neuron[is_f], minlength=neurons)          # the last neuron may have a smaller one
    s = 1 / ranks.clamp(min=1) if normalised else torch.ones(neurons, device=z.device)
    weights = (coefficients * s[neuron[is_f]]).view(1, -1, *[1] * (z.dim() - 2))
    sums = z.new_zeros(z.shape[0], neurons, *z.shape[2:]).index_add(1, neuron[is_f], weights * z[:, is_f] ** 2)
    return z.index_add(1, channel[::rank + 1], sums)


def coefficients(channels, rank):
    """Lambda: k coefficients for each neuron of k + 1 channels. It starts at 0, where the layer is the linear one."""
    return nn.Parameter(torch.zeros(channels - -(-channels // (rank + 1))))


class QuadraticConv2d(nn.Conv2d):
    def __init__(self, *args, rank, **options):
        super().__init__(*args, **options)
        self.rank = rank
        self.register_parameter("lambda", coefficients(self.out_channels, rank))

    def forward(self, x):
        return quadratic(super().forward(x), getattr(self, "lambda"), self.rank)


class QuadraticLinear(nn.Linear):
    def __init__(self, *args, rank, **options):
        super().__init__(*args, **options)
        self.rank = rank
        self.register_parameter("lambda", coefficients(self.out_features, rank))

    def forward(self, x):
        return quadratic(super().forward(x), getattr(self, "lambda"), self.rank)


def conv3x3(inputs, channels, stride, rank):
    """A 3x3 convolution of quadratic neurons, or of linear ones where there is no rank."""
    options = dict(stride=stride, padding=1, bias=False)
    return QuadraticConv2d(inputs, channels, 3, rank=rank, **options) if rank else nn.Conv2d(inputs, channels, 3, **options)


class Block(nn.Module):
    def __init__(self, inputs, channels, stride, rank, shortcut="A"):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(inputs, channels, stride, rank), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = conv3x3(channels, channels, 1, rank), nn.BatchNorm2d(channels)
        self.padding = (channels - inputs) // 2
        self.stride = stride
        if shortcut == "B" and (stride > 1 or inputs != channels):
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def skip(self, x):
        if hasattr(self, "shortcut"):
            return self.shortcut(x)
        return functional.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, self.padding, self.padding))

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        return (self.bn2(self.conv2(y)) + self.skip(x)).relu()


class ResNet(nn.Module):
    """The CIFAR form of He et al. 2016, section 4.2: `blocks` for each stage, of depth 6 blocks + 2."""

    def __init__(self, blocks, widths=(16, 32, 64), channels=3, classes=10, rank=None, shortcut="A"):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(channels, widths[0], 1, None), nn.BatchNorm2d(widths[0])
        self.stages, inputs = len(widths), widths[0]
        for stage, width in enumerate(widths):
            strides = [1 if stage == 0 else 2] + [1] * (blocks - 1)
            layer = nn.Sequential(*[Block(width if i else inputs, width, stride, rank, shortcut) for i, stride in enumerate(strides)])
            self.add_module(f"layer{stage + 1}", layer)
            inputs = width
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.linear(x.mean((2, 3)))


def load(path):
    """The network of a checkpoint of `quad train`, and its description."""
    tensors, metadata = load_file(path)
    network = json.loads(metadata["quadengine.network"])
    depth = int(network["model"][len("resnet"):])
    assert (depth - 2) % 6 == 0 and network["neuron"] in ("linear", "quadratic"), f"not written here: {network}"
    model = ResNet((depth - 2) // 6, channels=network["channels"], classes=network["classes"], shortcut=network["shortcut"],
                   rank=network["rank"] if network["neuron"] == "quadratic" else None)
    model.load_state_dict(tensors, strict=False)             # strict would ask for num_batches_tracked, which is not written
    return model.eval(), network


if __name__ == "__main__":
    model, network = load(sys.argv[1])
    with open(sys.argv[2], "rb") as file:
        images = torch.frombuffer(bytearray(file.read()), dtype=torch.float32)
    images = images.view(-1, network["height"], network["width"], network["channels"]).permute(0, 3, 1, 2)
    with torch.no_grad():
        for logits in model(images).tolist():
            print(*logits)
