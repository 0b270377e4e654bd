"""Topics are built and read strictly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import UntrustedError
from edge.wire.topics import Kind, Topic, build, every_device, parse

names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)


@given(names, names, st.sampled_from(Kind))
def test_every_topic_reads_as_it_was_built(site: str, device: str, kind: Kind) -> None:
    assert parse(build(site, device, kind)) == Topic(site, device, kind)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anxin/v1/a/b/up/result/",
        "/anxin/v1/a/b/up/result",
        "anxin/v2/a/b/up/result",
        "anxin/v1/+/b/up/result",
        "anxin/v1/a/#",
        "anxin/v1/a/b/up/nothing",
        "anxin/v1/a/b\n/up/result",
        "anxin/v1/A/b/up/result",
        "anxin/v1/" + "a" * 64 + "/b/up/result",
        "anxin/v1/" + "a/" * 9999,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UntrustedError):
        parse(text)


def test_a_name_with_a_wildcard_is_never_built() -> None:
    with pytest.raises(ValueError, match="lower-case"):
        build("a", "#", Kind.RESULT)


def test_the_office_hears_every_terminal() -> None:
    assert every_device(Kind.RESULT) == "anxin/v1/+/+/up/result"
