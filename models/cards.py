"""A card for each model, made from its entry in the manifest: one source, so that they cannot disagree."""

from edge.vision.manifest import Model

_QUANTIZATION = {
    "int8": "int8 weights and activations",
    "weights_int8": "int8 weights, float32 activations (XNNPACK unpacks the weights when the model is opened)",
}


def card(model: Model) -> str:
    """The Markdown text of `cards/<name>.md`."""
    source = "\n".join(f"- {s.package}, `{s.path}`, SHA-256 `{s.sha256}`" for s in model.sources)
    outputs = "\n".join(f"- `{o.name}`: {' x '.join(map(str, o.shape))}" for o in model.outputs)
    size = model.input.size_px
    return f"""# {model.name}

{model.task}.

| | |
|---|---|
| version | `{model.version}` |
| file | `{model.file}`, {model.bytes:,} bytes |
| SHA-256 | `{model.sha256}` |
| licence | {model.licence} |
| quantization | {_QUANTIZATION[model.quantization]} |
| calibration | {model.calibration} |
| input | {size} x {size} {model.input.channels.upper()}, (pixel - {model.input.mean:g}) / {model.input.std:g}, \
{model.input.dtype} |

## Made from
{source}

by `anxin models build` (docs/adr/0003-where-weights-come-from.md).

## Outputs
{outputs}

## Measured
{_list(model.measured)}

## Known weaknesses
{_list(model.weaknesses)}

*Made from models/manifest.toml; a change here is lost at the next build.*
"""


def _list(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {line}" for line in lines)
