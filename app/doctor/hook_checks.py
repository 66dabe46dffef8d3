"""Do webhooks come in? What GitHub is set to send where, and how it fared of late. Pure."""

from collections.abc import Sequence
from typing import Any

from app.doctor.checked import Checked, fail, fine, warn

WEBHOOKS = "/webhooks"
#: Of GitHub's newest deliveries so many are looked at.
LOOKED_AT = 30


def check_hook_address(url: str | None, public_url: str | None) -> Checked:
    name = "webhook address"
    if not url:
        cure = "On the App's page: switch the webhook on, with the service's public address and /webhooks."
        return fail(name, "the App has no webhook", cure)
    if public_url is None:
        cure = "Set UNDERSTUDY_PUBLIC_URL to where this service is reached from outside."
        return warn(name, f"GitHub sends to {url}; where this service is reached is not set", cure)
    wanted = public_url.rstrip("/") + WEBHOOKS
    if url != wanted:
        cure = f"On the App's page set the webhook to {wanted}, or correct UNDERSTUDY_PUBLIC_URL."
        return fail(name, f"GitHub sends to {url}, the service is at {public_url}", cure)
    if url.startswith("http://"):
        cure = "Put a proxy with TLS before the service and change the address to https."
        return warn(name, f"{url}: what GitHub tells can be read on its way", cure)
    return fine(name, url)


def check_deliveries(deliveries: Sequence[Any]) -> Checked:
    """By the newest attempts of GitHub, newest first: what failed before something came through is over."""
    name, newest = "webhooks", list(deliveries)[:LOOKED_AT]
    if not newest:
        return warn(name, "GitHub sent none yet", "Install the App, or press Redeliver on the App's page.")
    failed = []
    for one in newest:
        if 200 <= int(one["status_code"]) < 300:
            break
        failed.append(one)
    if not failed:
        return fine(name, f"the newest of {len(newest)} came through")
    return _explain(name, failed)


def _explain(name: str, failed: Sequence[Any]) -> Checked:
    code, status = int(failed[0]["status_code"]), str(failed[0]["status"])
    count = f"the newest {len(failed)} failed" if len(failed) > 1 else "the newest failed"
    if code == 401:
        cure = "Set the App's webhook secret and UNDERSTUDY_WEBHOOK_SECRETS to the same value, and restart the service."
        return fail(name, f"{count}: the service refuses their signature (401)", cure)
    if code == 0:
        cure = "Start the service; let DNS, firewall and proxy lead GitHub to it; see that its certificate is valid."
        return fail(name, f"{count}: GitHub does not reach the address ({status})", cure)
    if code in (404, 405):
        cure = "Let the proxy pass /webhooks to the service, and see that the address ends in /webhooks."
        return fail(name, f"{count}: another program answers there ({code})", cure)
    if code == 413:
        return fail(name, f"{count}: too large for the proxy (413)", "Let the proxy pass bodies of up to 25 MB.")
    cure = "Read the service's log of that moment; what failed is redelivered every five minutes."
    return fail(name, f"{count}: {code} {status}", cure)


def check_reached(url: str, answered: int | None, why: str) -> Checked:
    """Asked for from this very machine, which a network may not let go out and in again."""
    name = "public address"
    if answered == 200:
        return fine(name, f"{url} answers")
    told = f"{url} does not answer from here ({answered if answered is not None else why})"
    cure = "If webhooks come through, it is this machine's network alone; else see proxy, DNS and certificate."
    return warn(name, told, cure)
