"""The figures of the server itself: those of the trainer's process within rounding; and the questions of a judge."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import anthropic
import httpx2
import pytest

from app.domain.adapters import AdapterManifest
from app.domain.errors import Refused, RetryLater, UserError
from app.domain.evals import GatePolicy
from app.domain.serving import BASE_NAME
from app.inference.adapter_control import AdapterControl
from serving.probe import TOLERANCES
from tests.serving_fixture import ServingProcess, make_adapter
from tests.training_data import write_snapshot
from training.base.making import load_base
from training.base.tokens import load_tokenizer
from training.config import resolve_config
from training.confirm import Confirmation, confirm_run
from training.evaluation.examining import Examination, evaluate
from training.evaluation.judging.asking import Asker
from training.evaluation.judging.questions import ANSWERS, Case, ask_rating, ask_same_issue
from training.evaluation.judging.settings import JudgeSettings
from training.evaluation.scoring import Scorer
from training.evaluation.served import Served, ServedScorer
from training.gate.deciding import decide_promotion
from training.process.files import save_record
from training.process.progress import Progress
from training.process.runkey import claim_folder, make_key
from training.rows.snapshot import Snapshot, load_snapshot
from training.rows.tokenising import encode_comment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder: Path = tmp_path_factory.mktemp("served") / "snapshot"
    write_snapshot(folder, train_pulls=2, heldout_pulls=2)
    return load_snapshot(folder)


@pytest.fixture(scope="module")
def adapter(
    serving: ServingProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, AdapterManifest]]:
    folder: Path = tmp_path_factory.mktemp("served-adapter")
    manifest = make_adapter(serving.base, folder, seed=101)

    async def load() -> None:
        async with AdapterControl(serving.url, serving.control_key) as control:
            await control.load(manifest.name, folder)

    async def unload() -> None:
        async with AdapterControl(serving.url, serving.control_key) as control:
            await control.unload(manifest.name)

    asyncio.run(load())
    for placeholder in ("locator.skops", "filter.skops"):  # only the server takes them; without, one is fitted or none
        (folder / placeholder).unlink()
    yield folder, manifest
    asyncio.run(unload())


def _served(serving: ServingProcess, name: str = BASE_NAME, key: str | None = None) -> Served:
    return Served(serving.url, key or serving.read_key, name, pauses=())


def test_the_server_scores_as_the_trainer_does(
    serving: ServingProcess, adapter: tuple[Path, AdapterManifest], snapshot: Snapshot
) -> None:
    tokenizer, checkpoint = load_tokenizer(serving.base), load_base(serving.base)
    rows = [encode_comment(tokenizer, row) for row in snapshot.comments("heldout")]
    folder, manifest = adapter
    here = Scorer(serving.base, folder, tokenizer)
    with ServedScorer(_served(serving, manifest.name), checkpoint, tokenizer) as there:
        assert there.name.startswith("vllm 0.")
        assert there.precision == here.precision == "bfloat16"
        adapted = there.logprobs(rows)
        assert adapted == pytest.approx(here.logprobs(rows), abs=TOLERANCES["bfloat16"] / 2)
    with ServedScorer(_served(serving), checkpoint, tokenizer) as bare, here.without_adapter():
        plain = bare.logprobs(rows)
        assert plain == pytest.approx(here.logprobs(rows), abs=TOLERANCES["bfloat16"] / 2)
    assert max(abs(one - other) for one, other in zip(adapted, plain, strict=True)) > 0.05
    answers = _answers(serving, snapshot)
    assert len(answers) == 8
    assert not any(stopped for _, stopped in answers), "random weights do not end by themselves"
    assert all(text for text, _ in answers)


def _answers(serving: ServingProcess, snapshot: Snapshot) -> list[tuple[str, bool]]:
    heard: list[int] = []
    with ServedScorer(_served(serving), load_base(serving.base), load_tokenizer(serving.base)) as scorer:
        prompts = [row.prompt for row in snapshot.comments("heldout")]
        answers = scorer.answers(prompts, 6, lambda done, total: heard.append(done))
        assert scorer.answers(prompts, 6) == answers
    assert heard == list(range(1, 9))
    return [(answer.text, answer.stopped) for answer in answers]


def test_a_report_says_what_served_it(
    serving: ServingProcess, adapter: tuple[Path, AdapterManifest], snapshot: Snapshot
) -> None:
    folder, manifest = adapter
    small = {"generated_rows": 2, "answer_tokens": 4, "threads": 1}
    report = evaluate(
        Examination(
            snapshot=snapshot,
            base=serving.base,
            checkpoint=load_base(serving.base),
            config=resolve_config("smoke").config.model_copy(update=small),
            adapter=folder,
            served=_served(serving, manifest.name),
        ),
        Progress(None),
    )
    assert report.engine.startswith("vllm 0.")
    assert report.precision == "bfloat16"
    assert report.adapter == manifest.name
    assert set(report.paired) == {"candidate", "other_hunk"}


def test_a_server_that_is_not_the_one_meant_is_refused(serving: ServingProcess, tmp_path: Path) -> None:
    tokenizer, checkpoint = load_tokenizer(serving.base), load_base(serving.base)
    with pytest.raises(UserError, match="to be served at"):
        ServedScorer(_served(serving, "7--0123456789ab"), checkpoint, tokenizer)
    with pytest.raises(Refused, match="the server holds base tiny"):
        ServedScorer(_served(serving), checkpoint.model_copy(update={"revision": "other"}), tokenizer)
    with pytest.raises(Refused, match="401"):
        ServedScorer(_served(serving, key="wrong"), checkpoint, tokenizer)
    with pytest.raises(RetryLater, match="no answer from"):
        ServedScorer(Served("http://127.0.0.1:9", "k", pauses=(0.0,)), checkpoint, tokenizer)


def test_vllm_answers_a_judges_questions_in_the_sdks_shape(serving: ServingProcess, tmp_path: Path) -> None:
    """Through vLLM's own socket, for the front does not offer `/v1/messages`: a judge is another server."""
    settings = JudgeSettings(
        endpoint="local",
        model=BASE_NAME,
        key_file=tmp_path / "key",
        url="http://vllm",
        own_base_may_judge=True,
        answer_tokens=200,
        cache=tmp_path / "cache",
    )
    case = Case("ex1:1", ">+x = float(y)", "Use `Cents`.", "Wrap it.")
    questions = [ask_same_issue(case, reference_first=True), ask_rating(case, (), reference_first=False)]
    http = anthropic.DefaultHttpxClient(transport=httpx2.HTTPTransport(uds=str(serving.state / "vllm.sock")))
    with anthropic.Anthropic(auth_token="k", base_url="http://vllm", http_client=http, max_retries=0) as client:
        asker = Asker(settings, client)
        answers = asker.ask(questions)
    assert asker.tally.tokens > 100, "replies were of the SDK's shape, whatever random weights wrote in them"
    assert asker.tally.models == {BASE_NAME}
    assert asker.tally.unanswered == 2 - len(answers)
    assert all(isinstance(answers[item.id], ANSWERS[item.kind]) for item in questions if item.id in answers)


def test_a_run_is_confirmed_by_the_server_that_will_answer(
    serving: ServingProcess, adapter: tuple[Path, AdapterManifest], snapshot: Snapshot, tmp_path: Path
) -> None:
    run, checkpoint, config = tmp_path / "run", load_base(serving.base), resolve_config("smoke").config
    shutil.copytree(adapter[0], run / "version")
    claim_folder(run, make_key(snapshot, checkpoint, config))
    plain = config.model_copy(update={"arms": (), "forgetting_problems": 0, "forgetting_passages": 0, "canaries": 0})
    reports = [
        evaluate(Examination(snapshot, serving.base, checkpoint, plain, version), Progress(None))
        for version in (run / "version", None)
    ]
    for name, report in zip(("candidate", "baseline"), reports, strict=True):
        save_record(run / "reports" / f"{name}.json", report)
    save_record(run / "policy.json", GatePolicy())
    save_record(run / "decision.json", decide_promotion(reports[0], reports[1:], GatePolicy()))
    key_file = tmp_path / "read.key"
    key_file.write_text(serving.read_key)
    asked = Confirmation(run, snapshot, serving.base, checkpoint, serving.url, key_file, tmp_path / "release.pem")
    decision = confirm_run(asked, Progress(None))
    checks = {reason.check: reason for reason in decision.reasons}
    assert checks["served"].passed
    assert checks["served_agreement"].passed
    assert decision.verdict == "reject"  # random weights have no lift, served or not
    assert "vllm" in (run / "report.html").read_text()
