import pytest
import yaml

from mrd.core.errors import SettingsError
from mrd.core.settings import STAGES, Settings, check_settings, default_yaml, settings_digest, stage_of


def test_the_default_yaml_gives_the_default_settings():
    assert check_settings(yaml.safe_load(default_yaml())) == Settings()


def test_every_setting_belongs_to_a_stage_and_says_what_it_means():
    for name, field in Settings.model_fields.items():
        assert stage_of(name) in STAGES
        assert field.description


def test_all_wrong_settings_are_told_in_one_line():
    with pytest.raises(SettingsError, match=r"threshold = 2: .*less than 1; tresh is not a setting") as error:
        check_settings({"tresh": 1, "threshold": 2})
    assert "\n" not in str(error.value)


def test_a_digest_moves_with_its_own_stage_only():
    moved = Settings(threshold=1e-4)
    assert settings_digest(moved, "call") != settings_digest(Settings(), "call")
    assert settings_digest(moved, "prepare", "laip") == settings_digest(Settings(), "prepare", "laip")
