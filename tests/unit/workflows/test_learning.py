"""A run's folder follows what decides its outcome, so the trainer is never led into a folder it must refuse."""

from app.workflows.training_runs import name_run

BASE, CONFIG = '{"revision": "r1"}', "rank: 8"


def test_the_same_round_finds_its_folder_again() -> None:
    name = name_run(7, "ds1:abc", [BASE, CONFIG])
    assert name == name_run(7, "ds1:abc", [BASE, CONFIG])
    assert name.startswith("7-ds1-abc-")
    assert ":" not in name


def test_another_base_or_configuration_is_another_run() -> None:
    texts = ([BASE, CONFIG], [BASE, "rank: 16"], ['{"revision": "r2"}', CONFIG], [BASE], [BASE, CONFIG, ""])
    assert len({name_run(7, "ds1:abc", given) for given in texts}) == len(texts)
