"""Pages from templates: every word of other people is text there, never markup."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader

from app.domain.evals import Figure
from app.domain.pages import page_environment
from app.web.dashboard.charts import strip
from app.web.feedback_table import render_share

HERE = Path(__file__).parent


@cache
def environment() -> Environment:
    made = page_environment(FileSystemLoader(HERE / "templates"))
    made.filters |= {
        "moment": _moment,
        "share": render_share,
        "spell": _spell,
        "part": _part,
        "span": _span,
        "brief": _brief,
    }
    made.globals |= {"strip": strip}
    return made


def render(template: str, **context: object) -> str:
    return environment().get_template(template).render(context)


def _moment(at: datetime | None) -> str:
    return "–" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def _brief(figure: Figure | None) -> str:
    """A share without its number of observations, for a table that has a column of those."""
    return render_share(figure).split(", n=")[0] + (")" if figure is not None else "")


def _spell(figure: Figure | None) -> str:
    """A figure with its interval and rows; a dash is not measured, never zero."""
    return "–" if figure is None else f"{figure.value:.3g} ({figure.low:.3g} to {figure.high:.3g}, n={figure.n})"


def _part(text: object) -> str:
    """A text as one part of an address's path."""
    return quote(str(text), safe="")


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h {whole % 3600 // 60} min"
