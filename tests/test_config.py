"""Settings that are wrong are refused with a sentence that says what to do; right ones are read whole."""

from pathlib import Path

import pytest

from edge.config import TerminalConfig, UplinkConfig, load
from edge.errors import ConfigError

TERMINAL = """
state_dir = "state/terminal"
spool_dir = "/var/lib/anxin/spool"
inbox_dir = "inbox"
signing_key = "device/signing.jwk"
roster_key = "device/roster.jwk"
office_keys = "office.jwks"
[device]
site = "hall"
device = "hall-1"
[camera]
source = "picamera2"
"""
UPLINK = """
state_dir = "state/uplink"
spool_dir = "spool"
office_keys = "office.jwks"
[device]
site = "hall"
device = "hall-1"
[broker]
host = "broker.example"
ca_file = "ca.pem"
cert_file = "c.pem"
key_file = "k.pem"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_relative_paths_start_at_the_files_own_folder_and_absolute_ones_stay(tmp_path: Path) -> None:
    config = load(TerminalConfig, written(tmp_path, TERMINAL))

    assert config.state_dir == tmp_path / "state" / "terminal"
    assert config.spool_dir == Path("/var/lib/anxin/spool")
    assert config.page.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("[camera]", "[camera]\nzoom = 2"), "the key `camera.zoom` is unknown"),
        (('inbox_dir = "inbox"\n', ""), "the key `inbox_dir` is missing"),
        (("picamera2", "webcam"), "`camera.source`"),
        (("[camera]", "[page]\nhost = '0.0.0.0'\n[camera]"), "`page.host`"),
        (("[device]", "[device"), "not valid TOML"),
        (("hall-1", "Hall 1"), "`device.device`"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    file = written(tmp_path, TERMINAL.replace(*change))

    with pytest.raises(ConfigError) as refused:
        load(TerminalConfig, file)

    assert says in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="anxin provision dev"):
        load(TerminalConfig, tmp_path / "terminal.toml")


def test_a_first_wait_longer_than_the_longest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="first_s must not be longer"):
        load(UplinkConfig, written(tmp_path, UPLINK + "[retry]\nfirst_s = 500\nmost_s = 5\n"))
