"""Ids that say of which GitHub a tenant is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused, UserError
from app.domain.tenants import LARGEST_HOST, LARGEST_INSTALLATION, Host, Hosts, join_tenant, split_tenant

NUMBERS = st.integers(0, LARGEST_HOST)
INSTALLATIONS = st.integers(1, LARGEST_INSTALLATION)
HOSTS = Hosts((Host(0, "github.com", "understudy"), Host(2, "ghe.example", "reviews")))


@given(NUMBERS, INSTALLATIONS)
def test_both_come_back_and_no_reader_of_json_rounds_the_id(number: int, installation_id: int) -> None:
    tenant = join_tenant(number, installation_id)
    assert split_tenant(tenant) == (number, installation_id)
    assert json.loads(json.dumps(tenant), parse_int=float) == tenant
    assert tenant < 2**63


@given(st.tuples(NUMBERS, INSTALLATIONS), st.tuples(NUMBERS, INSTALLATIONS))
def test_no_two_tenants_share_an_id(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (join_tenant(*one) == join_tenant(*other)) == (one == other)


def test_the_first_hosts_ids_are_githubs_own() -> None:
    assert join_tenant(0, 47_110_001) == 47_110_001


@pytest.mark.parametrize(
    ("number", "installation_id"), [(-1, 1), (LARGEST_HOST + 1, 1), (0, 0), (0, -5), (1, LARGEST_INSTALLATION + 1)]
)
def test_what_does_not_fit_is_refused(number: int, installation_id: int) -> None:
    with pytest.raises(Refused, match="expected a host from 0 to 511") as refused:
        join_tenant(number, installation_id)
    assert refused.value.reason == "installation"


@pytest.mark.parametrize("tenant", [0, -1, 1 << 44, (LARGEST_HOST + 1) << 44 | 1])
def test_what_was_never_given_out_is_refused(tenant: int) -> None:
    with pytest.raises(Refused):
        split_tenant(tenant)


def test_a_tenant_finds_its_host_and_a_name_its_number() -> None:
    assert HOSTS.of(5).name == "github.com"
    assert HOSTS.of(join_tenant(2, 5)).login == "reviews[bot]"
    assert HOSTS.named("GHE.example") == HOSTS.of(join_tenant(2, 5))
    assert HOSTS.named("elsewhere.example") is None
    assert [host.number for host in HOSTS] == [0, 2]


def test_a_host_that_is_no_longer_configured_is_named() -> None:
    lost = join_tenant(7, 5)
    assert HOSTS.find(lost) is None
    with pytest.raises(UserError, match=rf"host number 7, that of installation {lost}, .*UNDERSTUDY_HOSTS, got 0, 2"):
        HOSTS.of(lost)
