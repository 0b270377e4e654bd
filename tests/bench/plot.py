"""A picture of where a frame's time goes, beside what the targets allow."""

from pathlib import Path
from typing import Any

from edge.errors import ToolError
from tests.bench.eyes import YARDSTICK


def draw(result: dict[str, Any], path: Path) -> None:
    """Bars of a frame with every net, its bare calls and MobileNetV1, as a PNG.  ToolError without matplotlib."""
    try:
        import matplotlib.figure
    except ImportError as error:
        raise ToolError("the plot needs matplotlib; `pip install matplotlib`, or leave --plot out.") from error
    eyes = result["eyes"]
    figure = matplotlib.figure.Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots()
    left = 0.0
    for name, spread in eyes["bare"].items():
        axes.barh("bare calls", spread["p50"], left=left, edgecolor="white")
        axes.text(left + spread["p50"] / 2, 0, name.removeprefix("face_"), ha="center", va="center", fontsize=8)
        left += spread["p50"]
    axes.barh("a frame with every net", eyes["full_frame"]["p50"], color="tab:blue")
    axes.barh("a frame of a session", eyes["frame"]["p50"], color="tab:blue")
    axes.axvline(1.15 * eyes["bare_sum_p50"], color="tab:green", linestyle="--", label="1.15 x bare calls")
    if eyes[YARDSTICK] is not None:
        axes.barh("MobileNetV1-224-int8", eyes[YARDSTICK]["p50"], color="tab:gray")
        axes.axvline(1.8 * eyes[YARDSTICK]["p50"], color="tab:red", linestyle="--", label="1.8 x MobileNetV1")
    axes.set_xlabel(f"milliseconds of a core, {result['machine']['cpu']}")
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=110)
