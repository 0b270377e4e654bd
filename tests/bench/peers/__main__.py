"""Anxin's eyes against what somebody would pick instead, on the same photo: `make bench-peers`.

examples:
  python -m tests.bench.peers                       install what is missing, measure, print, write artefacts/peers.*
  python -m tests.bench.peers --turns 30            longer, for quieter figures
  python -m tests.bench.peers --accuracy DATA       verification too, on DATA/lfw_dev (ten minutes)

One core for each, one at a time, in turns: a busy machine slows all alike, and the ratios are of the same turn.  CPU
time beside the clock's, because it hardly feels the neighbours.
"""

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from models.evaluate.command import from_one
from tests.bench.peers.accuracy import measure
from tests.bench.peers.install import Installed, folder, install
from tests.bench.peers.process import Worker, WorkerError
from tests.bench.pictures import HEIGHT, WIDTH, astronaut

WORKS = {
    "landmarks": "find the face and its landmarks",
    "embedding": "find the face, its landmarks and its embedding",
    "liveness": "the same, and passive liveness",
}
STARTS = 3
ROUNDS = 5
OURS = "anxin"


def main(arguments: list[str] | None = None) -> int:
    """Measure all that can be installed; 0 even when a peer is missing, which the table says."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.accuracy and not (args.accuracy / "lfw_dev" / "genuine_pairs.csv").is_file():
        parser.error(f"{args.accuracy} has no lfw_dev/genuine_pairs.csv; docs/evaluate.md says how it is laid out")
    console = Console()
    with console.status("installing the peers (once; minutes)"):
        peers = install(folder())
    here = Path(__file__).parent
    python = str(Path(os.environ.get("VIRTUAL_ENV", Path(__file__).parents[3] / ".venv")) / "bin" / "python")
    wanted = [Installed(OURS, (python, str(here / "work_ours.py"))), *peers]
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="anxin-peers-") as scratch, console.status("") as status:
        result = _measure(wanted, Path(scratch), args, status.update)
    result["ratios"] = _ratios(result)
    (args.out / "peers.json").write_text(json.dumps(result, indent=1) + "\n")
    plot(result, args.out / "peers.png")
    console.print(table(result))
    if result["accuracy"]:
        console.print(accuracy_table(result))
    for name, why in result["missing"].items():
        console.print(f"{name} is not compared: {why}", style="yellow")
    console.print(sentence(result), highlight=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--turns", type=from_one, default=10, help="how often each is asked (default: %(default)s)")
    parser.add_argument(
        "--accuracy", type=Path, metavar="DATA", help="a folder with lfw_dev: compare verification too"
    )
    parser.add_argument("--out", type=Path, default=Path("artefacts"), help="where to write (default: %(default)s)")
    return parser


def _measure(wanted: list[Installed], scratch: Path, args: argparse.Namespace, say: Any) -> dict[str, Any]:
    photo = scratch / "astronaut.rgb"
    photo.write_bytes(astronaut().tobytes())
    missing = {peer.name: peer.missing for peer in wanted if peer.missing}
    workers: list[Worker] = []
    starts: dict[str, list[float]] = {}
    load_before = os.getloadavg()[0]
    try:
        for peer in wanted:
            if peer.missing:
                continue
            log = scratch / f"{peer.name}.log"
            try:
                for number in range(STARTS):
                    say(f"{peer.name}: start {number + 1} of {STARTS}")
                    worker = Worker(peer.name, peer.runner, photo, (WIDTH, HEIGHT), log).start()
                    starts.setdefault(peer.name, []).append(worker.ready_s)
                    if number + 1 < STARTS:
                        worker.stop()
            except WorkerError as error:
                missing[peer.name] = str(error)
                continue
            workers.append(worker)
        turns: list[dict[str, dict[str, dict[str, list[float]]]]] = []
        peak: dict[str, float] = {}
        for number in range(args.turns):
            say(f"turn {number + 1} of {args.turns}")
            turn: dict[str, dict[str, dict[str, list[float]]]] = {}
            for worker in workers:
                for work in worker.about["works"]:
                    answer = worker.ask(work=work, rounds=ROUNDS)
                    turn.setdefault(work, {})[worker.name] = {"wall": answer["wall"], "cpu": answer["cpu"]}
                    peak[worker.name] = answer["peak_mb"]
            turns.append(turn)
        accuracy = {}
        if args.accuracy:
            for worker in workers:
                if worker.name != "mediapipe":
                    say(f"{worker.name}: verification on LFW")
                    accuracy[worker.name] = measure(worker, args.accuracy / "lfw_dev", scratch)
    finally:
        for worker in workers:
            worker.stop()
    return {
        "photo": f"astronaut, {WIDTH}x{HEIGHT}",
        "machine": {
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "load": [round(load_before, 1), round(os.getloadavg()[0], 1)],
        },
        "libraries": {worker.name: worker.about for worker in workers},
        "missing": missing,
        "start_s": {name: round(float(np.median(each)), 2) for name, each in starts.items() if name not in missing},
        "peak_mb": {name: round(each) for name, each in peak.items()},
        "frames": {work: _spread(work, turns) for work in WORKS},
        "turns": turns,
        "accuracy": accuracy,
    }


def _spread(work: str, turns: list[Any]) -> dict[str, dict[str, float]]:
    names = turns[0].get(work, {})
    out = {}
    for name in names:
        wall = [each for turn in turns for each in turn[work][name]["wall"]]
        cpu = [each for turn in turns for each in turn[work][name]["cpu"]]
        out[name] = {
            "p50_ms": round(float(np.percentile(wall, 50)), 1),
            "p95_ms": round(float(np.percentile(wall, 95)), 1),
            "cpu_ms": round(float(np.percentile(cpu, 50)), 1),
        }
    return out


def _ratios(result: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """How many times as long as ours a peer takes: the median over turns of the ratio within the turn."""
    out: dict[str, dict[str, dict[str, float]]] = {}
    for work in WORKS:
        for name in result["frames"][work]:
            if name == OURS:
                continue
            both = [(turn[work][name], turn[work][OURS]) for turn in result["turns"]]
            out.setdefault(work, {})[name] = {
                kind: round(float(np.median([np.median(a[kind]) / np.median(b[kind]) for a, b in both])), 2)
                for kind in ("wall", "cpu")
            }
    return out


def table(result: dict[str, Any]) -> Table:
    """One row for each library and work."""
    view = Table(title=f"{result['photo']}; one core; load {result['machine']['load']}")
    for heading in ("work", "library", "p50 ms", "p95 ms", "CPU ms", "x ours", "x ours, CPU", "ready s", "peak MB"):
        view.add_column(heading, justify="left" if heading in {"work", "library"} else "right")
    for work, rows in result["frames"].items():
        for name, row in rows.items():
            ratio = result["ratios"].get(work, {}).get(name, {"wall": 1.0, "cpu": 1.0})
            figures = (row["p50_ms"], row["p95_ms"], row["cpu_ms"], ratio["wall"], ratio["cpu"])
            ends = (result["start_s"][name], result["peak_mb"][name])
            view.add_row(work, name, *(f"{each:g}" for each in (*figures, *ends)))
    return view


def accuracy_table(result: dict[str, Any]) -> Table:
    """TAR at FMR 1e-3 of each library, by its own distance and by the other one."""
    view = Table(title="140 genuine pairs of LFW (development), FMR 1e-3, bounds of 95 %")
    for heading in ("library", "photos", "no face", "impostors", "TAR, own distance", "TAR, the other"):
        view.add_column(heading, justify="left" if heading == "library" else "right")
    for name, row in result["accuracy"].items():
        own, other = row[row["own"]], row["euclid" if row["own"] == "cosine" else "cosine"]
        tars = (
            f"{100 * one['tar']:.1f} % ({100 * one['low']:.1f} to {100 * one['high']:.1f})" for one in (own, other)
        )
        view.add_row(name, f"{row['photos']}", f"{row['failures_to_acquire']}", f"{own['impostors']:,}", *tars)
    return view


def sentence(result: dict[str, Any]) -> str:
    """The result in words and figures."""
    parts = []
    for work, peers in result["ratios"].items():
        for name, ratio in peers.items():
            parts.append(f"{name} takes {ratio['cpu']:g} times our CPU time for {work}")
    return f"peers: {'; '.join(parts) or 'none could be compared'}."


def plot(result: dict[str, Any], file: Path) -> None:
    """Time, start and memory side by side, as PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = list(result["start_s"])
    colours = dict(zip(names, ("#1b7f5c", "#8a8f98", "#b5651d", "#5a6acf"), strict=False))
    figure, axes = plt.subplots(1, 5, figsize=(15, 3.6), constrained_layout=True)
    works = [(work, "cpu_ms", f"{work}\nCPU ms a picture") for work in WORKS]
    for axis, (work, key, title) in zip(axes, works, strict=False):
        rows = result["frames"][work]
        _bars(axis, {name: row[key] for name, row in rows.items()}, colours, title)
    _bars(axes[3], result["start_s"], colours, "start to the first answer, s")
    _bars(axes[4], result["peak_mb"], colours, "peak memory, MB")
    figure.suptitle(f"{result['photo']}, one core, load {result['machine']['load'][0]}", fontsize=9)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _bars(axis: Any, values: dict[str, float], colours: dict[str, str], title: str) -> None:
    bars = axis.barh(list(values), list(values.values()), color=[colours[name] for name in values])
    axis.bar_label(bars, fmt="%g", padding=2, fontsize=8)
    axis.set_title(title, fontsize=9)
    axis.margins(x=0.25)
    axis.invert_yaxis()
    axis.tick_params(labelsize=8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


if __name__ == "__main__":
    raise SystemExit(main())
