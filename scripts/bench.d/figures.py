"""What all benchmarks share: figures, medians, the table, and how long-lived helpers are built and found."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARIES = ROOT / ".build" / "release"
sys.path.insert(0, str(ROOT / "scripts" / "lib"))

ROUNDS = int(os.environ.get("LEYDEN_BENCH_ROUNDS", "5"))
median = statistics.median


class Report:
    """The figures of one benchmark, printed as they come: a line of JSON each, or a row of a table."""

    def __init__(self, bench, title):
        self.bench = bench
        self.is_json = "--json" in sys.argv[1:]
        if not self.is_json:
            print(f"\n{bench}: {title}")
            print(f"  {'figure':<20} {'value':>14} {'unit':<10} {'reference':>14} {'ratio':>7}  {'goal':<14} remarks")

    def figure(self, name, value, unit, reference=None, ratio=None, goal="", remark=""):
        """`ratio` is that of value to reference unless something else is given."""
        if ratio is None and reference:
            ratio = value / reference
        if self.is_json:
            figure = {"bench": self.bench, "figure": name, "value": value, "unit": unit, "reference": reference, "ratio": ratio}
            print(json.dumps(figure), flush=True)
        else:
            print(
                f"  {name:<20} {number(value):>14} {unit:<10} {number(reference):>14} {'-' if ratio is None else f'{ratio:.2f}':>7}  "
                f"{goal:<14} {remark}", flush=True)

    def note(self, text):
        if not self.is_json:
            print(f"  {text}", flush=True)


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}"


def pairs(figure, reference, rounds=ROUNDS):
    """Measures both `rounds` times, one after the other and every other time the other way round: two lists."""
    values, references = [], []
    for index in range(rounds):
        if index % 2:
            references.append(reference())
            values.append(figure())
        else:
            values.append(figure())
            references.append(reference())
    return values, references


def compile_c(name, *libraries):
    """The path of `scripts/bench.d/<name>.c` as a program."""
    source = Path(__file__).with_name(f"{name}.c")
    directory = ROOT / ".build" / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        # Where Debian keeps the headers of libpq.
        subprocess.run(
            ["cc", "-O2", "-Wall", "-I/usr/include/postgresql", "-o", program, source, *[f"-l{library}" for library in libraries]], check=True)
    return program


def ratio(values, references):
    """The median of what neighbours in time are to each other: a machine that speeds up or slows down touches both."""
    return median(value / reference for value, reference in zip(values, references))


def load():
    """The machine's load, which says how far a figure can be trusted."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def pinned(core):
    """For `preexec_fn`: keeps a process on one core, if the machine has it."""
    cores = os.sched_getaffinity(0)
    return lambda: os.sched_setaffinity(0, {core} & cores or cores)


def pin(process, core):
    """Keeps all threads of a running process on one core."""
    cores = os.sched_getaffinity(0)
    for task in os.listdir(f"/proc/{process}/task"):
        os.sched_setaffinity(int(task), {core} & cores or cores)


class Program:
    """A process on one core that answers lines with lines and ends when its standard input does."""

    def __init__(self, core, *command):
        self._process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=pinned(core))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self):
        return self._process.pid

    def line(self):
        text = self._process.stdout.readline()
        if not text:
            raise SystemExit(f"{self._process.args[0]} has ended with {self._process.wait()}")
        return text.split()

    def say(self, text):
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def ask(self, text):
        self.say(text + "\n")
        return self.line()


def rss(pid):
    """Bytes of memory that a process has."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def cpu(pid):
    """Seconds of processor time of all its threads."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as statistics:
            total += int(statistics.read().split()[0])
    return total / 1e9
