"""From settings to the runner they ask for."""

from pathlib import Path

from app.domain.errors import UserError
from app.runners.hosted import HostedRunner, RenderRows
from app.runners.kubernetes import KubernetesRunner
from app.runners.local import LocalRunner
from app.runners.places import HostedPlace, KubernetesPlace, RunnerKind, SkyPilotPlace, load_place
from app.runners.running import Runner
from app.runners.skypilot import SkyPilotRunner


def make_runner(
    kind: RunnerKind,
    config: Path | None,
    *,
    data: Path,
    agreed_host: str | None,
    rows: RenderRows,
    judged: bool = False,
) -> Runner:
    """`data` is UNDERSTUDY_DATA, absolute; `judged`: a judge is named, who can be asked from this machine only.

    Raises:
        UserError: saying which setting is missing, wrong or of no use.
    """
    if kind is RunnerKind.LOCAL:
        if config is not None or agreed_host is not None:
            raise UserError(
                "expected UNDERSTUDY_RUNNER with UNDERSTUDY_RUNNER_CONFIG or UNDERSTUDY_HOSTED_HOST, got the runner "
                "`local`, which reads neither; name the runner or leave the others out"
            )
        return LocalRunner()
    if judged:
        raise UserError(
            f"expected the runner `local` with UNDERSTUDY_JUDGE, got {kind}: the judge's key does not travel; leave "
            "UNDERSTUDY_JUDGE out"
        )
    if config is None:
        raise UserError(
            f"expected UNDERSTUDY_RUNNER_CONFIG with the runner {kind}, got nothing; copy infra/runners/{kind}.yaml, "
            "change what you need, and name your file"
        )
    if kind is RunnerKind.KUBERNETES:
        return KubernetesRunner(load_place(config, KubernetesPlace), data)
    if kind is RunnerKind.SKYPILOT:
        return SkyPilotRunner(load_place(config, SkyPilotPlace))
    return HostedRunner(load_place(config, HostedPlace), agreed_host=agreed_host, rows=rows)
