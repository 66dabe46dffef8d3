"""What this process counted since it began. Labels have few values: no repository, no login, no path.

Each process counts its own acts, so a sum over processes is the whole. What is read from the database is the same
whoever is asked and is not here but in `app/workflows/standing.py`: there, take the largest.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from app.watching.routes import route_of

#: Our own, so that nothing a library registers for itself is told.
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_LONG = (10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 86_400)

DELIVERIES = Counter("understudy_deliveries", "Webhooks that were answered.", ["event", "outcome"], registry=REGISTRY)
ACKNOWLEDGEMENT = Histogram(
    "understudy_acknowledgement_seconds",
    "From a webhook's headers to our answer.",
    buckets=_QUICK,
    registry=REGISTRY,
)
STEP_RETRIES = Counter(
    "understudy_step_retries", "Steps that were told to come back later.", ["step"], registry=REGISTRY
)
GITHUB_REQUESTS = Counter(
    "understudy_github_requests",
    "Requests to GitHub by route; status `none` is no answer.",
    ["method", "route", "status"],
    registry=REGISTRY,
)
GITHUB_SECONDS = Histogram(
    "understudy_github_request_seconds", "Of one request to GitHub.", ["method"], buckets=_QUICK, registry=REGISTRY
)
GITHUB_LEFT = Gauge(
    "understudy_github_rate_limit_remaining",
    "Requests that GitHub leaves this hour, as its last answer said.",
    ["installation", "resource"],
    registry=REGISTRY,
)
WRITES_PACED = Counter(
    "understudy_github_writes_paced", "Writes that waited for the pause that GitHub asks for.", registry=REGISTRY
)
PACED_SECONDS = Counter("understudy_github_paced_seconds", "What they waited together.", registry=REGISTRY)
WRITES_SPENT = Counter(
    "understudy_github_writes_spent", "Writes put off because the hour's were used up.", registry=REGISTRY
)
REVIEWS = Counter("understudy_reviews_ended", "Reviews by the state they ended in.", ["state"], registry=REGISTRY)
FINDINGS = Counter(
    "understudy_findings",
    "Comments: posted, or dropped, by what dropped them.",
    ["outcome"],
    registry=REGISTRY,
)
REVIEW_SECONDS = Histogram(
    "understudy_review_seconds",
    "From the webhook that asked for a review to its submission.",
    buckets=_LONG,
    registry=REGISTRY,
)
MODEL_CALLS = Counter("understudy_model_calls", "Questions to a model server.", ["outcome"], registry=REGISTRY)
MODEL_SECONDS = Histogram(
    "understudy_model_call_seconds", "Of one question to a model server.", buckets=_SLOW, registry=REGISTRY
)
MODEL_TOKENS = Counter(
    "understudy_model_tokens", "Tokens of questions (prompt) and answers (completion).", ["kind"], registry=REGISTRY
)
_RESOURCES = frozenset({"core", "graphql", "search", "integration_manifest"})
#: Fields of a Coverage that count comments, or places for one, that came to nothing.
DROPPED = ("silenced", "capped", "unanswered", "repeated", "dismissed", "minor", "secret", "unseen", "disagreed")


def count_request(method: str, url: str, status: int | None, seconds: float) -> None:
    """One request to GitHub that was answered, or with None was not."""
    GITHUB_REQUESTS.labels(method, route_of(url), "none" if status is None else str(status)).inc()
    GITHUB_SECONDS.labels(method).observe(seconds)


def show_left(installation_id: int, resource: str, remaining: str) -> None:
    """What GitHub's headers say is left of the hour; nothing where it sets no limit."""
    if remaining.isdigit():
        known = resource if resource in _RESOURCES else "other"
        GITHUB_LEFT.labels(str(installation_id), known).set(int(remaining))
