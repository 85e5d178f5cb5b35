"""Every kept input ends in a value or in its parser's one error; so do a few new ones."""

from __future__ import annotations

import pytest

from support.fuzz import CORPUS, Campaign, Parser, TooLong, kept
from support.fuzz_parsers import PARSERS

NEW = 20  # mutations beside what is kept; `make fuzz-parsers` makes millions


@pytest.mark.parametrize("name", PARSERS)
def test_what_is_kept_ends_well(name: str) -> None:
    campaign = Campaign(name, PARSERS[name], seed=1)
    campaign.run(len(PARSERS[name].seeds) + len(kept(name)) + NEW)
    assert not campaign.found, campaign.found[0]


def test_the_corpus_is_of_parsers_that_exist() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= set(PARSERS)
    assert len(PARSERS) > 30


def _trips(data: bytes) -> int:
    if b"}}" in data:
        raise KeyError("a fault")
    if data[:1] != b"{":
        raise ValueError("must begin with a brace")
    return len(data)


def test_a_planted_fault_is_found_and_a_seed_says_it_again() -> None:
    parser = Parser(_trips, (ValueError,), (b"{a}", b"b"))
    found = [Campaign("planted", parser, seed) for seed in (7, 7)]
    for campaign in found:
        campaign.run(4000)
    assert [one.data for one in found[0].found] == [one.data for one in found[1].found]
    assert isinstance(found[0].found[0].error, KeyError)


def test_an_input_that_takes_for_ever_is_a_failure() -> None:
    def hang(data: bytes) -> None:
        while data != b"y":
            pass

    campaign = Campaign("hang", Parser(hang, (), (b"y",)), seed=1, most=1, limit_s=0.05)
    campaign.run(100)
    assert isinstance(campaign.found[0].error, TooLong)
