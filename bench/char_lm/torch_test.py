"""Reads weights that bptt-bench saved and computes its logits from them, once more.

usage: torch_test.py BPTT_BENCH [--without-torch]

With PyTorch's own nn.LSTM, nn.GRU and nn.RNN, loaded by name from the file (exit 77, skipped, where
there is no PyTorch); or without it, by the equations of PyTorch's documentation written out here.
The file is parsed by the standard library alone. Logits must agree to 1e-6 of the largest of them.
"""

import json
import math
import os
import struct
import subprocess
import sys
import tempfile

TOLERANCE = 1e-6
CELLS = ["lstm", "gru:reset=after_matmul:update=keep", "rnn", "rnn:relu", "lstm:bias=off"]
LAYERS = [1, 2]
TEXT = "the cat sat on the mat; the dog sat on the log.\n" * 20


def read_safetensors(path):
    """({name: (shape, flat list)}, metadata)"""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + length])
    metadata = header.pop("__metadata__", {})
    formats = {"F32": "f", "F64": "d", "I64": "q"}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        code = formats[entry["dtype"]]
        count = (end - begin) // struct.calcsize("<" + code)
        values = struct.unpack_from("<%d%s" % (count, code), content, 8 + length + begin)
        tensors[name] = (entry["shape"], list(values))
    return tensors, metadata


def by_torch(torch, description, weights, characters):
    tensor = {
        name: torch.tensor(values, dtype=torch.float32).reshape(shape)
        for name, (shape, values) in weights.items()
    }
    layers = {name: value for name, value in tensor.items() if not name.startswith("head.")}
    inputs, hidden = description["I"], description["H"]
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[description["cell"]]
    options = {"num_layers": description["layers"], "bias": description["bias"]}
    if description["spelled"].startswith("rnn:relu"):
        options["nonlinearity"] = "relu"
    model = kind(inputs, hidden, **options)
    model.load_state_dict(layers)  # strict: every name, no other
    head = torch.nn.Linear(hidden, description["head"]["O"])
    head.load_state_dict({"weight": tensor["head.weight"], "bias": tensor["head.bias"]})
    shape, values = characters
    x = torch.nn.functional.one_hot(torch.tensor(values).reshape(shape), inputs).float()
    with torch.no_grad():
        return head(model(x)[0]).flatten().tolist()


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def by_hand(description, weights, characters):
    inputs, hidden, kind = description["I"], description["H"], description["cell"]

    def rows(name):
        shape, values = weights[name]
        return [values[r * shape[1]:(r + 1) * shape[1]] for r in range(shape[0])]

    def product(matrix, vector, bias):
        return [b + sum(m * v for m, v in zip(row, vector)) for row, b in zip(matrix, bias)]

    def bias(name, count):
        return weights[name][1] if description["bias"] else [0.0] * count

    def step(layer, x, h, c):
        w_ih, w_hh = rows("weight_ih_l%d" % layer), rows("weight_hh_l%d" % layer)
        a = product(w_ih, x, bias("bias_ih_l%d" % layer, len(w_ih)))
        b = product(w_hh, h, bias("bias_hh_l%d" % layer, len(w_hh)))

        def gate(k, values):
            return values[k * hidden:(k + 1) * hidden]

        if kind == "rnn":
            phi = (lambda z: max(z, 0.0)) if "relu" in description["spelled"] else math.tanh
            return [phi(p + q) for p, q in zip(a, b)], c
        if kind == "lstm":
            i, f, g, o = ([p + q for p, q in zip(gate(k, a), gate(k, b))] for k in range(4))
            c = [
                sigmoid(f[j]) * c[j] + sigmoid(i[j]) * math.tanh(g[j]) for j in range(hidden)
            ]
            return [sigmoid(o[j]) * math.tanh(c[j]) for j in range(hidden)], c
        r = [sigmoid(p + q) for p, q in zip(gate(0, a), gate(0, b))]
        z = [sigmoid(p + q) for p, q in zip(gate(1, a), gate(1, b))]
        n = [math.tanh(p + s * q) for p, q, s in zip(gate(2, a), gate(2, b), r)]
        return [(1 - z[j]) * n[j] + z[j] * h[j] for j in range(hidden)], c

    head = rows("head.weight")
    (steps, batch), indices = characters
    logits = [None] * (steps * batch)
    for sequence in range(batch):
        state = [([0.0] * hidden, [0.0] * hidden) for _ in range(description["layers"])]
        for t in range(steps):
            x = [0.0] * inputs
            x[indices[t * batch + sequence]] = 1.0
            for layer in range(description["layers"]):
                state[layer] = step(layer, x, *state[layer])
                x = state[layer][0]
            logits[t * batch + sequence] = product(head, x, weights["head.bias"][1])
    return [value for row in logits for value in row]


def trained(bench, folder, cell, layers):
    """Weights, metadata and logits of a model that bptt-bench trains for a few steps."""
    paths = {name: os.path.join(folder, name) for name in ["text", "w", "l", "r.csv"]}
    with open(paths["text"], "w", encoding="ascii") as file:
        file.write(TEXT)
    subprocess.run(
        [bench, "--workload", "char-lm", "--text", paths["text"], "--cell", cell, "--layers",
         str(layers), "--hidden", "11", "--seq-len", "9", "--batch", "3", "--steps", "30",
         "--compare-curves", "off", "--save-weights", paths["w"], "--dump-logits", paths["l"],
         "--output", paths["r.csv"]],
        check=True, stdout=subprocess.DEVNULL)
    weights, metadata = read_safetensors(paths["w"])
    return weights, json.loads(metadata["bptt"]), read_safetensors(paths["l"])[0]


def main():
    bench = sys.argv[1]
    torch = None
    if "--without-torch" not in sys.argv[2:]:
        try:
            import torch
        except ImportError as error:
            print("skipped: no PyTorch for %s (%s)" % (sys.executable, error))
            return 77
        torch.set_num_threads(1)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for cell in CELLS:
            for layers in LAYERS:
                weights, description, dumped = trained(bench, folder, cell, layers)
                characters, (_, expected) = dumped["characters"], dumped["logits"]
                if torch is not None:
                    logits = by_torch(torch, description, weights, characters)
                else:
                    logits = by_hand(description, weights, characters)
                scale = max(1.0, max(abs(value) for value in expected))
                error = max(abs(a - b) for a, b in zip(logits, expected)) / scale
                good = len(logits) == len(expected) and error <= TOLERANCE
                wrong += not good
                print("%s, %d layers: %d logits, off by %.1e of the largest, %.1f: %s" %
                      (cell, layers, len(expected), error, scale, "good" if good else "WRONG"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
