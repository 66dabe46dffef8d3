"""The 24 ways to fail that users of fine-tuning report, where each is caught, and the test that plants it.

`python -m training.preflight.failure_modes` prints docs/failure-modes.md; a test holds that document, every check and
every test named here to what there is.
"""

import sys
from typing import Literal, NamedTuple

Moment = Literal["before training", "in training", "after training", "at the gate", "at load", "while serving"]


class FailureMode(NamedTuple):
    """`checks` as `module:name`, `tests` as `file::name` from the checkout; the first test plants the failure."""

    number: int
    failure: str
    checks: tuple[str, ...]
    tests: tuple[str, ...]
    moments: tuple[Moment, ...]


_UNIT, _SERVING = "tests/unit/training/preflight", "tests/unit/serving"
_CHECKS, _ROUND = f"{_UNIT}/test_checks.py", "tests/integration/training/test_round.py"
_TOKENS = "tests/integration/training/test_tokens.py"
_PREFERENCES = "tests/unit/training/rows/test_preferences.py"
_BEFORE: tuple[Moment, ...] = ("before training",)
_LOAD: tuple[Moment, ...] = ("at load",)

FAILURE_MODES: tuple[FailureMode, ...] = (
    FailureMode(
        1,
        "The chat template of training and of serving differ",
        ("serving.goldens:compare_goldens", "training.base.goldens:check_goldens", "app.domain.adapters:check_base"),
        (
            f"{_SERVING}/test_controller.py::test_a_server_whose_tokenizer_changed_gets_no_adapter",
            f"{_UNIT}/test_goldens.py::test_a_changed_template_is_named",
        ),
        ("before training", "at load"),
    ),
    FailureMode(
        2,
        "The end token is never learnt",
        ("training.preflight.checks:check_endings", "training.rows.tokenising:Tokenizer.row"),
        (f"{_CHECKS}::test_an_end_that_is_not_trained_is_refused",),
        _BEFORE,
    ),
    FailureMode(
        3,
        "Nothing of a row is trained, and the loss looks fine",
        ("training.preflight.checks:check_trained_share",),
        (f"{_CHECKS}::test_a_row_without_a_trained_token_is_refused",),
        _BEFORE,
    ),
    FailureMode(
        4,
        "The template closes a turn with another token than the trained one",
        ("training.preflight.checks:check_turn_end",),
        (f"{_CHECKS}::test_another_turn_end_than_the_trained_one_is_refused",),
        _BEFORE,
    ),
    FailureMode(
        5,
        "Cutting to a length removes the answer; rows vanish unseen",
        ("training.preflight.rows_check:preflight", "training.preflight.checks:check_lengths"),
        (
            f"{_TOKENS}::test_mostly_too_long_is_refused_with_the_count",
            f"{_CHECKS}::test_rows_over_length_are_told",
        ),
        _BEFORE,
    ),
    FailureMode(
        6,
        "The prompt's tokens do not open the tokens of prompt and answer",
        ("training.rows.tokenising:Tokenizer.row",),
        (f"{_TOKENS}::test_a_template_that_hides_the_prompt_is_refused",),
        _BEFORE,
    ),
    FailureMode(
        7,
        "Rows of a batch see each other",
        ("training.preflight.longest_batch:check_independence",),
        (f"{_UNIT}/test_longest_batch.py::test_rows_that_see_each_other_are_refused",),
        _BEFORE,
    ),
    FailureMode(
        8,
        "More than LoRA was trained, or the vocabulary resized: the server refuses the adapter",
        ("training.recipes.adapter_files:check_servable", "training.preflight.checks:check_vocabulary"),
        (
            "tests/unit/training/recipes/test_adapter_files.py::test_other_tensors_are_refused",
            f"{_CHECKS}::test_a_tokenizer_larger_than_the_base_is_refused",
        ),
        ("before training", "after training", "at load"),
    ),
    FailureMode(
        9,
        "The rank is above what the servers hold",
        ("training.preflight.checks:check_rank", "serving.lora:check_config"),
        (
            f"{_CHECKS}::test_a_rank_above_the_servers_is_refused",
            f"{_SERVING}/test_lora.py::test_refuses_what_would_be_served_as_something_else",
        ),
        ("before training", "at load"),
    ),
    FailureMode(
        10,
        "DoRA, PiSSA, LoftQ or trained biases, which vLLM does not compute",
        ("training.recipes.adapter_files:check_servable", "serving.lora:check_config"),
        (
            "tests/unit/training/recipes/test_adapter_files.py::test_what_vllm_refuses_is_refused_here",
            f"{_SERVING}/test_lora.py::test_refuses_what_would_be_served_as_something_else",
        ),
        ("after training", "at load"),
    ),
    FailureMode(
        11,
        "The adapter loads and does nothing",
        ("serving.probe:check_report",),
        (
            "tests/integration/serving/test_serving.py::test_an_adapter_without_effect_is_quarantined",
            f"{_SERVING}/test_decisions.py::test_a_probe_proves_base_adapter_and_effect",
        ),
        _LOAD,
    ),
    FailureMode(
        12,
        "The server's answers are not those of the training's libraries",
        ("serving.probe:check_report",),
        (
            "tests/integration/serving/test_serving.py::test_weights_that_are_not_those_of_the_probe_are_quarantined",
            f"{_SERVING}/test_decisions.py::test_a_probe_proves_base_adapter_and_effect",
        ),
        _LOAD,
    ),
    FailureMode(
        13,
        "A hot reload keeps weights or cache entries of the one before",
        ("serving.folder:read_manifest", "app.domain.adapters:AdapterManifest.name"),
        (
            f"{_SERVING}/test_folder.py::test_refuses_another_name_for_the_same_content",
            "tests/integration/serving/test_serving.py::test_two_adapters_answer_each_as_itself",
        ),
        _LOAD,
    ),
    FailureMode(
        14,
        "`load_inplace` reads the disk at every step",
        ("serving.engine:Engine.load",),
        (f"{_SERVING}/test_controller.py::test_weights_are_loaded_once_from_a_place_of_their_own",),
        _LOAD,
    ),
    FailureMode(
        15,
        "Another base, or another revision of it",
        ("app.domain.adapters:check_base", "serving.folder:read_base", "training.base.making:load_base"),
        (
            f"{_SERVING}/test_folder.py::test_refuses_a_base_of_another_revision",
            f"{_SERVING}/test_folder.py::test_refuses_a_base_that_was_changed",
        ),
        ("before training", "at load"),
    ),
    FailureMode(
        16,
        "PEFT's file names another base than the served one, so that it is not found",
        ("serving.folder:prove",),
        (f"{_SERVING}/test_folder.py::test_refuses_an_adapter_that_names_another_base_itself",),
        _LOAD,
    ),
    FailureMode(
        17,
        "An upgrade changes the tokenizer's ids",
        ("training.base.goldens:check_goldens", "serving.goldens:compare_goldens"),
        (
            f"{_UNIT}/test_goldens.py::test_a_changed_id_is_named",
            f"{_UNIT}/test_goldens.py::test_the_embedded_tokenizer_is_the_published_one",
            f"{_SERVING}/test_controller.py::test_a_server_whose_tokenizer_changed_gets_no_adapter",
        ),
        ("before training", "at load"),
    ),
    FailureMode(
        18,
        "Trained on 4-bit weights, served on others, judged on the former",
        ("training.gate.deciding:decide_promotion", "serving.probe:check_report"),
        ("tests/unit/training/test_gate.py::test_reports_of_different_things_do_not_compare",),
        ("at the gate", "at load"),
    ),
    FailureMode(
        19,
        "Memory runs out: long rows, scores of the vocabulary, a prompt while serving",
        (
            "training.preflight.checks:check_memory",
            "training.preflight.longest_batch:try_batches",
            "serving.engine:render_command",
        ),
        (
            f"{_UNIT}/test_longest_batch.py::test_a_batch_that_does_not_fit_is_refused",
            f"{_CHECKS}::test_more_memory_than_there_is_is_refused",
            f"{_SERVING}/test_decisions.py::test_vllm_is_started_as_a_module_with_the_template_of_the_base",
        ),
        ("before training", "while serving"),
    ),
    FailureMode(
        20,
        "A resume starts over, with other rows, or with weights that the optimiser does not hold",
        ("training.process.runkey:claim_folder", "training.recipes.resuming:HeldWeights"),
        (
            "tests/unit/training/recipes/test_resuming.py"
            "::test_an_optimiser_with_the_models_own_tensors_may_begin_and_another_may_not",
            "tests/unit/training/process/test_run_folder.py::test_another_training_is_refused_by_the_field_that_differs",
            f"{_ROUND}::test_a_killed_round_goes_on_and_ends_the_same",
        ),
        ("in training",),
    ),
    FailureMode(
        21,
        "Adapters are gone after the server restarted",
        ("serving.controller:decide_reconcile",),
        (
            "tests/integration/serving/test_serving.py::test_after_a_kill_of_vllm_the_adapters_are_back",
            f"{_SERVING}/test_decisions.py::test_reconcile_loads_what_is_missing_and_unloads_strangers",
        ),
        ("while serving",),
    ),
    FailureMode(
        22,
        "Nearly all labels of a preference training are the same",
        ("training.preflight.checks:check_labels", "training.rows.preferences:decide_balance"),
        (
            f"{_CHECKS}::test_labels_of_one_kind_are_refused",
            f"{_PREFERENCES}::test_the_weights_bring_both_kinds_near_each_other",
        ),
        _BEFORE,
    ),
    FailureMode(
        23,
        "The beginning-of-text token stands twice",
        ("training.preflight.checks:check_openings",),
        (f"{_CHECKS}::test_a_doubled_beginning_is_refused",),
        _BEFORE,
    ),
    FailureMode(
        24,
        "An answer under a grammar never stops, or is cut in its JSON",
        (
            "training.preflight.checks:check_answers",
            "training.preflight.tokens_histogram:decide_answer_tokens",
            "app.domain.prompt:parse_completion",
        ),
        (f"{_CHECKS}::test_too_little_room_for_an_answer_is_told",),
        ("before training", "while serving"),
    ),
)


def render_document() -> str:
    """docs/failure-modes.md."""
    lines = [
        "# How trainings fail, and where each failure is caught",
        "",
        "Users of fine-tuning report these failures; most raise no error by themselves. Each has an automatic",
        "check, and a test that plants the failure and sees it caught. This page is written by",
        "`.venv/bin/python -m training.preflight.failure_modes`; a test holds it to the code.",
        "",
        "| # | failure | when | check | test that plants it |",
        "|---|---|---|---|---|",
    ]
    for mode in FAILURE_MODES:
        checks = ", ".join(f"`{check.replace(':', '.')}`" for check in mode.checks)
        tests = ", ".join(f"`{test.rsplit('::', 1)[1]}`" for test in mode.tests)
        lines.append(f"| {mode.number} | {mode.failure} | {', '.join(mode.moments)} | {checks} | {tests} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render_document())
