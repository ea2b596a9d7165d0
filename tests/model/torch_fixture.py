#!/usr/bin/python3
"""Trains tiny networks with PyTorch in float64 and records what tests/model/torch_agreement.cpp compares with.

    apt-get install python3-torch && /usr/bin/python3 tests/model/torch_fixture.py tests/model/torch

writes one .safetensors a network: its first and last weights, and in the metadata its architecture in imgsim's JSON
form, the loss before each step of Adam, the loss in inference mode after the last, and how large gradients were.
Nothing of imgsim is used: layers, padding and weight layouts are written out here from Keras's definitions.
"""
import json
import pathlib
import struct
import sys

import numpy
import torch
import torch.nn.functional as F

STEPS, BATCH = 10, 6
ADAM = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-4}


def photos(step, height, width):
    """The bytes of one batch, [B, H, W, 3]; the same formula stands in torch_agreement.cpp."""
    i, y, x, c = numpy.ogrid[:BATCH, :height, :width, :3]
    return (37 * i + 11 * y + 17 * x + (3 + i) * x * y + 83 * c + 29 * step) % 256


def convolution(filters, stride=1, kernel=3, padding="same", bias=True):
    return {"type": "convolution", "filters": filters, "kernel": [kernel, kernel], "stride": [stride, stride],
            "padding": padding, "bias": bias}


def transposed(filters, stride=2, kernel=3, padding="same"):
    return {**convolution(filters, stride, kernel, padding), "type": "transposed_convolution"}


def layer(kind, **fields):
    return {"type": kind, **fields}


RELU, SIGMOID, FLATTEN = layer("relu"), layer("sigmoid"), layer("flatten")
POOL = layer("max_pooling", window=[2, 2], stride=[2, 2], padding="valid")
UP = layer("upsampling", factor=[2, 2], interpolation="bilinear")
NORM = layer("batch_normalization", momentum=0.99, epsilon=1e-3)

NETWORKS = {
    "maxpool": {
        "input": [32, 32, 3], "loss": "binary_cross_entropy", "kernel_l2": 0.01,
        "encoder": [convolution(16), RELU, POOL, convolution(8), RELU, POOL, convolution(4), RELU, POOL],
        "decoder": [convolution(4), RELU, UP, convolution(8), RELU, UP, convolution(16), RELU, UP, convolution(3),
                    SIGMOID]},
    "strided_dense": {
        "input": [16, 16, 3], "loss": "mean_squared_error", "kernel_l2": 0.0,
        "encoder": [convolution(6, 2), RELU, NORM, convolution(10, 2), RELU, NORM, FLATTEN,
                    layer("dense", units=5, bias=True)],
        "decoder": [layer("dense", units=160, bias=True), layer("reshape", height=4, width=4, channels=10),
                    transposed(10), RELU, NORM, transposed(6), RELU, NORM, transposed(3, 1), SIGMOID]},
    "conv_transpose": {
        "input": [20, 28, 3], "loss": "mean_squared_error", "kernel_l2": 0.001,
        "encoder": [convolution(5, 2, 4), layer("leaky_relu", slope=0.2), convolution(7, 2, 3, "valid", False),
                    layer("batch_normalization", momentum=0.9, epsilon=1e-2), layer("leaky_relu", slope=0.2),
                    layer("generalised_mean_pooling", exponent=2.0, grid=2), FLATTEN,
                    layer("dense", units=9, bias=False)],
        "decoder": [layer("dense", units=105, bias=True), layer("reshape", height=5, width=7, channels=3),
                    layer("upsampling", factor=[2, 2], interpolation="nearest"), transposed(4, 1, 5), RELU,
                    transposed(3, 2, 4), SIGMOID]},
}


def same_padding(size, kernel, stride):
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def transpose_same(x, weight, bias, stride):
    """The gradient of a `same` convolution: the full product cut to in * stride, the odd pixel off the end."""
    full = F.conv_transpose2d(x, weight, bias, stride=stride)
    for axis, size in ((2, x.shape[2] * stride[0]), (3, x.shape[3] * stride[1])):
        full = full.narrow(axis, (full.shape[axis] - size) // 2, size)
    return full


class Network:
    """Keras's weight layouts; activations are [B, C, H, W], flat rows [B, C]."""

    def __init__(self, description, random):
        self.description, self.random, self.weights, self.statistics = description, random, {}, {}
        self.layers = [(f"{half}.{i}", spec) for half in ("encoder", "decoder")
                       for i, spec in enumerate(description[half])]
        self.forward(torch.zeros(2, 3, *description["input"][:2], dtype=torch.float64), training=False)

    def weight(self, name, shape, low, high):
        if name not in self.weights:
            values = self.random.uniform(low, high, shape).astype(numpy.float32)
            self.weights[name] = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        return self.weights[name]

    def kernel(self, name, shape):
        limit = (6.0 / (numpy.prod(shape[:-2]) * (shape[-1] + shape[-2]))) ** 0.5
        return self.weight(name + ".kernel", shape, -limit, limit)

    def bias(self, name, spec, size):
        return self.weight(name + ".bias", [size], -0.1, 0.1) if spec["bias"] else None

    def forward(self, x, training):
        for name, spec in self.layers:
            x = getattr(self, spec["type"])(x, name, spec, training)
        return x

    def convolution(self, x, name, spec, _):
        (kh, kw), (sh, sw) = spec["kernel"], spec["stride"]
        weight = self.kernel(name, [kh, kw, x.shape[1], spec["filters"]])
        if spec["padding"] == "same":
            x = F.pad(x, same_padding(x.shape[3], kw, sw) + same_padding(x.shape[2], kh, sh))
        return F.conv2d(x, weight.permute(3, 2, 0, 1), self.bias(name, spec, spec["filters"]), (sh, sw))

    def transposed_convolution(self, x, name, spec, _):
        weight = self.kernel(name, [*spec["kernel"], spec["filters"], x.shape[1]])
        return transpose_same(x, weight.permute(3, 2, 0, 1), self.bias(name, spec, spec["filters"]), spec["stride"])

    def max_pooling(self, x, *_):
        return F.max_pool2d(x, 2, 2)

    def upsampling(self, x, _, spec, __):
        size = [x.shape[2] * spec["factor"][0], x.shape[3] * spec["factor"][1]]
        flags = {"align_corners": False} if spec["interpolation"] == "bilinear" else {}
        return F.interpolate(x, size=size, mode=spec["interpolation"], **flags)

    def relu(self, x, *_):
        return F.relu(x)

    def leaky_relu(self, x, _, spec, __):
        return F.leaky_relu(x, spec["slope"])

    def sigmoid(self, x, *_):
        return torch.sigmoid(x)

    def batch_normalization(self, x, name, spec, training):
        size = x.shape[1]
        mean = self.statistics.setdefault(name + ".moving_mean", torch.zeros(size, dtype=torch.float64))
        variance = self.statistics.setdefault(name + ".moving_variance", torch.ones(size, dtype=torch.float64))
        return F.batch_norm(x, mean, variance, self.weight(name + ".gamma", [size], 0.8, 1.2),
                            self.weight(name + ".beta", [size], -0.2, 0.2), training, 1.0 - spec["momentum"],
                            spec["epsilon"])

    def dense(self, x, name, spec, _):
        y = x @ self.kernel(name, [x.shape[1], spec["units"]])
        return y + self.bias(name, spec, spec["units"]) if spec["bias"] else y

    def flatten(self, x, *_):
        return x.permute(0, 2, 3, 1).flatten(1)

    def reshape(self, x, _, spec, __):
        return x.reshape(-1, spec["height"], spec["width"], spec["channels"]).permute(0, 3, 1, 2)

    def generalised_mean_pooling(self, x, _, spec, __):
        grid, p = spec["grid"], spec["exponent"]
        cells = []
        for gy in range(grid):
            for gx in range(grid):
                rows = slice(gy * x.shape[2] // grid, -(-(gy + 1) * x.shape[2] // grid))
                columns = slice(gx * x.shape[3] // grid, -(-(gx + 1) * x.shape[3] // grid))
                cells.append(x[:, :, rows, columns].clamp(min=1e-6).pow(p).mean((2, 3)).pow(1.0 / p))
        return torch.stack(cells, 2).unflatten(2, (grid, grid))

    def loss(self, x, training):
        out = self.forward(x, training)
        assert out.shape == x.shape, (out.shape, x.shape)
        pixels = F.binary_cross_entropy(out, x) if "cross" in self.description["loss"] else F.mse_loss(out, x)
        squares = sum(w.square().sum() for n, w in self.weights.items() if n.endswith(".kernel"))
        return pixels, self.description["kernel_l2"] * squares

    def state(self):
        tensors = {**self.weights, **self.statistics}
        return {name: t.detach().numpy().astype(numpy.float32) for name, t in tensors.items()}


def record(name, description, folder):
    height, width, _ = description["input"]
    network = Network(description, numpy.random.RandomState(7))
    first = network.state()
    batches = [torch.tensor(photos(s, height, width) / 255.0).permute(0, 3, 1, 2) for s in range(STEPS + 1)]
    weights = list(network.weights.values())
    adam = torch.optim.Adam(weights, ADAM["learning_rate"], (ADAM["beta1"], ADAM["beta2"]), ADAM["epsilon"])
    losses, largest, sums = [], 0.0, 0.0
    for step in range(STEPS):
        adam.zero_grad()
        data, penalty = network.loss(batches[step], True)
        (data + penalty).backward()
        losses.append([data.item(), float(penalty)])
        largest = max(largest, max(w.grad.abs().max().item() for w in weights))
        sums = max(sums, sum(w.grad.abs().sum().item() for w in weights))
        adam.step()
    with torch.no_grad():
        evaluated = [float(part) for part in network.loss(batches[STEPS], False)]
    metadata = {"architecture": {"name": name, **description}, "adam": ADAM, "steps": STEPS, "batch": BATCH,
                "losses": losses, "evaluated": evaluated, "largest_gradient": largest, "gradient_sum": sums}
    tensors = {**{"first/" + n: t for n, t in first.items()}, **{"last/" + n: t for n, t in network.state().items()}}
    header, data = {"__metadata__": {k: json.dumps(v) for k, v in metadata.items()}}, b""
    for key, tensor in tensors.items():
        raw = numpy.ascontiguousarray(tensor, "<f4").tobytes()
        header[key] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path = pathlib.Path(folder) / f"{name}.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    print(f"{path}: {path.stat().st_size} bytes, loss {sum(losses[0]):.6f} -> {sum(losses[-1]):.6f}, "
          f"gradients up to {largest:.3g}, sum {sums:.3g}, PyTorch {torch.__version__}")


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for title, network_description in NETWORKS.items():
        record(title, network_description, target)
