"""What a pull request that edits the policy file is told about it. The text is judged, never obeyed. Pure."""

from typing import Any

from app.domain.policies import POLICY_PATH
from app.domain.safe_markdown import render_safe_markdown
from app.github.policy_file import PlacedProblem, PolicyFile
from app.review.messages import CheckText

POLICY_CHECK_NAME = "Understudy configuration"
#: GitHub takes so many annotations in one request.
_MOST = 50
_IN_FORCE = "Only the file on the default branch is ever in force."


def render_policy_check(found: PolicyFile | None) -> CheckText:
    """`found`: the file at the head of the pull request, None when the pull request removes it."""
    if found is None:
        return CheckText(
            conclusion="success",
            title="Removed: the defaults will be in force",
            summary=f"Without `{POLICY_PATH}` every key has its default. {_IN_FORCE}",
        )
    if not found.problems:
        return CheckText(conclusion="success", title="Valid", summary=f"`{POLICY_PATH}` can be read. {_IN_FORCE}")
    count = len(found.problems)
    return CheckText(
        conclusion="failure",
        title=f"{count} problem{'' if count == 1 else 's'}: the defaults would be in force",
        summary="\n".join([f"- {render_safe_markdown(one.told)}" for one in found.problems[:_MOST]] + ["", _IN_FORCE]),
    )


def render_annotations(found: PolicyFile | None) -> list[dict[str, Any]]:
    """In GitHub's form, each on its line and column; none for what concerns the whole file."""
    problems = () if found is None else found.problems
    return [_annotation(one) for one in problems if one.line is not None][:_MOST]


def _annotation(problem: PlacedProblem) -> dict[str, Any]:
    return {
        "path": POLICY_PATH,
        "start_line": problem.line,
        "end_line": problem.line,
        "start_column": problem.column,
        "end_column": problem.column,
        "annotation_level": "failure",
        "title": POLICY_CHECK_NAME,
        "message": problem.text,
    }
