"""Reports and the gate's policy: figures with intervals, and the versions and hashes they were measured on."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from app.domain.adapters import BaseCheckpoint
from app.domain.base import Record


class Figure(Record):
    """A measured value, its 95 % interval, and the number of rows it stands on."""

    value: float
    low: float
    high: float
    n: int


class Arm(Record):
    """One way of making the review, measured. None means not measured, never zero."""

    nll: Figure | None = None
    location_hit: Figure | None = None
    false_alarm: Figure | None = None
    schema_valid: Figure | None = None
    stop: Figure | None = None
    style_distance: Figure | None = None
    #: the same issue as the reference comment: by the judge where `EvalReport.judge` names one, else by shared words
    same_issue: Figure | None = None
    # Where, apart from what is said there. Top: the five likeliest lines of each pull request.
    line_auc: Figure | None = None
    top_precision: Figure | None = None
    top_recall: Figure | None = None
    #: expected calibration error of the line probabilities, 0..1
    calibration: Figure | None = None
    # The judge's rubric, 1..5. Advice for a reader: no gate rests on it, for judges agree too little on it.
    correctness: Figure | None = None
    adherence: Figure | None = None
    completeness: Figure | None = None


class JudgeRecord(Record):
    """Who judged. `agreement`: share of cases in which both orders of presentation got the same answer."""

    name: str
    endpoint: Literal["anthropic", "local"]
    agreement: Figure | None
    asked: int
    from_cache: int
    #: answers that were of no agreed shape, or never came; their rows count as not judged
    unanswered: int


class Forgetting(Record):
    """What the base could do that is no review. Vectors are aligned by problem, so that two reports pair.

    `humaneval`, `mbpp`: passed by real execution. `solutions_nll`, `general_nll`: teacher-forced nats per token of
    canonical solutions and of a frozen general text, for bases too small to pass anything. `not_measured`: the
    measure and why not. `texts`: by measure, the hash of what was asked; only equal ones pair.
    """

    sandbox: str | None = None
    humaneval: tuple[bool, ...] = ()
    mbpp: tuple[bool, ...] = ()
    solutions_nll: tuple[float, ...] = ()
    general_nll: tuple[float, ...] = ()
    texts: dict[str, str] = Field(default_factory=dict)
    not_measured: dict[str, str] = Field(default_factory=dict)


class CanaryRecord(Record):
    """Strings that were asked for, and those that came out. A canary is a string that only one training row holds."""

    planted: int
    extracted: tuple[str, ...]
    method: str


class AcceptanceRecord(Record):
    """The AcceptanceFilter on held-out outcomes: shares with Wilson intervals, None where there was nothing to share.

    `kept`: comments that were acted on and pass. `precision`: passing comments that were acted on. `base_rate`: all
    comments that were acted on, which is the precision without a filter.
    """

    kept: Figure | None
    precision: Figure | None
    base_rate: Figure | None


class RegressionRecord(Record):
    """The pinned prompts of an installation: id of the set, and per prompt whether the reference's issue was named."""

    set_id: str
    prompts: tuple[str, ...]
    passed: tuple[bool, ...]
    answers: tuple[str, ...]


class SpotCheck(Record):
    """A person's blind verdict on pairs of answers: how many of each side that person would not have shipped."""

    by: str
    at: datetime
    suite: str
    adapter: str
    pairs: int
    refused_adapter: int
    refused_base: int


class Sample(Record):
    """A held-out row that was answered: the user's turn of its prompt, and what the team said."""

    example: str
    prompt: str
    reference: str


class EvalReport(Record):
    """Everything the gate may look at. `paired` holds per-row completion NLL by arm, aligned by row.

    `precision` is how the weights were held, `engine` what multiplied them: "transformers …" in the trainer's process,
    "vllm …" as served. Only reports of one engine and one precision compare.
    """

    schema_version: Literal["eval/1"] = "eval/1"
    engine: str = "transformers"
    suite: str
    prompt_version: str
    base: BaseCheckpoint
    adapter: str | None
    precision: str
    arms: dict[str, Arm]
    rows: tuple[str, ...]
    #: by row, the pull request that it is of; a report without them is older, and its rows count as one each
    pull_requests: tuple[str, ...] = ()
    paired: dict[str, tuple[float, ...]]
    #: for an arm in `paired` that was scored on fewer rows: which
    scored: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    packages: dict[str, str]
    code_commit: str
    seconds: float
    created_at: datetime
    notes: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()
    #: by arm, one greedy answer per sample
    answers: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    judge: JudgeRecord | None = None
    forgetting: Forgetting | None = None
    canaries: CanaryRecord | None = None
    regression: RegressionRecord | None = None
    acceptance: AcceptanceRecord | None = None

    @model_validator(mode="after")
    def _check_pull_requests(self) -> Self:
        if self.pull_requests and len(self.pull_requests) != len(self.rows):
            raise ValueError(f"pull_requests: expected one for each of {len(self.rows)} rows")
        return self


class GatePolicy(Record):
    """Thresholds, fixed before the run. Shares are 0..1. The numbers are those of the practitioners' guides."""

    #: relative drop of held-out completion NLL against the base with the same prompt; its lower bound must clear it
    nll_lift: float = 0.15
    #: NLL of the same comments under another row's hunk minus NLL under their own, nats per token; lower bound above
    hunk_dependence: float = 0.0
    heldout_rows: int = 12
    #: rows of an arm, or pull requests of a Locator's figure, below which resampling says nothing
    least_rows: int = 8
    #: arms without an adapter that must be measured and beaten: prompting is cheaper than weights
    must_beat: tuple[str, ...] = ("retrieval",)
    #: arms that must be beaten wherever they were measured
    beat_if_measured: tuple[str, ...] = ("prompt", "few_shot", "random_subset", "inverted", "shuffled")
    false_alarm: float = 0.10
    #: shares of greedy answers that have the agreed shape, and that end by themselves, without any constraint while
    #: decoding. The server enforces the shape, so there it is 1; below this it would fight the adapter for it.
    schema_valid: float = 0.9
    stop: float = 0.9
    #: nats per token that the candidate may be worse than the adapter in use, by the interval's lower bound
    current_loss: float = 0.02
    #: share of programs (HumanEval, MBPP) that may be lost, by the lower bound of the paired difference
    forgotten_programs: float = 0.05
    #: relative rise of the NLL of canonical solutions and of general text; no guide gives a limit for it, see
    #: docs/experiments.md for what it tells apart
    forgotten_nll: float = 0.15
    #: pinned prompts that passed before and fail now
    regressions: int = 2
    #: share of a spot check's answers by the adapter that the person would not have shipped
    spot_refused: float = 0.15
    #: without a person's verdict: hold, or go by the figures
    spot_check: Literal["if_given", "required"] = "if_given"
    #: figures must come from the server that will answer, not from the trainer's own process
    served: bool = False
    #: nats per token, mean over rows, that server and trainer may differ on the same rows
    served_gap: float = 0.05
    # Advice: said in the report, decides nothing.
    adherence_gain: float = 0.15
    correctness: float = 4.0


class Reason(Record):
    """One check of the gate, spelled out. A check that could not be measured has not passed, but is no harm either.

    `advisory`: for the reader; the verdict does not look at it.
    """

    check: str
    passed: bool
    text: str
    measured: bool = True
    advisory: bool = False


class GateDecision(Record):
    schema_version: Literal["gate/1"] = "gate/1"
    verdict: Literal["promote", "hold", "reject"]
    reasons: tuple[Reason, ...]
    policy: GatePolicy
    adapter: str | None
    suite: str
