"""The report's parts into which no measurement of its run goes: they rest on committed files; tests compare them."""

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path

from edge.vision.manifest import Manifest
from models.evaluate import simulated


def wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, 118, break_long_words=False, break_on_hyphens=False)


def screens() -> str:
    """What is known of replays, which no measurement of the report is of."""
    return (
        "**Screens.** The data hold no replay, so nothing here is measured on real ones. What is known is "
        f"**simulated**: of {simulated.frames()} frames photographed off phones, tablets, monitors and paper in a "
        f"model of screen, lens and sensor the policy's threshold accepts {simulated.by_kind()}; the passive net "
        f"alone has an EER of {simulated.PASSIVE_EER:g} % a frame there; of {simulated.SESSIONS} simulated sessions "
        f"of four frames {simulated.SESSIONS_ACCEPTED} were accepted at a sum of {simulated.SESSIONS_THRESHOLD:g} "
        f"([{simulated.SOURCE}]({simulated.SOURCE}), [ADR 10](../docs/adr/0010-evidence-adds-up.md)). The cues' "
        "curves were made on these very frames, so even that flatters. Relief, the page's light and the prompted "
        "action are not in it. The target of 1 % is not shown to be reached."
    )


def quantization(file: Path, models: Manifest) -> str:
    built = json.loads(file.read_text(encoding="utf-8"))["models"]
    rows = [
        f"| {one['name']} | {one['quantization']} | {one['bytes']:,} of {one['float_bytes']:,} "
        f"| {'yes' if one['shipped'] else 'no'} "
        f"| {'; '.join(f'{name} {value:g}' for name, value in one['figures'].items())} |"
        for one in built
    ]
    measured = [f"- `{model.name}`: {line}" for model in models.models for line in model.measured]
    return "\n".join(
        (
            "## Float against int8",
            "",
            "What the build's gates held when the shipped files were made (models/report.json):",
            "",
            "| model | quantization | bytes of the float's | shipped | figures |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "What the manifest says was measured with them, by whoever made them (not by this run):",
            "",
            *measured,
        )
    )


def tried(files: Sequence[str]) -> str:
    links = [f"- [{name}]({name})" for name in files] or ["- nothing was written down yet"]
    return "\n".join(("## What was tried, also what did not help", "", *links))


def glossary() -> str:
    return """
## Words

- **FMR, FNMR**: of pairs that were compared, the share of two people that match, and of one person that does not.
- **FAR, TAR**: the share of impostors accepted, and of genuine people accepted, at one threshold; FRR is 1 - TAR.
- **EER**: the error where both errors are equal, at the threshold named beside it; smaller is better.
- **AUC**: the chance that a random right one scores above a random wrong one; 1 is perfect, 0.5 a coin.
- **APCER, BPCER**: attacks taken for live people, and live (bona fide) people taken for attacks, of those judged.
- **APNRR, BPNRR**: attacks, and live people, that got no verdict, because too little of them was seen well.
- **ACER**: the mean of BPCER and of the APCER of the kind of attack that passes most often.
- **READY**: the quality gate asks nothing more of the frame (size, light, sharpness, pose, one face).
- **log-likelihood ratio**: how much likelier a measurement is of a person than of an attack, as a logarithm: 0 says
  nothing, above speaks for a person, below for an attack; the terminal adds those of all cues.
"""


def limits() -> str:
    return """
## What these data cannot say

- Genuine pairs: 140, of press photos; Labeled Faces in the Wild are known to be mostly of white men in middle age
  (not counted here). An FNMR below 1 in 140 cannot be seen in them; every smaller figure above is extrapolated.
- Impostors: over a million pairs, but of 1,453 people; the bounds draw the people, not the pairs. FAR 1e-4 rests on
  some 117 pairs; 1e-6 is not measurable.
- Asian faces: 8 students. Elderly faces: nobody's age is known. These are the people the terminal serves.
- Attacks: printed photos of the same 8 students before one webcam. No real screens, no masks, no films.
- Sessions: a few still frames each, and one man who talks. Nobody stood at a terminal.
- The thresholds were chosen on some of these same data, so the figures flatter.
"""
