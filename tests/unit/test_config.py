"""A run's settings: presets, bounds, and the way to a file and back."""

import json
import math
from dataclasses import asdict, fields

import pytest

from rlhf_app.errors import BadInput
from rlhf_app.training.config import PRESETS, TrainingConfig, configured, from_dict


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fills_in_its_settings(preset: str) -> None:
    config = asdict(configured(preset))
    assert config["preset"] == preset
    assert {name: config[name] for name in PRESETS[preset]} == PRESETS[preset]


def test_what_is_given_wins_over_the_preset_and_none_is_not_given() -> None:
    config = configured("quick", dataset="mine", epochs=0.5, learning_rate=None)
    assert (config.dataset, config.epochs) == ("mine", 0.5)
    assert config.learning_rate == PRESETS["quick"]["learning_rate"]


def test_zero_is_given() -> None:
    assert configured("balanced", frozen_layers=0, seed=0).frozen_layers == 0


def test_an_unknown_preset_is_answered_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="'slow'; it is one of quick, balanced, full"):
        configured("slow")


BOUNDED = [each.name for each in fields(TrainingConfig) if "minimum" in each.metadata]


@pytest.mark.parametrize("name", BOUNDED)
def test_a_number_may_be_at_its_bounds_and_not_beyond(name: str) -> None:
    rules = next(each.metadata for each in fields(TrainingConfig) if each.name == name)
    for allowed in (rules["minimum"], rules["maximum"]):
        assert getattr(configured(**{name: allowed}), name) == allowed
    for beyond in (rules["minimum"] - 1, rules["maximum"] * 2 + 1, math.nan, math.inf):
        with pytest.raises(BadInput, match=rf"{name} is .*; it goes from"):
            configured(**{name: beyond})


def test_a_choice_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="split_by is 'luck'; it is one of auto, prompt, topic"):
        configured(split_by="luck")


def test_a_config_comes_back_from_json_as_it_was() -> None:
    config = configured("full", dataset="mine", held_out_topics=("law", "art"), epochs=0.5)
    assert from_dict(json.loads(json.dumps(asdict(config)))) == config


def test_a_setting_that_nobody_knows_is_named() -> None:
    with pytest.raises(BadInput, match="Unknown settings: magic, more"):
        from_dict({"dataset": "mine", "more": 1, "magic": 2})


def test_every_setting_says_what_it_is() -> None:
    assert all(each.metadata["help"] for each in fields(TrainingConfig))
