"""What the site's navigation holds, in the order in which it is read. A page that is not there yet is left out."""

from typing import NamedTuple


class Page(NamedTuple):
    """`source` is the path in the checkout, or None for a page that is written from the code at every build. `title` is
    what the navigation calls it; the page itself may have a longer one."""

    name: str
    title: str
    source: str | None
    about: str


class Section(NamedTuple):
    """One entry of the bar at the top; its own page lists its pages."""

    name: str
    title: str
    about: str
    pages: tuple[Page, ...]


def _page(name: str, title: str, about: str) -> Page:
    return Page(name, title, f"docs/{name}.md", about)


SECTIONS = (
    Section(
        "start",
        "Start",
        "What it is, what it costs, and how to see it work on your own pull requests.",
        (
            _page("quickstart", "Quickstart", "From a checkout to a review on a pull request, in ten minutes."),
            _page(
                "how-it-learns",
                "How it learns",
                "Where, what and whether to comment; the loop; the gate. With pictures.",
            ),
            _page("authors", "When it comments", "For who got a comment: who speaks, and what to do with it."),
            _page("rehearse", "Rehearsal", "Play your own history through the same code, and post nothing."),
            _page("cost", "Costs", "Memory, time and money of training and serving, as our estimator computes them."),
        ),
    ),
    Section(
        "maintainers",
        "Maintainers",
        "For those who merge: what it may learn, and how it may speak.",
        (
            _page("curation", "Curation", "Labels, commands and the policy file: what may be learned."),
            _page("reviewing", "Reviews", "How reviews are steered: silence, limits, instructions, commands."),
            _page(
                "dashboard", "Dashboard", "Whether it helps, what it learned from, and what to approve, in a browser."
            ),
            _page("proving", "Proof of a version", "How a version is proven before it may review."),
        ),
    ),
    Section(
        "operators",
        "Operators",
        "For those who run it.",
        (
            _page("install", "Installation", "Create the App, install it, and see that nothing is missing."),
            _page("operating", "Operation", "The clock, an operator's calls, runners, every setting."),
            _page("serving", "Model servers", "Model servers: one, several, and adapters elsewhere."),
            _page("watching", "Watching", "Logs, metrics, traces, alerts."),
            _page("scaling", "Scaling out", "From one machine to many."),
            _page("enterprise-server", "Enterprise Server", "GitHub Enterprise Server, custom authorities, proxies."),
            _page("upgrading", "Upgrade and backup", "A new release, backup and restore."),
            _page("faults", "Faults", "What was made to fail, and what it did then."),
            _page("dataset", "Datasets", "Look at a dataset, and carry it elsewhere."),
            _page("import", "Import", "Review comments that you have as a table."),
        ),
    ),
    Section(
        "trust",
        "Trust",
        "What it reads, keeps and sends, and what it does against those who would misuse it.",
        (
            _page(
                "privacy",
                "Privacy",
                "What is read, stored and trained on, how long, how to delete; what leaves the machine.",
            ),
            _page("security", "Security model", "Threats, the control against each, and the test that shows it."),
            _page("failure-modes", "How trainings fail", "How trainings fail, and where each failure is caught."),
        ),
    ),
    Section(
        "reference",
        "Reference",
        "Written from the code at every build.",
        (
            Page("settings", "Settings", None, "Every environment variable, its type and its default."),
            Page("policy-file", "Policy file", None, "Every key of `.github/understudy.yml`."),
            Page("routes", "HTTP routes", None, "Every HTTP route, and who may call it."),
            Page("commands", "Commands", None, "Every command and option, and the test that runs it."),
        ),
    ),
    Section(
        "contributors",
        "Contributors",
        "For those who change it.",
        (
            Page("architecture", "The map", "ARCHITECTURE.md", "The map."),
            Page("contributing", "Working on it", "CONTRIBUTING.md", "How to work on it."),
            Page("adr/README", "Decisions", "docs/adr/README.md", "Larger decisions and their reasons."),
            _page("experiments", "What was tried", "What was tried, with what did not work."),
            Page("changelog", "Changelog", "CHANGELOG.md", "What changed for a user."),
        ),
    ),
)
