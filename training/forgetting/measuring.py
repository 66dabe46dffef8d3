"""The one entry: everything about forgetting that one side of a comparison is asked."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from app.domain.evals import Forgetting
from app.domain.prompt import Message
from training.config import TrainingConfig
from training.forgetting.jail import NoSandbox
from training.forgetting.passages import hash_passages, passage_rows, read_passages, solution_rows
from training.forgetting.problems import Problem, hash_problems, load_humaneval, load_mbpp, thin
from training.forgetting.programs import extract_program, render_question
from training.forgetting.sandbox import Sandbox, find_sandbox
from training.rows.tokenising import Tokenizer, TokenRow

#: How `Forgetting.not_measured` begins where the configuration says not to measure.
OFF = "off: "


class Said(Protocol):
    @property
    def text(self) -> str: ...


class Answering(Protocol):
    """Weights in this process, or a server."""

    def answers(self, prompts: Sequence[Sequence[Message]], limit: int) -> Sequence[Said]:
        """The most likely answer to each prompt, at most `limit` tokens, in order."""


class Scoring(Answering, Protocol):
    def logprobs(self, rows: Sequence[TokenRow]) -> Sequence[float]:
        """Mean log-probability per completion token (nats), one per row, in order."""


def measure_forgetting(
    scorer: Scoring, tokenizer: Tokenizer, config: TrainingConfig, *, find: Callable[[], Sandbox] = find_sandbox
) -> Forgetting:
    """Ask one side. What was not measured is named with its reason, switched off or impossible.

    Raises:
        UserError: when the problems of HumanEval are not installed, or `mbpp` names no file of problems.
    """
    sheet = _Sheet(scorer)
    problems = load_humaneval() if config.forgetting_problems or config.forgetting_programs else []
    known = thin(problems, config.forgetting_problems)
    sheet.score("solutions_nll", solution_rows(tokenizer, known), hash_problems(known), "forgetting_problems")
    passages = read_passages(config.forgetting_passages)
    sheet.score("general_nll", passage_rows(tokenizer, passages), hash_passages(passages), "forgetting_passages")
    asked = {
        "humaneval": thin(problems, config.forgetting_programs),
        "mbpp": thin(load_mbpp(Path(config.mbpp)), config.forgetting_programs) if config.mbpp else [],
    }
    sheet.run(asked, config.forgetting_answer_tokens, find)
    return sheet.written()


class _Sheet:
    """What is known so far of one side."""

    def __init__(self, scorer: Scoring) -> None:
        self._scorer = scorer
        self._sandbox: str | None = None
        self._vectors: dict[str, tuple[bool, ...] | tuple[float, ...]] = {}
        self._texts: dict[str, str] = {}
        self._not_measured: dict[str, str] = {}

    def score(self, name: str, rows: Sequence[TokenRow], texts: str, key: str) -> None:
        if not rows:
            self._not_measured[name] = f"{OFF}{key} is 0"
            return
        self._vectors[name] = tuple(round(-value, 6) for value in self._scorer.logprobs(rows))
        self._texts[name] = texts

    def run(self, asked: dict[str, list[Problem]], limit: int, find: Callable[[], Sandbox]) -> None:
        """Programs that the answers stand for, in the sandbox or not at all."""
        for name in (name for name, problems in asked.items() if not problems):
            self._not_measured[name] = f"{OFF}forgetting_programs is 0, or no file of problems is named"
        wanted = {name: problems for name, problems in asked.items() if problems}
        try:
            sandbox = find() if wanted else None
            for name, problems in wanted.items():
                if sandbox is not None:
                    self._sandbox = sandbox.name
                    self._vectors[name] = self._pass(sandbox, problems, limit)
                    self._texts[name] = hash_problems(problems)
        except NoSandbox as error:
            self._not_measured |= {name: f"no sandbox: {error}" for name in wanted if name not in self._vectors}

    def _pass(self, sandbox: Sandbox, problems: list[Problem], limit: int) -> tuple[bool, ...]:
        answers = self._scorer.answers([render_question(problem) for problem in problems], limit)
        programs = [extract_program(problem, said.text) for problem, said in zip(problems, answers, strict=True)]
        attempts = [problem.attempt(program) for problem, program in zip(problems, programs, strict=True)]
        return tuple(sandbox.judge_all(attempts))

    def written(self) -> Forgetting:
        return Forgetting.model_validate(
            {
                "sandbox": self._sandbox,
                "texts": self._texts,
                "not_measured": self._not_measured,
                **self._vectors,
            }
        )
