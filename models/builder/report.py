"""What a build made: sizes, hashes, agreement with float, and whether it is what is shipped."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from edge.vision.manifest import Manifest, sha256_of
from models.builder.recipes import RECIPES, Recipe


@dataclass(frozen=True)
class Made:
    """One model of a build. `figures` are those the gates held: rebuilt against original, quantized against float."""

    name: str
    bytes: int
    float_bytes: int
    sha256: str
    quantization: str
    shipped: bool
    identical: bool
    figures: dict[str, float]


@dataclass(frozen=True)
class BuildReport:
    """All models of a build."""

    models: tuple[Made, ...]

    @property
    def sentence(self) -> str:
        shipped = [made for made in self.models if made.shipped]
        same = sum(made.identical for made in shipped)
        megabytes = sum(made.bytes for made in shipped) / 1e6
        return (
            f"models: {len(self.models)} of {len(self.models)} built, every gate held, "
            f"{same} of {len(shipped)} identical to the shipped files ({megabytes:.1f} MB)"
        )


def collect(floats: Path, quantized: Path, recipes: Sequence[Recipe], manifest: Manifest) -> BuildReport:
    """The report on what the stages left in their folders."""
    rebuilt = json.loads((floats / "float.json").read_text())
    agreed = json.loads((quantized / "quantized.json").read_text())
    shipped = {model.name: model.sha256 for model in manifest.models}
    made = []
    for recipe in recipes:
        path = quantized / recipe.file
        sha256 = sha256_of(path)
        figures = {**rebuilt[recipe.name], **agreed[recipe.name]}
        made.append(
            Made(
                name=recipe.name,
                bytes=path.stat().st_size,
                float_bytes=(floats / recipe.file).stat().st_size,
                sha256=sha256,
                quantization=recipe.quantization,
                shipped=recipe.shipped,
                identical=shipped.get(recipe.name) == sha256,
                figures={name: round(value, 6) for name, value in figures.items()},
            )
        )
    return BuildReport(tuple(made))


def write(built: BuildReport, path: Path) -> None:
    """The report as JSON, over what an earlier build said of the same models; others are kept.

    What is only true of one machine's comparison is left out.
    """
    before = json.loads(path.read_text(encoding="utf-8"))["models"] if path.exists() else []
    entries = {entry["name"]: entry for entry in before}
    for made in built.models:
        entries[made.name] = {k: v for k, v in asdict(made).items() if k != "identical"}
    models = [entries[recipe.name] for recipe in RECIPES if recipe.name in entries]
    path.write_text(json.dumps({"models": models}, indent=1) + "\n", encoding="utf-8")


def table(built: BuildReport) -> Table:
    """The report for a terminal."""
    view = Table("model", "bytes", "of float", "quantization", "shipped file")
    for made in built.models:
        ratio = f"{made.bytes / made.float_bytes:.0%}"
        state = ("identical" if made.identical else "differs") if made.shipped else "none"
        view.add_row(made.name, f"{made.bytes:,}", ratio, made.quantization, state)
    return view


def gated_figures(built: BuildReport) -> Table:
    """Every figure that a gate held."""
    view = Table("model", "figure", "value")
    for made in built.models:
        for figure, value in made.figures.items():
            view.add_row(made.name, figure, f"{value:.4g}")
    return view
