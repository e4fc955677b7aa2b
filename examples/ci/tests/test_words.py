"""Tests of the flow run without a server and leave nothing behind."""

from pathlib import Path

from nadi import Flow
from nadi.testing import nadi_test_harness

# Loaded as a worker loads it.
word_count = Flow.from_source(Path(__file__).parent.parent, "flows/words.py:word_count")


def test_words_are_counted() -> None:
    with nadi_test_harness():
        assert word_count("to be or not to be", least=2) == {"to": 2, "be": 2}
