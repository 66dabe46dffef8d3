"""What the site's navigation holds, in the order in which it is read. A page that is not there yet is left out."""

from typing import NamedTuple


class Page(NamedTuple):
    """`source` is the path in the checkout, or None for a page that is written from the code at every build."""

    name: str
    source: str | None
    about: str


class Section(NamedTuple):
    """One entry of the bar at the top; its own page lists its pages."""

    name: str
    title: str
    about: str
    pages: tuple[Page, ...]


def _page(name: str, about: str) -> Page:
    return Page(name, f"docs/{name}.md", about)


SECTIONS = (
    Section(
        "start",
        "Start",
        "What it is, what it costs, and how to see it work on your own pull requests.",
        (
            _page("quickstart", "From a checkout to a review on a pull request, in ten minutes."),
            _page("how-it-learns", "Where, what and whether to comment; the loop; the gate. With pictures."),
            _page("rehearse", "Play your own history through the same code, and post nothing."),
            _page("cost", "Memory, time and money of training and serving, as our estimator computes them."),
        ),
    ),
    Section(
        "maintainers",
        "Maintainers",
        "For those who merge: what it may learn, and how it may speak.",
        (
            _page("curation", "Labels, commands and the policy file: what may be learned."),
            _page("reviewing", "How reviews are steered: silence, limits, instructions, commands."),
            _page("dashboard", "Whether it helps, what it learned from, and what to approve, in a browser."),
            _page("proving", "How a version is proven before it may review."),
        ),
    ),
    Section(
        "operators",
        "Operators",
        "For those who run it.",
        (
            _page("install", "Create the App, install it, and see that nothing is missing."),
            _page("operating", "The clock, an operator's calls, runners, every setting."),
            _page("serving", "Model servers: one, several, and adapters elsewhere."),
            _page("watching", "Logs, metrics, traces, alerts."),
            _page("scaling", "From one machine to many."),
            _page("enterprise-server", "GitHub Enterprise Server, custom authorities, proxies."),
            _page("upgrading", "A new release, backup and restore."),
            _page("faults", "What was made to fail, and what it did then."),
            _page("dataset", "Look at a dataset, and carry it elsewhere."),
            _page("import", "Review comments that you have as a table."),
        ),
    ),
    Section(
        "trust",
        "Trust",
        "What it reads, keeps and sends, and what it does against those who would misuse it.",
        (
            _page("privacy", "What is read, stored and trained on, how long, how to delete; what leaves the machine."),
            _page("security", "Threats, the control against each, and the test that shows it."),
            _page("failure-modes", "How trainings fail, and where each failure is caught."),
        ),
    ),
    Section(
        "reference",
        "Reference",
        "Written from the code at every build.",
        (
            Page("settings", None, "Every environment variable, its type and its default."),
            Page("policy-file", None, "Every key of `.github/understudy.yml`."),
            Page("routes", None, "Every HTTP route, and who may call it."),
            Page("commands", None, "Every command and option, and the test that runs it."),
        ),
    ),
    Section(
        "contributors",
        "Contributors",
        "For those who change it.",
        (
            Page("architecture", "ARCHITECTURE.md", "The map."),
            Page("contributing", "CONTRIBUTING.md", "How to work on it."),
            Page("adr/README", "docs/adr/README.md", "Larger decisions and their reasons."),
            _page("experiments", "What was tried, with what did not work."),
            Page("changelog", "CHANGELOG.md", "What changed for a user."),
        ),
    ),
)
