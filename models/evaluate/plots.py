"""Curves as small PNG files: error trade-offs and histograms of scores.  No faces, no names.

matplotlib is imported only here and only when something is drawn; its own canvas is used, so no display is needed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import StateError, ToolError
from models.evaluate.metrics import Scores, curve

_INK, _WANTED, _UNWANTED, _RULE = "#222222", "#1b6ca8", "#c0562d", "#777777"
_LINES = ("#1b6ca8", "#c0562d", "#3c8d5a", "#8a5a9e", "#b08b1e", "#444444")
_BINS = 80


def ready(folder: Path) -> None:
    """Whether anything could be drawn into ``folder``, asked before the long work; makes the folder.

    Raises ToolError without matplotlib, StateError when the folder cannot be made.
    """
    _canvas()
    _make(folder)


def trade_off(
    heaps: Mapping[str, tuple[Scores, Scores]], file: Path, passed: str, refused: str, title: str
) -> Path | None:
    """The errors against each other (DET), both axes logarithmic; one line for each pair of heaps with both kinds.

    ``passed`` and ``refused`` name the axes (FMR and FNMR, APCER and BPCER).  Returns ``file``, or None when there
    is nothing to draw.  Raises ToolError without matplotlib, StateError when the file cannot be written.
    """
    drawn = {name: curve(*both) for name, both in heaps.items() if both[0] and both[1]}
    if not drawn:
        return None
    with _figure(file, title) as axes:
        least = min(0.5 / max(heaps[name][side].total for name in drawn) for side in (0, 1))
        for (name, line), colour in zip(drawn.items(), _LINES * len(drawn), strict=False):
            apart = heaps[name][0].values[0] > heaps[name][1].values[-1]
            # Without an error there is no trade-off: a line along the axes would show one.
            passing, missed = (line.passed[:0], line.refused[:0]) if apart else (line.passed, line.refused)
            label = f"{name}: all told apart, no line" if apart else name
            axes.step(np.maximum(passing, least), np.maximum(missed, least), where="post", label=label, color=colour)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(least * 0.8, 1)
        axes.set_ylim(least * 0.8, 1)
        axes.set_xlabel(passed)
        axes.set_ylabel(refused)
        axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
        axes.plot([least, 1], [least, 1], color=_RULE, linewidth=0.6, linestyle=":")
        axes.legend(fontsize=8, frameon=False)
    return file


def rates(
    wanted: Scores, unwanted: Scores, threshold: float, file: Path, passed: str, refused: str, title: str
) -> Path | None:
    """Both errors over the threshold, logarithmic, with the policy's threshold marked; as `trade_off` otherwise."""
    if not wanted or not unwanted:
        return None
    line = curve(wanted, unwanted)
    with _figure(file, title) as axes:
        axes.step(line.thresholds, np.where(line.passed > 0, line.passed, np.nan), label=passed, color=_UNWANTED)
        axes.step(line.thresholds, np.where(line.refused > 0, line.refused, np.nan), label=refused, color=_WANTED)
        axes.set_yscale("log")
        axes.set_xlabel("threshold")
        axes.set_ylabel("share")
        axes.axvline(threshold, color=_INK, linewidth=0.9, linestyle="--", label=f"policy: {threshold:.3g}")
        axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
        axes.legend(fontsize=8, frameon=False)
    return file


def histogram(
    wanted: Scores, unwanted: Scores, threshold: float, file: Path, names: tuple[str, str], title: str, score: str
) -> Path | None:
    """How the scores of both kinds lie, each as shares of its own kind; as `trade_off` otherwise."""
    heaps = [(heap, name) for heap, name in zip((wanted, unwanted), names, strict=True) if heap]
    if not heaps:
        return None
    low = min(float(heap.values[0]) for heap, _ in heaps)
    high = max(float(heap.values[-1]) for heap, _ in heaps)
    edges = np.linspace(low, max(high, low + 1e-6), _BINS + 1)
    with _figure(file, title) as axes:
        for (heap, name), colour in zip(heaps, (_WANTED, _UNWANTED), strict=False):
            shares, _ = np.histogram(heap.values, bins=edges, weights=heap.counts / heap.total)
            axes.stairs(shares, edges, fill=True, alpha=0.45, color=colour, label=f"{name} ({heap.total:,})")
        axes.axvline(threshold, color=_INK, linewidth=0.9, linestyle="--", label=f"policy: {threshold:.3g}")
        axes.set_yscale("log")
        axes.set_xlabel(score)
        axes.set_ylabel("share of its kind")
        axes.legend(fontsize=8, frameon=False)
    return file


@contextmanager
def _figure(file: Path, title: str) -> Iterator[Any]:
    figure_kind, canvas_kind = _canvas()
    figure = figure_kind(figsize=(5.2, 3.6), dpi=100, layout="tight")
    canvas_kind(figure)
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=10)
    yield axes
    _make(file.parent)
    try:
        # Without the library's name and version the same curve gives the same file.
        figure.savefig(file, format="png", metadata={"Software": None})
    except OSError as error:
        raise StateError(f"{file} cannot be written ({error.strerror}); give another folder.") from error


def _canvas() -> tuple[Any, Any]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ToolError("plots need matplotlib: install the extra `models`, or leave --plots out.") from None
    return Figure, FigureCanvasAgg


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(f"{folder} cannot be made a folder ({error.strerror}); give another one.") from error
