"""The comparison with other libraries: a worker that ends is told in a sentence."""

import sys
from pathlib import Path

import pytest

from tests.bench.peers.process import Worker, WorkerError

SAYS_READY = "import json, sys; print(json.dumps({'ready': True, 'works': ['landmarks']}), flush=True); "


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("sys.stdin.readline(); sys.exit('out of memory')", "other ended: out of memory"),
        ("print('hello', flush=True); sys.stdin.read()", "other answered with something that is no JSON"),
    ],
)
def test_a_worker_that_fails_in_mid_turn_is_told_in_a_sentence(tmp_path: Path, then: str, said: str) -> None:
    runner = (sys.executable, "-c", SAYS_READY + then)
    worker = Worker("other", runner, tmp_path / "photo", (1, 1), tmp_path / "log").start()
    try:
        with pytest.raises(WorkerError) as told:
            worker.ask(work="landmarks", rounds=1)
        assert str(told.value) == said
    finally:
        worker.stop()
