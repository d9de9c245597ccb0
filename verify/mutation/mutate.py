#!/usr/bin/env python3
"""Breaks the backends' source line by line and asks whether bptt-verify notices.

Each mutant is one small change (an operator, a sign, an index, a constant, a statement gone) in one
file under impls/. It is compiled beside the tree, which stays as it is, linked into a bptt-verify of
its own, and judged by `bptt-verify --quick --label equality`, by `--quick`, and by the default run.
docs/mutation.md holds what came out and why each survivor is equivalent.

    cmake -S . -B build/mutation -G Ninja -DCMAKE_BUILD_TYPE=Release
    ninja -C build/mutation bptt-verify
    verify/mutation/mutate.py build/mutation --count 60 --jobs 2

Needs Python 3.9 or newer and nothing else. Exit codes: 0 all killed, 1 there are survivors, 64 wrong
usage.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("cell", "schedule", "blas", "tbb", "fused")

# What is changed, and into what. Each pattern matches code only: comments and strings are blanked.
OPERATORS = [
    ("sum to difference", re.compile(r"(?<=[\w\)\]]) \+ (?=[\w\(])"), " - "),
    ("difference to sum", re.compile(r"(?<=[\w\)\]]) - (?=[\w\(])"), " + "),
    ("product to sum", re.compile(r"(?<=[\w\)\]]) \* (?=[\w\(])"), " + "),
    ("accumulation to assignment", re.compile(r" \+= "), " = "),
    ("accumulation negated", re.compile(r" \+= "), " -= "),
    ("< to <=", re.compile(r"(?<=[\w\)\]]) < (?=[\w\(])"), " <= "),
    ("> to >=", re.compile(r"(?<=[\w\)\]]) > (?=[\w\(])"), " >= "),
    ("== to !=", re.compile(r" == "), " != "),
    ("&& to ||", re.compile(r" && "), " || "),
    ("condition negated", re.compile(r"(?<=if \()(?=[\w!])"), "!"),
    ("sign", re.compile(r"(?<=[(,=] )-(?=[\w\(])|(?<=\()-(?=[\w\(])"), ""),
    ("constant 0 to 1", re.compile(r"(?<![\w.\-])0(?![\w.])"), "1"),
    ("constant 1 to 0", re.compile(r"(?<![\w.])1(?![\w.])"), "0"),
    ("constant 1 to 2", re.compile(r"(?<![\w.])1(?![\w.])"), "2"),
    ("constant 2 to 3", re.compile(r"(?<![\w.])2(?![\w.])"), "3"),
    ("true to false", re.compile(r"\btrue\b"), "false"),
    ("false to true", re.compile(r"\bfalse\b"), "true"),
    ("Sub to Add", re.compile(r"\bhn::Sub\("), "hn::Add("),
    ("Add to Sub", re.compile(r"\bhn::Add\("), "hn::Sub("),
    ("Mul to Add", re.compile(r"\bhn::Mul\("), "hn::Add("),
    ("NegMulAdd to MulAdd", re.compile(r"\bhn::NegMulAdd\("), "hn::MulAdd("),
    ("MulAdd to NegMulAdd", re.compile(r"\bhn::MulAdd\("), "hn::NegMulAdd("),
    ("min to max", re.compile(r"\bstd::min\b"), "std::max"),
    ("max to min", re.compile(r"\bstd::max\b"), "std::min"),
    ("statement gone", re.compile(r"^\s+(?!return|using|const|auto|static|case|break|throw|template)"
                                  r"[\w:.\->]+(\(| [+\-*]?= |\[).*;$"), ";"),
]
# Lines that hold no behaviour, or whose change cannot compile or cannot show.
SKIPPED = re.compile(r"^\s*(#|template|using|namespace|static_assert|HWY_|class|struct|enum|BPTT_INST)"
                     r"|refusal|to_string|version|std::string|<T>\(\) const \{|throw ")


def blank_comments_and_strings(text):
    """The text with comments and literals replaced by spaces, so that positions stay."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<!\d)\'(?:\\.|[^\'\\])\'', spaces, text,
                  flags=re.S)


def candidates(path):
    """(name of the operator, line number, begin, end, replacement) of every mutant of a file."""
    text = blank_comments_and_strings(path.read_text())
    found, begin = [], 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not SKIPPED.search(line):
            for name, pattern, replacement in OPERATORS:
                for match in pattern.finditer(line):
                    found.append((name, number, begin + match.start(), begin + match.end(),
                                  replacement))
        begin += len(line) + 1
    return found


def chosen_mutants(paths, count, seed):
    """The same share of every file's lines, drawn from the seed."""
    generator = random.Random(seed)
    pools = {path: candidates(path) for path in paths}
    for pool in pools.values():
        generator.shuffle(pool)
    weights = {path: len(set(c[1] for c in pool)) for path, pool in pools.items() if pool}
    chosen, lines = [], set()
    while len(chosen) < count and any(pools[path] for path in weights):
        path = generator.choices(list(weights), list(weights.values()))[0]
        if not pools[path]:
            continue
        mutant = pools[path].pop()
        # One mutant a line and operator: the next file gets its turn instead.
        if (path, mutant[1], mutant[0]) in lines:
            continue
        lines.add((path, mutant[1], mutant[0]))
        chosen.append((path, *mutant))
    return chosen


class Build:
    """What the build folder knows: how each file is compiled, who includes what, how to link."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        commands = json.loads((self.folder / "compile_commands.json").read_text())
        self.compile = {}
        for entry in commands:
            words = shlex.split(entry["command"])
            self.compile[words[words.index("-o") + 1]] = (words, pathlib.Path(entry["file"]))
        link = self.ninja("-t", "commands", "bptt-verify").strip().split("\n")[-1]
        words = shlex.split(link)
        self.link = words[words.index("&&") + 1:len(words) - 1 - words[::-1].index("&&")]
        self.dependents = {}
        current = None
        for line in self.ninja("-t", "deps").split("\n"):
            if line.endswith(")") and ": #deps" in line:
                current = line.split(":")[0]
            elif line.startswith("    ") and current in self.compile:
                path = (self.folder / line.strip()).resolve()
                self.dependents.setdefault(path, []).append(current)

    def ninja(self, *arguments):
        return subprocess.run(["ninja", "-C", str(self.folder), "--quiet", *arguments], check=True,
                              capture_output=True, text=True).stdout

    def objects_of(self, path):
        """Objects under impls/, those of tests aside, that change with the file."""
        return [o for o in self.dependents.get(path, [])
                if o.startswith("impls/") and "_test.dir" not in o]


def run(command, folder, limit):
    """(exit status or None after the limit, output)"""
    try:
        done = subprocess.run(command, cwd=folder, timeout=limit, capture_output=True, text=True,
                              errors="replace", env={**os.environ, "OMP_NUM_THREADS": "1"})
        return done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        return None, ""


def first_finding(output):
    """What the verifier said first of all."""
    for line in output.split("\n"):
        if re.match(r"\s*FAIL", line):
            return " ".join(line.split())[:110]
    lines = [line for line in output.strip().split("\n") if line]
    return " ".join(lines[-1].split())[:110] if lines else ""


def judge(build, mutant, limit):
    path, operator, line, begin, end, replacement = mutant
    text = path.read_text()
    relative = path.relative_to(TOP)
    result = {"file": str(relative), "line": line, "operator": operator,
              "was": text.split("\n")[line - 1].strip()}
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bptt-mutant-"))
    try:
        changed = scratch / "tree" / relative
        changed.parent.mkdir(parents=True)
        mutated = text[:begin] + replacement + text[end:]
        changed.write_text(mutated)
        result["now"] = mutated.split("\n")[line - 1].strip()
        objects = []
        for number, name in enumerate(build.objects_of(path)):
            words, source = build.compile[name]
            words = [word for word in words if word != "-Werror"]
            words = [str(changed) if source == path and word == str(source) else word
                     for word in words]
            target = scratch / f"{number}.o"
            words[words.index("-o") + 1] = str(target)
            # Before the tree's own folder, so that includes find the changed file first.
            words.insert(1, f"-I{scratch / 'tree'}")
            status, _ = run([w for w in words if w != "ccache"], build.folder, 600)
            if status != 0:
                return {**result, "verdict": "does not compile"}
            objects.append(str(target))
        program = scratch / "bptt-verify"
        words = list(build.link)
        words[words.index("-o") + 1] = str(program)
        first = next(i for i, word in enumerate(words) if word.endswith(".a"))
        status, output = run(words[:first] + objects + words[first:], build.folder, 600)
        if status != 0:
            return {**result, "verdict": "does not link", "by": output[-200:]}
        # From the cheapest: most mutants do not get past the first.
        for arguments in (["--quick", "--label", "equality"], ["--quick"], []):
            started = time.monotonic()
            status, output = run([str(program), *arguments], scratch, limit)
            result["seconds"] = round(time.monotonic() - started, 1)
            if status != 0:
                how = {None: "runs on", 1: "fails"}.get(status, f"ends with {status}")
                return {**result, "verdict": "killed", "run": " ".join(arguments) or "default",
                        "by": f"{how}: {first_finding(output)}"}
        return {**result, "verdict": "survived"}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="a build folder in which bptt-verify is up to date")
    parser.add_argument("--count", type=int, default=60, help="how many mutants (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default 1)")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once (default 1)")
    parser.add_argument("--files", nargs="*", metavar="FILE",
                        help="what is broken (default: impls/{" + ",".join(FOLDERS) + "})")
    parser.add_argument("--limit", type=float, default=600, metavar="SECONDS",
                        help="a run that takes longer counts as noticed (default 600)")
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    arguments = parser.parse_args()

    paths = [pathlib.Path(f).resolve() for f in arguments.files or []] or [
        path for folder in FOLDERS for path in sorted((TOP / "impls" / folder).glob("*.[ch]pp"))
        if not path.stem.endswith("_test")]
    mutants = chosen_mutants(paths, arguments.count, arguments.seed)
    if arguments.list:
        for path, operator, line, *_ in mutants:
            print(f"{path.relative_to(TOP)}:{line}: {operator}")
        return 0
    if not (pathlib.Path(arguments.build) / "compile_commands.json").exists():
        print(f"{arguments.build}: not a build folder (no compile_commands.json)", file=sys.stderr)
        return 64
    build = Build(arguments.build)
    results = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for result in pool.map(lambda m: judge(build, m, arguments.limit), mutants):
            results.append(result)
            print(f"{len(results):3} {result['verdict']:16} {result['file']}:{result['line']} "
                  f"{result['operator']}: {result['now'][:70]}  [{result.get('by', '')}]", flush=True)
            if arguments.json:
                pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1) + "\n")
    counts = {}
    for result in results:
        counts[result["verdict"]] = counts.get(result["verdict"], 0) + 1
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    return 1 if counts.get("survived") else 0


if __name__ == "__main__":
    sys.exit(main())
