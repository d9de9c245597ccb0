#!/usr/bin/env python3
"""Writes the golden files ref_*.safetensors: python3 make_golden.py FOLDER

An implementation of its own of docs/equations.md in plain Python: a forward pass in complex
numbers, and every gradient as Im L(p + ih) / h with h = 1e-30, element by element. It has no
backward pass, reads nothing of this suite, and needs nothing but Python's standard library.
docs/verification.md has the format. Values are drawn from a generator that is seeded with the
file's name, so that one file does not depend on the others.
"""
import cmath
import json
import math
import os
import random
import struct
import sys

STEP = 1e-30  # of the complex step: far below every rounding error, far above the smallest number
GATES = {'rnn': 1, 'lstm': 4, 'gru': 3}


def sigmoid(z):
    return 1 / (1 + cmath.exp(-z))


ACTIVATIONS = {
    'tanh': cmath.tanh,
    'sigmoid': sigmoid,
    'identity': lambda z: z,
    'relu': lambda z: z if z.real > 0 else 0 * z,
    'leaky_relu': lambda z: z if z.real > 0 else 0.01 * z,
}


class Layer:
    """One layer in one direction; `suffix` is that of its parameters: '_l1_reverse'."""

    def __init__(self, spec, values, suffix):
        self.spec = spec
        self.W, self.U = values['weight_ih' + suffix], values['weight_hh' + suffix]
        self.bW, self.bU = values.get('bias_ih' + suffix), values.get('bias_hh' + suffix)
        self.peephole = values.get('weight_peephole' + suffix)
        self.step = {'rnn': self.rnn, 'lstm': self.lstm, 'gru': self.gru}[spec['cell']]

    def of_input(self, row, x):
        total = sum(self.W[row * len(x) + k] * x[k] for k in range(len(x)))
        return total + (self.bW[row] if self.bW else 0)

    def of_state(self, row, h):
        total = sum(self.U[row * len(h) + k] * h[k] for k in range(len(h)))
        return total + (self.bU[row] if self.bU else 0)

    def rnn(self, x, h, c):
        phi = ACTIVATIONS[self.spec.get('activation', 'tanh')]
        return [phi(self.of_input(j, x) + self.of_state(j, h)) for j in range(len(h))], c

    def gru(self, x, h, c):
        H = len(h)
        r = [sigmoid(self.of_input(j, x) + self.of_state(j, h)) for j in range(H)]
        z = [sigmoid(self.of_input(j, x) + self.of_state(j, h)) for j in range(H, 2 * H)]
        candidate = range(2 * H, 3 * H)
        if self.spec.get('reset', 'before_matmul') == 'before_matmul':
            rh = [r[j] * h[j] for j in range(H)]
            n = [cmath.tanh(self.of_input(j, x) + self.of_state(j, rh)) for j in candidate]
        else:
            n = [cmath.tanh(self.of_input(j, x) + r[j - 2 * H] * self.of_state(j, h))
                 for j in candidate]
        if self.spec.get('update', 'take') == 'take':
            return [(1 - z[j]) * h[j] + z[j] * n[j] for j in range(H)], c
        return [z[j] * h[j] + (1 - z[j]) * n[j] for j in range(H)], c

    def lstm(self, x, h, c):
        H, spec, p = len(h), self.spec, self.peephole
        seen = c if spec.get('gate_input') == 'cell' else h  # by the gates, not by the candidate
        candidate = ACTIVATIONS[spec.get('candidate_activation', 'tanh')]
        output = ACTIVATIONS[spec.get('output_activation', 'tanh')]
        h_next, c_next = [], []
        for j in range(H):
            i, f, g, o = (self.of_input(gate * H + j, x) +
                          self.of_state(gate * H + j, h if gate == 2 else seen)
                          for gate in range(4))
            if p:
                i, f = i + p[j] * c[j], f + p[H + j] * c[j]
            f = sigmoid(f) if spec.get('forget_gate', True) else 1
            i = sigmoid(i) if spec.get('input_gate', True) else 1
            if spec.get('coupled_input_forget'):
                i = 1 - f
            cell = f * c[j] + i * candidate(g)
            if p:
                o = o + p[2 * H + j] * cell  # the output gate sees the new cell
            o = sigmoid(o) if spec.get('output_gate', True) else 1
            c_next.append(cell)
            h_next.append(o * output(cell))
        return h_next, c_next


def size(shape):
    return math.prod(shape)


def directions(spec):
    return 2 if spec.get('bidirectional') else 1


def suffixes(spec):
    """Of the parameters, in the order of the states: layer by layer, forward before reverse."""
    for layer in range(spec.get('layers', 1)):
        for direction in range(directions(spec)):
            yield layer, direction, '_l%d' % layer + ('_reverse' if direction else '')


def lengths_of(spec):
    return spec.get('lengths') or [spec['T']] * spec['B']


def run_stack(spec, values):
    """y, the top layer's output per sequence and step, and all final states, as flat lists."""
    T, B, I, H = (spec[k] for k in 'TBIH')
    D = directions(spec)
    below = [[values['x'][(t * B + b) * I:(t * B + b + 1) * I] for t in range(T)]
             for b in range(B)]
    hT, cT, above = [], [], None
    for _, direction, suffix in suffixes(spec):
        layer = Layer(spec, values, suffix)
        if direction == 0:
            above = [[[0] * (D * H) for _ in range(T)] for _ in range(B)]
        for b, length in enumerate(lengths_of(spec)):
            at = len(hT)
            h = values['h0'][at:at + H]
            c = values['c0'][at:at + H] if 'c0' in values else []
            # A reverse direction starts at the sequence's own end.
            for t in reversed(range(length)) if direction else range(length):
                h, c = layer.step(below[b][t], h, c)
                above[b][t][direction * H:(direction + 1) * H] = h
            hT += h
            cT += c
        if direction == D - 1:
            below = above
    return below, hT, cT


def head_loss(spec, values, classes, output):
    """Summed over the live steps, or over each sequence's last one."""
    head, B = spec['head'], spec['B']
    O, total = head['O'], 0
    W, bias = values['head.weight'], values['head.bias']
    for b, length in enumerate(lengths_of(spec)):
        for t in range(length) if head['steps'] == 'all' else range(max(length - 1, 0), length):
            a = output[b][t]
            q = [sum(W[o * len(a) + k] * a[k] for k in range(len(a))) + bias[o]
                 for o in range(O)]
            at = t * B + b
            if head['loss'] == 'softmax_cross_entropy':
                total += cmath.log(sum(cmath.exp(z) for z in q)) - q[classes[at]]
                continue
            target = values['target'][at * O:(at + 1) * O]
            if head['loss'] == 'half_squared_error':
                total += sum((z - y) ** 2 / 2 for z, y in zip(q, target))
            else:
                total -= sum(y * cmath.log(sigmoid(z)) + (1 - y) * cmath.log(1 - sigmoid(z))
                             for z, y in zip(q, target))
    return total


def forward(spec, values, classes):
    """y, hT, cT and the loss: the head's, or the sum of the upstream gradients with the results."""
    output, hT, cT = run_stack(spec, values)
    y = [z for t in range(spec['T']) for b in range(spec['B']) for z in output[b][t]]
    if 'head' in spec:
        return y, hT, cT, head_loss(spec, values, classes, output)
    loss = 0
    for name, result in (('dy', y), ('dhT', hT), ('dcT', cT)):
        loss += sum(u * z for u, z in zip(values.get(name, []), result))
    return y, hT, cT, loss


def shapes_of(spec):
    """Of everything that is drawn, by name."""
    T, B, I, H = (spec[k] for k in 'TBIH')
    D, gates = directions(spec), GATES[spec['cell']]
    states = [spec.get('layers', 1) * D, B, H]
    lstm = spec['cell'] == 'lstm'
    shapes = {'x': [T, B, I], 'h0': states}
    if lstm:
        shapes['c0'] = states
    for layer, _, suffix in suffixes(spec):
        shapes['weight_ih' + suffix] = [gates * H, D * H if layer else I]
        shapes['weight_hh' + suffix] = [gates * H, H]
        if spec.get('bias', True):
            shapes['bias_ih' + suffix] = shapes['bias_hh' + suffix] = [gates * H]
        if spec.get('peephole'):
            shapes['weight_peephole' + suffix] = [3, H]
    if 'head' in spec:
        O = spec['head']['O']
        shapes.update({'head.weight': [O, D * H], 'head.bias': [O]})
        if spec['head']['loss'] != 'softmax_cross_entropy':
            shapes['target'] = [T, B, O]
    else:
        shapes.update({'dy': [T, B, D * H], 'dhT': states})
        if lstm:
            shapes['dcT'] = states
    return shapes


def gradient(spec, values, classes, name):
    result = []
    for k, value in enumerate(values[name]):
        values[name][k] = value + STEP * 1j
        result.append(complex(forward(spec, values, classes)[3]).imag / STEP)
        values[name][k] = value
    return result


def tensors_of(name, spec, left_out):
    """All tensors of one file: name -> (type, shape, values). What is left out counts as zero; its
    gradient is there all the same."""
    draw = random.Random(name)
    shapes = shapes_of(spec)
    drawn = {n: [draw.random() if n == 'target' else draw.uniform(-0.7, 0.7)
                 for _ in range(size(s))] for n, s in shapes.items()}
    for n in left_out:
        drawn[n] = [0.0] * size(shapes[n])
    tensors = {n: ('F64', s, drawn[n]) for n, s in shapes.items() if n not in left_out}
    T, B, H = (spec[k] for k in 'TBH')
    classes = None
    if spec.get('head', {}).get('loss') == 'softmax_cross_entropy':
        classes = [draw.randrange(spec['head']['O']) for _ in range(T * B)]
        tensors['target'] = ('I64', [T, B], classes)
    values = {n: [complex(z) for z in v] for n, v in drawn.items()}
    y, hT, cT, loss = forward(spec, values, classes)

    def put(result, shape, of):
        tensors[result] = ('F64', shape, [complex(z).real for z in of])

    states = [spec.get('layers', 1) * directions(spec), B, H]
    put('out.y', [T, B, directions(spec) * H], y)
    put('out.hT', states, hT)
    if spec['cell'] == 'lstm':
        put('out.cT', states, cT)
    if 'head' in spec:
        put('out.loss', [1], [loss])
    for n in shapes:
        if n not in ('dy', 'dhT', 'dcT', 'target'):
            put('grad.' + n, shapes[n], gradient(spec, values, classes, n))
    return tensors


def write_safetensors(path, metadata, tensors):
    header, data = {'__metadata__': {'bptt': json.dumps(metadata)}}, b''
    for name, (kind, shape, values) in tensors.items():
        packed = struct.pack('<%d%s' % (len(values), {'F64': 'd', 'I64': 'q'}[kind]), *values)
        header[name] = {'dtype': kind, 'shape': shape,
                        'data_offsets': [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + data)


def files():
    """Yields the name, the metadata and the tensors left out of every file."""
    small = dict(T=4, B=3, I=2, H=3)
    lengths, deep, both = dict(lengths=[4, 0, 2]), dict(layers=2), dict(bidirectional=True)
    candidate = dict(candidate_activation='identity')
    identity = dict(output_activation='identity')
    no_input, no_forget, no_output = dict(input_gate=False), dict(forget_gate=False), dict(
        output_gate=False)
    from_cell, peephole = dict(gate_input='cell'), dict(peephole=True)
    coupled, no_bias = dict(coupled_input_forget=True), dict(bias=False)
    after_keep = dict(reset='after_matmul', update='keep')

    def of(name, cell, *options, left_out=()):
        spec = dict(small, cell=cell)
        for option in options:
            spec.update(option)
        return 'ref_' + name, spec, left_out

    # Options of the lstm that PyTorch's files do not have, and combinations of options.
    yield of('lstm_candidate_identity', 'lstm', candidate)
    yield of('lstm_candidate_identity_lengths', 'lstm', candidate, lengths)
    yield of('lstm_no_input_gate', 'lstm', no_input)
    yield of('lstm_no_forget_gate', 'lstm', no_forget)
    yield of('lstm_no_output_gate', 'lstm', no_output)
    yield of('lstm_no_input_gate_candidate_identity', 'lstm', no_input, candidate)
    yield of('lstm_no_gates', 'lstm', no_input, no_forget, no_output)
    yield of('lstm_no_output_gate_peephole', 'lstm', no_output, peephole)
    yield of('lstm_coupled_peephole', 'lstm', coupled, peephole, lengths)
    yield of('lstm_coupled_gates_from_cell', 'lstm', coupled, from_cell)
    yield of('lstm_gates_from_cell_peephole_identity_out', 'lstm', from_cell, peephole, identity)
    yield of('lstm_coupled_gates_from_cell_peephole_identities', 'lstm', coupled, from_cell,
             peephole, identity, candidate, lengths)
    # Options in stacks and in both directions.
    yield of('lstm_candidate_identity_deep2', 'lstm', candidate, deep)
    yield of('lstm_no_forget_gate_bidir', 'lstm', no_forget, both)
    yield of('lstm_identity_out_deep2_bidir', 'lstm', identity, deep, both)
    yield of('lstm_peephole_deep2_bidir_lengths', 'lstm', peephole, deep, both, lengths)
    yield of('lstm_coupled_deep2_lengths', 'lstm', coupled, deep, lengths)
    yield of('lstm_gates_from_cell_bidir_lengths', 'lstm', from_cell, both, lengths)
    # Without bias.
    yield of('rnn_no_bias', 'rnn', no_bias)
    yield of('rnn_leaky_relu_no_bias_deep2_bidir', 'rnn', dict(activation='leaky_relu'), no_bias,
             deep, both)
    yield of('rnn_sigmoid_no_bias_lengths', 'rnn', dict(activation='sigmoid'), no_bias, lengths)
    yield of('lstm_no_bias', 'lstm', no_bias)
    yield of('lstm_no_bias_deep2_bidir', 'lstm', no_bias, deep, both)
    yield of('lstm_peephole_no_bias_lengths', 'lstm', peephole, no_bias, lengths)
    yield of('gru_before_take_no_bias', 'gru', no_bias)
    yield of('gru_after_keep_no_bias_deep2_lengths', 'gru', after_keep, no_bias, deep, lengths)
    # Heads on both directions and on stacks, with lengths, one of them 0.
    for loss in ('softmax_cross_entropy', 'sigmoid_cross_entropy', 'half_squared_error'):
        for steps in ('all', 'last'):
            yield of('lstm_bidir_lengths_%s_%s' % (loss, steps), 'lstm', both, lengths,
                     dict(head=dict(O=3, loss=loss, steps=steps)))
    all_steps = dict(head=dict(O=3, loss='softmax_cross_entropy', steps='all'))
    last_step = dict(head=dict(O=2, loss='half_squared_error', steps='last'))
    yield of('gru_after_keep_deep2_bidir_lengths_head_last', 'gru', after_keep, deep, both,
             lengths, last_step)
    yield of('rnn_deep2_head_all', 'rnn', deep, all_steps)
    yield of('lstm_coupled_peephole_deep2_lengths_head_all', 'lstm', coupled, peephole, deep,
             lengths, all_steps)
    yield of('gru_before_take_head_without_bias', 'gru', last_step, left_out=('head.bias',))
    # Without initial states.
    yield of('lstm_deep2_bidir_no_states', 'lstm', deep, both, left_out=('h0', 'c0'))
    yield of('lstm_no_c0', 'lstm', left_out=('c0',))
    yield of('gru_before_take_bidir_lengths_no_h0', 'gru', both, lengths, left_out=('h0',))


def main(arguments):
    if len(arguments) != 2 or not os.path.isdir(arguments[1]):
        sys.exit('usage: make_golden.py FOLDER (which exists)')
    for name, spec, left_out in files():
        path = os.path.join(arguments[1], name + '.safetensors')
        write_safetensors(path, spec, tensors_of(name, spec, left_out))


if __name__ == '__main__':
    main(sys.argv)
