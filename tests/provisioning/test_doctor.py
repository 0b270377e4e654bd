"""The doctor: for each thing that can be wrong, the sentence that says so and what to do."""

import argparse
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.adapters.outbox_sqlite import OUTBOX_FILE
from edge.errors import ConfigError
from provisioning import checks, doctor
from provisioning.ca import Authority
from provisioning.checks import Finding
from provisioning.dev import provision_dev
from provisioning.layout import Layout
from provisioning.settings import Wanted
from tests.provisioning.conftest import no_eyes, provision


@pytest.fixture(autouse=True)
def _models_are_another_tests_affair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "models", lambda folder: "not looked at here")


def examine(layout: Layout) -> dict[str, Finding]:
    return {each.name: each for each in doctor.examine_site(layout.root)}


def wrong(layout: Layout) -> dict[str, str]:
    """What is to do, but for the broker and the camera, which nobody has started here."""
    found = examine(layout)
    assert found["broker"].todo
    assert found["camera"].todo
    return {name: f"{each.said} {each.todo}" for name, each in found.items() if not each.fine} | {
        "broker": "",
        "camera": "",
    }


def only(layout: Layout, name: str, *words: str) -> None:
    found = {key: value for key, value in wrong(layout).items() if key not in {"broker", "camera"}}
    assert set(found) == {name}
    for word in words:
        assert word in found[name]


def reissue(layout: Layout, who: str, name: str, now: datetime) -> None:
    (layout.root / who / "client.crt").unlink()
    Authority.open(layout.ca, "", now).client(
        layout.root / who / "client.crt", layout.root / who / "client.key", name, now
    )


def test_a_fresh_site_lacks_only_what_must_run(layout: Layout) -> None:
    found = examine(layout)
    assert [name for name, each in found.items() if not each.fine] == ["camera", "broker"]
    assert doctor.last_line(list(found.values())) == "doctor: 20 of 22 checks fine, 2 to do"


Break = Callable[[Layout], object]


def swap(old: str, new: str, file: str) -> Break:
    return lambda layout: (layout.root / file).write_text((layout.root / file).read_text().replace(old, new))


@pytest.mark.parametrize(
    ("breaks", "name", "words"),
    [
        (lambda it: (it.device / "signing.jwk").chmod(0o644), "terminal's signing key", ("others may read", "chmod")),
        (lambda it: (it.device / "client.key").chmod(0o640), "terminal's certificate", ("mode 640", "chmod 600")),
        (lambda it: (it.office / "encryption.jwk").unlink(), "office's encryption key", ("does not exist",)),
        (lambda it: (it.device / "client.crt").unlink(), "terminal's certificate", ("is missing", "Provision")),
        (
            lambda it: shutil.copy(it.office / "client.crt", it.device),
            "terminal's certificate",
            ("made out to office",),
        ),
        (
            lambda it: shutil.copy(it.office / "client.key", it.device),
            "terminal's certificate",
            ("is not the key of",),
        ),
        (
            lambda it: reissue(it, "device", "dev-1", datetime.now(UTC) - timedelta(days=500)),
            "terminal's certificate",
            ("expired on", "renew"),
        ),
        (
            lambda it: reissue(it, "device", "dev-1", datetime.now(UTC) + timedelta(days=9)),
            "terminal's certificate",
            ("valid only from", "clock"),
        ),
        (
            lambda it: reissue(it, "office", "office", datetime.now(UTC) - timedelta(days=390)),
            "office's certificate",
            ("ends on", "renew"),
        ),
        (
            lambda it: (it.state / "terminal/device").write_text("dev-9\n"),
            "terminal's state",
            ("belongs to dev-9", "this is dev/dev-1"),
        ),
        (lambda it: (it.state / "uplink").rmdir(), "uplink's state", ("does not exist",)),
        (lambda it: (it.state / "uplink/notes").write_text("x"), "uplink's state", ("does not say whose",)),
        (lambda it: (it.spool / OUTBOX_FILE).unlink(), "outbox", ("gone", "restore it", "another device name")),
        (lambda it: (it.spool / OUTBOX_FILE).write_bytes(b"x" * 5000), "outbox", ("damaged", "kept as it is")),
        (lambda it: (it.inbox / "policy.jws").write_text("x.y.z"), "policy", ("not a compact JWS",)),
        (lambda it: (it.inbox / "roster.jwe").unlink(), "roster", ("cannot be read",)),
        (lambda it: it.devices.write_text("[]"), "registration", ("not a list of devices",)),
        (swap("dev-1", "dev-9", "office/devices.json"), "registration", ("dev/dev-1 is not in",)),
        (
            swap('device = "dev-1"', 'device = "dev-9"', "uplink.toml"),
            "terminal's certificate",
            ("made out to dev-1",),
        ),
        (lambda it: it.ledger.write_bytes(b"not a database at all" * 99), "ledger", ("database refused",)),
        (swap("[page]", "colour = 1\n[page]", "terminal.toml"), "settings terminal.toml", ("colour", "unknown")),
    ],
)
def test_one_thing_is_wrong_and_one_sentence_says_so(
    layout: Layout, breaks: Break, name: str, words: tuple[str, ...]
) -> None:
    breaks(layout)
    found = {each.name: each for each in doctor.examine_site(layout.root)}
    answer = found[name]
    assert answer.todo
    for word in words:
        assert word in f"{answer.said} {answer.todo}"


def test_a_missing_certificate_is_not_blamed_on_the_broker(layout: Layout) -> None:
    (layout.device / "client.crt").unlink()
    assert "client.crt is missing" in examine(layout)["broker"].said
    assert "Provision" in examine(layout)["broker"].todo


def test_a_mistake_in_the_settings_says_that_the_rest_was_not_looked_at(layout: Layout) -> None:
    swap("[page]\n", '[page]\nportt = 5\nlanguage = "zh"\n', "terminal.toml")(layout)
    found = examine(layout)["settings terminal.toml"]
    assert "`page.portt` is unknown" in found.said
    assert "was not looked at" in found.todo


def test_a_key_that_the_office_does_not_know(layout: Layout, tmp_path: Path) -> None:
    provision(tmp_path / "other")
    shutil.copy(tmp_path / "other/device/signing.jwk", layout.device)
    only(layout, "registration", "does not know the key", "Provision the site again")
    provision(layout.root)
    assert set(wrong(layout)) == {"broker", "camera"}


def test_documents_of_another_office_or_another_time(layout: Layout, tmp_path: Path) -> None:
    provision(tmp_path / "other")
    shutil.copy(tmp_path / "other/inbox/policy.jws", layout.inbox)
    only(layout, "policy", "not registered")
    long_ago = datetime.now(UTC) - timedelta(days=120)
    list(provision_dev(layout.root, Wanted(), open_eyes=no_eyes, now=long_ago))
    assert "expired on" in wrong(layout)["policy"]
    list(provision_dev(layout.root, Wanted(), open_eyes=no_eyes, now=datetime.now(UTC) - timedelta(days=80)))
    assert "It ends on" in wrong(layout)["policy"]


def test_a_clock_that_nobody_sets(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.adapters import clock_system

    monkeypatch.setattr(clock_system, "read_kernel", lambda: (clock_system.TIME_ERROR, clock_system.Timex()))
    assert "believed as it is" in examine(layout)["clock"].said
    swap('trust = "host"', 'trust = "kernel"', "terminal.toml")(layout)
    only(layout, "clock", "not synchronised", "certifications wait")


def test_one_program_alone(layout: Layout) -> None:
    found = list(doctor.examine_file(layout.uplink_config))
    assert [each.name for each in found] == [
        "settings uplink.toml",
        "terminal's certificate",
        "uplink's state",
        "office's public keys",
        "outbox",
        "broker",
    ]


def test_what_the_command_prints_and_returns(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    assert doctor.main(parser.parse_args([str(layout.root)])) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "doctor: 20 of 22 checks fine, 2 to do"
    assert doctor.main(parser.parse_args([str(layout.root), "--json"])) == 1
    said = json.loads(capsys.readouterr().out)
    assert {each["name"] for each in said["checks"] if not each["fine"]} == {"camera", "broker"}
    assert doctor.main(parser.parse_args(["--config", str(layout.office_config)])) == 1


def test_a_folder_without_a_site(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a site"):
        list(doctor.examine_site(tmp_path))
    with pytest.raises(ConfigError, match="does not exist"):
        list(doctor.examine_file(tmp_path / "terminal.toml"))


def test_the_doctor_changes_nothing(layout: Layout) -> None:
    def everything() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in layout.root.rglob("*") if path.is_file()}

    before = everything()
    examine(layout)
    assert everything() == before
