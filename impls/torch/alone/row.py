"""One row of bptt-bench, a training step of a layer in f32, with PyTorch alone and its own timer.

usage: row.py CELL T B I H THREADS [SECONDS]      CELL: lstm, gru or rnn
"""
import os
import sys

if len(sys.argv) not in (7, 8) or sys.argv[1] not in ("lstm", "gru", "rnn"):
    sys.exit(__doc__)
cell, seconds = sys.argv[1], float(sys.argv[7]) if len(sys.argv) == 8 else 2
T, B, I, H, threads = map(int, sys.argv[2:7])
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(threads))  # read when PyTorch is loaded
import torch
from torch.utils.benchmark import Timer

layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell](I, H)
x = torch.randn(T, B, I, requires_grad=True)
states = [torch.randn(1, B, H, requires_grad=True) for _ in range(2 if cell == "lstm" else 1)]
given = [torch.randn(T, B, H)] + [torch.randn(1, B, H) for _ in states]


def forward():
    y, last = layer(x, tuple(states) if cell == "lstm" else states[0])
    return [y, *last] if cell == "lstm" else [y, last]


def step():
    torch.autograd.grad(forward(), [x, *states, *layer.parameters()], given)


onednn = "Mkldnn" in forward()[0].grad_fn.name()  # on OpenMP; else all but products on the caller
timer = Timer("step()", globals={"step": step}, num_threads=threads if onednn else 1)
median = timer.blocked_autorange(min_run_time=seconds).median
gates = {"lstm": 4, "gru": 3, "rnn": 1}[cell]
print("PyTorch %s, %s, %s T=%d B=%d I=%d H=%d, %d threads: %.6g s in the median, %.3g GFLOP/s" % (
    torch.__version__, "oneDNN" if onednn else "native", cell, T, B, I, H, threads, median,
    6 * T * B * gates * H * (I + H) / median / 1e9))
