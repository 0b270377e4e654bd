"""The report keeps up with the code, and says what it says from figures."""

import argparse
import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from edge.app import manifest
from edge.core.policy import Policy
from models import FOLDER, cli
from models.evaluate import report, report_fixed, report_text, research, simulated
from models.evaluate.errors import UnusableInputError
from models.evaluate.metrics import Scores
from models.evaluate.read import Presentation
from models.evaluate.results import AttacksResult, PairsResult, Rate

PAGE = FOLDER.parent / "docs" / "evaluate.md"


def test_the_report_is_of_these_models_and_these_thresholds() -> None:
    content = (FOLDER / "REPORT.md").read_text(encoding="utf-8")
    stale = [line for line in report.stamp(manifest(), Policy()) if line not in content]
    assert stale == [], "models or thresholds changed since the report: run make report"


def test_the_parts_of_the_report_that_are_not_measured_are_those_of_today() -> None:
    content = (FOLDER / "REPORT.md").read_text(encoding="utf-8")
    stale = [part.splitlines()[0] for part in report.fixed(manifest()) if part not in content]
    assert stale == [], "files that the report quotes changed since: run make report"


def test_the_page_and_the_report_explain_the_same_words() -> None:
    words = report_fixed.glossary().strip()
    assert words in PAGE.read_text(encoding="utf-8")
    for word in ("FMR", "FNMR", "FAR", "TAR", "EER", "APCER", "BPCER", "APNRR", "BPNRR", "READY"):
        assert word in words


def test_another_line_in_the_manifest_makes_the_report_stale() -> None:
    models = manifest()
    first = models.models[0].model_copy(update={"measured": [*models.models[0].measured, "one more figure"]})
    other = models.model_copy(update={"models": (first, *models.models[1:])})
    assert len(set(report.stamp(other, Policy())) - set(report.stamp(models, Policy()))) == 1
    assert report.fixed(other) != report.fixed(models)


def test_the_simulated_figures_are_those_of_the_decision_and_of_what_was_tried() -> None:
    decision = (FOLDER.parent / "docs" / "adr" / "0010-evidence-adds-up.md").read_text(encoding="utf-8")
    tried = " ".join((FOLDER / simulated.SOURCE).read_text(encoding="utf-8").split())
    share = {kind: f"{percent:g}" for kind, (_, percent) in simulated.ACCEPTED.items()}
    # The third column is that of the policy's threshold, 0.
    screens = " / ".join(share[kind] for kind in ("phones", "tablets", "monitors"))
    papers = " / ".join(share[kind] for kind in ("photos", "halftone prints"))
    assert re.search(rf"phones / tablets / monitors accepted \| [^|]+ \| \*\*{screens} %\*\*", decision)
    assert re.search(rf"photos / halftone prints accepted \| [^|]+ \| \*\*{papers} %\*\*", decision)
    assert Policy().liveness_threshold == 0
    for kind, (count, _) in simulated.ACCEPTED.items():
        assert f"{count} {kind}" in tried
    assert f"{simulated.frames()} *simulated* recaptures" in tried
    assert f"AUC {simulated.PASSIVE_AUC:g}, EER {simulated.PASSIVE_EER:g} % a frame" in tried
    assert f"{simulated.SESSIONS} simulated attack sessions of four frames" in tried
    accepted = re.search(r"at a sum of 0\.5: accepted (.+?): 12 %", tried)
    assert accepted is not None
    assert sum(int(n) for n in re.findall(r"(\d+) of", accepted[1])) == simulated.SESSIONS_ACCEPTED


def test_another_threshold_or_model_would_make_the_report_stale() -> None:
    models, policy = manifest(), Policy()
    stamp = report.stamp(models, policy)
    assert f"| policy | `match_threshold` | `{policy.match_threshold}` |" in stamp
    stricter = Policy.from_mapping({**policy.to_mapping(), "match_threshold": 0.99})
    assert len(set(report.stamp(models, stricter)) - set(stamp)) == 1
    first = models.models[0].model_copy(update={"sha256": "0" * 64})
    other = models.model_copy(update={"models": (first, *models.models[1:])})
    assert len(set(report.stamp(other, policy)) - set(stamp)) == 1


def test_every_picture_and_link_of_the_report_is_there() -> None:
    content = (FOLDER / "REPORT.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)]+)\)", content)
    assert targets
    assert [target for target in targets if not (FOLDER / target).is_file()] == []


@pytest.mark.parametrize("shape", [PairsResult, AttacksResult])
def test_the_page_names_every_key_of_the_json(shape: type[BaseModel]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = [field.alias or name for name, field in shape.model_fields.items()]
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize(
    ("rate", "says"),
    [
        (Rate.of(2, 140), "14,300 (1,730 to 50,700)"),
        (Rate.of(0, 300), "none seen (up to 12,200)"),
        (Rate.of(3, 1_000_000), "3 (0.62 to 8.8)"),
        (Rate.of(0, 0), "not measurable"),
    ],
)
def test_rates_are_said_in_people_of_a_million(rate: Rate, says: str) -> None:
    assert report_text.per_million(rate) == says


def test_a_normal_curve_is_drawn_only_through_enough_scores() -> None:
    genuine = Scores(np.random.default_rng(1).normal(0.7, 0.1, 20_000))
    assert report_text.normal_misses(genuine, 0.7) == pytest.approx(0.5, abs=0.01)
    assert report_text.normal_misses(genuine, 0.5) == pytest.approx(0.02275, abs=0.003)
    assert report_text.normal_misses(Scores([0.5, 0.6]), 0.5) is None


def test_frames_of_one_sitting_are_no_test_of_the_match() -> None:
    names = ("0001_00_00_01_5.jpg", "0001_00_00_01_9.jpg", "0001_00_00_02_1.jpg", "0002_01_00_01_3.jpg", "notes.jpg")
    pairs = research.pairs_by_subject([Path(name) for name in names])
    assert len(pairs) == 6
    groups = [(pair.same, pair.group) for pair in pairs]
    assert groups.count((True, research.SAME_SITTING)) == 1
    assert groups.count((True, research.OTHER_SITTING)) == 2
    assert groups.count((False, "two people, one with glasses")) == 3
    assert {name for pair in pairs for name in pair.people or ()} == {"0001", "0002"}


def test_prints_held_in_another_way_are_another_kind_and_session() -> None:
    names = ("0001_00_00_01_5.jpg", "0001_00_00_01_9.jpg", "0001_00_03_02_1.jpg")
    pictures = [Presentation(name, (Path(name),), bona_fide=False, kind="spoof", video=False) for name in names]
    sessions = research.by_sitting(pictures)
    assert [(one.kind, len(one.files)) for one in sessions] == [
        ("printed photo, way 00", 2),
        ("printed photo, way 03", 1),
    ]
    assert research.subjects(pictures) == 1


def test_data_of_another_shape_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    with pytest.raises(UnusableInputError, match="has no lfw_dev/images"):
        cli.main(parser.parse_args(["report", "--data", str(tmp_path)]))
