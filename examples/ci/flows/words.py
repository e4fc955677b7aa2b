"""A flow that is deployed by CI: see ../nadi.toml."""

from collections import Counter

from nadi import flow, task


@task
def words(text: str) -> list[str]:
    return text.lower().split()


@task
def counted(found: list[str], least: int) -> dict[str, int]:
    return {word: times for word, times in Counter(found).items() if times >= least}


@flow
def word_count(text: str, least: int = 1) -> dict[str, int]:
    """Count the words of a text.

    Args:
        text: What to count in.
        least: Leave out words that come up less often.
    """
    return counted(words(text), least)
