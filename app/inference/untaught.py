"""Where and whether for a team that has taught nothing yet: one line of each file, and every comment passes."""

from collections.abc import Sequence

from app.domain.lines import LineSite


class UntaughtLocator:
    """The longest added line of every file, for most is likely to be said there. Knows nothing of any team."""

    threshold = 0.5

    def score(self, sites: Sequence[LineSite]) -> list[float]:
        """1 for the chosen lines, 0 for the others, in order."""
        chosen: dict[str, int] = {}
        for place, site in enumerate(sites):
            best = chosen.setdefault(site.path, place)
            if len(site.text) > len(sites[best].text):
                chosen[site.path] = place
        return [float(chosen[site.path] == place) for place, site in enumerate(sites)]


class UntaughtFilter:
    """Lets every comment pass; the caps of a review still hold."""

    threshold = 0.0

    def score(self, line_text: str, body: str) -> float:
        return 1.0
