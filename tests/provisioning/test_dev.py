"""A development site: everything that the programs need, made once, renewed without loss."""

import argparse
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from central.enrolment import Described
from edge.adapters.outbox_sqlite import OUTBOX_FILE, SqliteOutbox
from edge.core.identity import digest
from edge.errors import ConfigError, StateError, UntrustedError
from edge.ports import Pixels
from edge.wire import seal
from edge.wire.documents import PolicyDoc, RosterDoc, from_base64
from edge.wire.envelope import Typ, verify
from edge.wire.keys import KeyRing, load_private
from edge.wire.messages import parse
from provisioning import ca, cli
from provisioning.dev import Eyes, provision_dev, read_policy
from provisioning.layout import Layout
from provisioning.settings import Wanted, check
from tests.provisioning.conftest import provision

NUMBER, OTHER = "11010519491231002X", "110105194912310038"
PEOPLE = f"""
[[person]]
number = "{NUMBER.lower()}"
name = "王小英"
photos = ["one.png", "two.png"]
standing = "due"
valid_until = 2026-12-31
exemptions = ["blink"]

[[person]]
number = "{OTHER}"
name = "阿卜杜·热合曼"
standing = "valid"
method = "data_match"
"""


def eyes_of_a_test() -> Eyes:
    """Eyes that see how bright a photo is."""

    def describe(photo: Pixels) -> Described:
        if not photo.any():
            raise ValueError("there is no face in it")
        return Described(np.array([photo.mean(), 1.0], np.float32), "" if photo.mean() > 100 else "too dark")

    return Eyes("test-model-1", describe)


def write_people(folder: Path, text: str = PEOPLE) -> Path:
    folder.mkdir(exist_ok=True)
    for name, light in (("one.png", 200), ("two.png", 50), ("black.png", 0)):
        cv2.imwrite(str(folder / name), np.full((8, 8, 3), light, np.uint8))
    (folder / "people.toml").write_text(text, encoding="utf-8")
    return folder / "people.toml"


def opened_roster(layout: Layout) -> RosterDoc:
    jws = seal.unseal(
        (layout.inbox / "roster.jwe").read_bytes(),
        load_private(layout.device / "roster.jwk", "X25519"),
        seal.ROSTER,
        10**6,
    )
    office = KeyRing.load(layout.device / "office_keys.json").verifying
    return parse(RosterDoc, verify(jws, office, Typ.ROSTER, 10**6))


def everything(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_site_has_what_its_three_programs_read(layout: Layout) -> None:
    office, terminal, uplink = check(layout)
    assert office.devices_file == layout.root / "office/devices.json"
    assert (terminal.device, terminal.spool_dir) == (uplink.device, uplink.spool_dir)
    assert uplink.broker.port == office.broker.port == layout.read_broker_port()
    private = [path for path in layout.root.rglob("*") if path.suffix in {".jwk", ".key", ".secret"}]
    assert len(private) == 9
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_a_second_run_keeps_keys_and_state_and_issues_the_documents_anew(layout: Layout) -> None:
    with SqliteOutbox(layout.spool / OUTBOX_FILE, "dev-1") as outbox:
        outbox.commit(lambda slot: ("0" * 8, "a.b.c"))
    layout.ledger.write_bytes(b"a ledger")
    (layout.state / "terminal" / "device").write_text("dev-1\n")
    before = everything(layout.root)
    said = [step.said for step in provision(layout.root)]
    after = everything(layout.root)
    assert {name for name in before if before[name] != after.get(name)} == {"inbox/policy.jws", "office/numbers.json"}
    assert set(before) == set(after)
    assert "0 issued, 3 still good" in said
    assert "kept; 1 results wait in the outbox" in said


def test_a_certificate_near_its_end_is_renewed_with_the_same_key(layout: Layout) -> None:
    key = (layout.device / "client.key").read_bytes()
    old = ca.load_certificate(layout.device / "client.crt")
    later = datetime.now(UTC) + timedelta(days=380)
    list(provision_dev(layout.root, Wanted(), open_eyes=eyes_of_a_test, now=later))
    new = ca.load_certificate(layout.device / "client.crt")
    assert new.not_valid_after_utc > old.not_valid_after_utc
    assert new.public_key() == old.public_key()
    assert (layout.device / "client.key").read_bytes() == key


def test_certificates_are_valid_since_yesterday_and_name_their_owner(layout: Layout) -> None:
    for file, name in ((layout.office / "client.crt", "office"), (layout.device / "client.crt", "dev-1")):
        certificate = ca.load_certificate(file)
        assert ca.common_name_of(certificate) == name
        assert certificate.not_valid_before_utc < datetime.now(UTC) - timedelta(hours=23)
        assert ca.issued_by(certificate, ca.load_certificate(layout.ca / "ca.crt"))


def test_a_site_belongs_to_one_terminal(layout: Layout) -> None:
    with pytest.raises(ConfigError, match="choose another folder"):
        provision(layout.root, Wanted(device="dev-2"))
    with pytest.raises(ConfigError, match="office's own name"):
        provision(layout.root.parent / "new", Wanted(device="office"))


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        (Wanted(device="Hall 2"), "lower-case letters"),
        (Wanted(site="Süd"), "lower-case letters"),
        (Wanted(camera="webcam"), "v4l2:NAME"),
        (Wanted(page_port=99_999), "65535 or less"),
    ],
)
def test_a_slip_of_the_hand_leaves_no_half_made_site(tmp_path: Path, wanted: Wanted, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        provision(tmp_path / "site", wanted)
    assert everything(tmp_path / "site") == {}


def test_settings_that_a_technician_changed_stay(layout: Layout) -> None:
    text = layout.terminal_config.read_text().replace("[camera]\n", "[camera]\nwidth_px = 800\n")
    layout.terminal_config.write_text(text)
    provision(layout.root)
    assert layout.terminal_config.read_text() == text
    provision(layout.root, Wanted(camera="v4l2:HD Webcam"))
    _, terminal, _ = check(layout)
    assert terminal.camera.source == "v4l2:HD Webcam"


def test_an_outbox_that_vanished_is_not_replaced_in_silence(layout: Layout) -> None:
    layout.outbox.unlink()
    with pytest.raises(StateError, match="gone"):
        provision(layout.root)


def test_a_roster_holds_people_but_no_names_numbers_or_pictures(layout: Layout, tmp_path: Path) -> None:
    people = write_people(tmp_path / "people")
    steps = list(provision_dev(layout.root, Wanted(), people, open_eyes=eyes_of_a_test))
    assert "2 people, 2 references" in (said := steps[-2].said)
    assert "person 1, photo 2: too dark" in said
    roster = opened_roster(layout)
    wang, other = roster.persons
    assert wang.digest == digest(NUMBER, from_base64(roster.salt), roster.params)
    assert (wang.masked_name, other.masked_name) == ("王*英", "阿**·**曼")
    assert [len(rows) for rows in wang.references.values()] == [2]
    assert [list(np.frombuffer(from_base64(row), "<f4")) for row in wang.references["test-model-1"]] == [
        [200.0, 1.0],
        [50.0, 1.0],
    ]
    embedding = np.array([200.0, 1.0], "<f4").tobytes()
    for name, content in everything(layout.root).items():
        for secret in (NUMBER.encode(), OTHER.encode(), "王小英".encode(), embedding):
            assert secret not in content, name


def test_a_person_keeps_the_same_reference_from_roster_to_roster(layout: Layout, tmp_path: Path) -> None:
    people = write_people(tmp_path / "people")
    refs = []
    for _ in range(2):
        list(provision_dev(layout.root, Wanted(), people, open_eyes=eyes_of_a_test))
        roster = opened_roster(layout)
        refs.append(([each.person_ref for each in roster.persons], [each.digest for each in roster.persons]))
    assert refs[0][0] == refs[1][0]
    assert refs[0][1] != refs[1][1]  # a fresh salt


def test_another_terminals_key_opens_nothing(layout: Layout, tmp_path: Path) -> None:
    provision(tmp_path / "other")
    with pytest.raises(UntrustedError):
        seal.unseal(
            (layout.inbox / "roster.jwe").read_bytes(),
            load_private(tmp_path / "other/device/roster.jwk", "X25519"),
            seal.ROSTER,
            10**6,
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[person]]\nnumber = '110105194912310020'\nname = '王小英'\n", "person 1: the number is not valid"),
        ("[[person]]\nname = '王小英'\n", "person 1 `number` is missing"),
        ("[[person]]\nnumber = '11010519491231002X'\nname = '王小英'\nnickname = 'x'\n", "`nickname` is unknown"),
        (PEOPLE.replace(OTHER, NUMBER), "two people have the same number"),
        (PEOPLE.replace("two.png", "black.png"), "person 1: a photo cannot be used: there is no face in it"),
        (PEOPLE.replace("two.png", "people.toml"), "it is not a picture"),
        (PEOPLE.replace("two.png", "none.png"), "cannot be read"),
        ("[[person]\n", "not valid TOML"),
    ],
)
def test_a_wrong_list_of_people_is_refused_without_naming_them(
    layout: Layout, tmp_path: Path, text: str, said: str
) -> None:
    people = write_people(tmp_path / "people", text)
    before = (layout.inbox / "roster.jwe").read_bytes()
    with pytest.raises(ConfigError) as refused:
        list(provision_dev(layout.root, Wanted(), people, open_eyes=eyes_of_a_test))
    assert said in str(refused.value)
    assert not any(part in str(refused.value) for part in ("1101", "王", "英"))
    assert (layout.inbox / "roster.jwe").read_bytes() == before


def test_the_policy_is_signed_for_this_terminal_and_its_number_grows(layout: Layout, tmp_path: Path) -> None:
    rules = tmp_path / "policy.toml"
    rules.write_text('version = "2026-a"\nmax_tries = 2\n[scheme]\nname = "haikou"\ncycle_months = 6\n')
    list(provision_dev(layout.root, Wanted(), open_eyes=eyes_of_a_test, policy=read_policy(rules)))
    office = KeyRing.load(layout.device / "office_keys.json").verifying
    document = parse(PolicyDoc, verify((layout.inbox / "policy.jws").read_bytes(), office, Typ.POLICY, 10**6))
    assert (document.site, document.device, document.number) == ("dev", "dev-1", 2)
    assert document.policy["version"] == "2026-a"
    rules.write_text("max_tires = 2\n")
    with pytest.raises(ConfigError, match="max_tires"):
        read_policy(rules)


def test_the_command_says_every_step_and_one_last_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    root = tmp_path / "site"
    assert cli.main(parser.parse_args(["dev", str(root), "--device", "hall-2", "--camera", "file:x.mp4"])) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"site: 8 steps done in {root}; next: anxin provision run {root}"
    assert check(Layout(root))[1].camera.source == f"file:{Path('x.mp4').resolve()}"
    assert json.loads((root / "office/devices.json").read_text())["devices"][0]["device"] == "hall-2"
