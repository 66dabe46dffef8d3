"""Personal data is found, and what manuals and code are full of is not taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.screening.personal import find_personal_data


def with_checksum(country: str, account: str) -> str:
    """An IBAN for an account number, by the rule of ISO 13616."""
    digits = "".join(str(int(char, 36)) for char in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02}{account}"


def with_luhn(digits: str) -> str:
    return next(
        f"{digits}{last}"
        for last in range(10)
        if sum(
            int(char) if at % 2 == 0 else sum(divmod(int(char) * 2, 10))
            for at, char in enumerate(f"{digits}{last}"[::-1])
        )
        % 10
        == 0
    )


IBAN = with_checksum("DE", "500105170648489890")
CARD = with_luhn("453211009876540")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Please ask erika.muster@tidewater-harbour.com for the file.", "mail address"),
        ("+ * @author Jan Novak <jan@novak-orders.cz>", "mail address"),
        ("Call me on +49 30 9018 20 77 before you merge.", "telephone number"),
        ("support = '(415) 867-9309'", "telephone number"),
        (f"refund to {IBAN}", "bank account"),
        (f"refund to {' '.join(IBAN[at : at + 4] for at in range(0, len(IBAN), 4))}", "bank account"),
        (f"card = '{CARD}'", "card number"),
        (f"{CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:]}", "card number"),
    ],
)
def test_found(text: str, kind: str) -> None:
    assert find_personal_data(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "@mara could you look at this with @acme/reviewers?",
        "@app.route('/orders')",
        "@pytest.mark.parametrize",
        "mail = 'dev@example.com'",
        "git clone git@github.com:acme/store.git",
        "uses: actions/checkout@v4.1.7",
        "npm install left-pad@1.3.0",
        "return this@Outer.method(value)",
        "background: url(icon@2x.png)",
        "Co-authored-by: dependabot <support@users.noreply.github.com>",
        "postgresql://orders:secret@db.acme.com/orders",
        "timeout = 1_700_000_000_000",
        "at 1700000000123 and 4532110098765401 ns",
        "x = a + 100 200 300",
        "@@ -120,7 +120,9 @@ def load(self):",
        "card = '4242 4242 4242 4242'",
        "DE89370400440532013000",
        f"{IBAN[:-1]}{(int(IBAN[-1]) + 1) % 10}",
        "version = '2026.11.22.1034'",
        "+1 555 0100 200",
    ],
)
def test_left_alone(text: str) -> None:
    assert find_personal_data(text) is None


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert find_personal_data(text) in {None, "mail address", "telephone number", "bank account", "card number"}
