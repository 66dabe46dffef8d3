"""The eleven house rules of the demo organisation; three of them need the surrounding lines."""

from app.rehearsal.organisation.rules.aground import AGROUND
from app.rehearsal.organisation.rules.audit import AUDIT
from app.rehearsal.organisation.rules.buoy import BUOY
from app.rehearsal.organisation.rules.cents import CENTS
from app.rehearsal.organisation.rules.charthouse import CHARTHOUSE
from app.rehearsal.organisation.rules.clock import CLOCK
from app.rehearsal.organisation.rules.container import CONTAINER
from app.rehearsal.organisation.rules.http import HTTP
from app.rehearsal.organisation.rules.jitter import JITTER
from app.rehearsal.organisation.rules.lease import LEASE
from app.rehearsal.organisation.rules.neutral import NEUTRAL
from app.rehearsal.organisation.rules.quaylog import QUAYLOG
from app.rehearsal.organisation.rules.shape import HouseRule, Shape

HOUSE_RULES: tuple[HouseRule, ...] = (
    CENTS,
    CLOCK,
    HTTP,
    QUAYLOG,
    CONTAINER,
    BUOY,
    AGROUND,
    CHARTHOUSE,
    AUDIT,
    LEASE,
    JITTER,
)
RULES_BY_ID: dict[str, HouseRule] = {rule.id: rule for rule in HOUSE_RULES}

__all__ = ["HOUSE_RULES", "NEUTRAL", "RULES_BY_ID", "HouseRule", "Shape"]
