"""A fault is said once, and again only after it had cleared."""

import logging

import pytest

from edge.runtime.faults import MOST, FaultLog


def test_a_standing_fault_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    faults = FaultLog(logging.getLogger("test"))
    with caplog.at_level(logging.INFO):
        for _ in range(10):
            faults.stands("broker", "The broker is away.")
        faults.clears("broker", "It is back.")
        faults.clears("broker", "It is back.")
        faults.stands("broker", "The broker is away.")
    assert [record.message for record in caplog.records] == [
        "The broker is away.",
        "It is back.",
        "The broker is away.",
    ]


def test_who_makes_up_endless_faults_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    faults = FaultLog(logging.getLogger("test"))
    with caplog.at_level(logging.WARNING):
        for number in range(3 * MOST):
            faults.stands(str(number), "Refused.")
    assert len(caplog.records) == MOST
