"""A stand-in GitHub: a stateful HTTP server over real bare git repositories, never laxer than GitHub itself."""

from app.rehearsal.standin.control import StandIn
from app.rehearsal.standin.faults import Faults
from app.rehearsal.standin.routes import needed_for_events, needed_permissions
from app.rehearsal.standin.server import StandInServer
from app.rehearsal.standin.state import RequestRecord

__all__ = ["Faults", "RequestRecord", "StandIn", "StandInServer", "needed_for_events", "needed_permissions"]
