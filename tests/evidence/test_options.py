"""Options that scripts share."""

import argparse
import gc

import pytest

from evidence.options import SHARED, add_figures, add_options


def parser(*names: str) -> argparse.ArgumentParser:
    result = argparse.ArgumentParser()
    add_options(result, *names)
    return result


def test_a_script_has_the_options_it_asks_for_and_no_others():
    assert vars(parser("--threads", "--device").parse_args([])) == {"threads": 1, "device": "auto"}
    with pytest.raises(SystemExit):
        parser("--threads").parse_args(["--device", "cpu"])


def test_a_seed_and_a_number_of_replicates_have_no_default():
    given = ["--seed", "3", "--replicates", "2"]
    args = parser("--seed", "--replicates").parse_args(given)
    assert (args.seed, args.replicates) == (3, 2)
    for missing in (given[:2], given[2:]):
        with pytest.raises(SystemExit):
            parser("--seed", "--replicates").parse_args(missing)


def test_what_figures_show_is_json():
    args = parser("--shown").parse_args(["--shown", '{"snr_db": 1}'])
    assert args.shown == {"snr_db": 1}


def test_every_option_says_what_it_is():
    assert all(option["help"] for option in SHARED.values())


def test_a_script_that_draws_takes_several_files():
    result = argparse.ArgumentParser()
    add_figures(result)
    assert result.parse_args(["--output", "a.png", "a.svg"]).output == ["a.png", "a.svg"]


def test_a_script_ends_without_a_search_for_garbage():
    """At exit Python visits every object: half a second after torch and pandas."""
    gc.unfreeze()
    add_options(argparse.ArgumentParser(), "--seed")
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
