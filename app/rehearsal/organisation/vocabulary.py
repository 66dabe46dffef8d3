"""The words that fill the shapes' slots, in three sets that share none: known, late (newest fifth), unseen (held-out).

Slots: `$noun $nouns` in identifiers, `$words $things` in prose, `$kebab $kebabs` in event names, `$topic` a kind
of charge, `$amount` a variable for money, `$qual` the end of a function name, `$port`, `$flag $FLAG`, `$n`, `$rate`.
"""

import re
from random import Random
from typing import Literal

from app.domain.base import Record

Era = Literal["known", "late", "unseen"]


class Lexicon(Record):
    """The words of one era. `nouns` are `singular/plural` in prose; identifiers follow from them."""

    nouns: tuple[str, ...]
    topics: tuple[str, ...]
    amounts: tuple[str, ...]
    quals: tuple[str, ...]
    ports: tuple[str, ...]
    flags: tuple[str, ...]
    #: inclusive ranges of the whole numbers, and of the hundredths above 1 in rates
    numbers: tuple[int, int]
    hundredths: tuple[int, int]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


LEXICONS: dict[Era, Lexicon] = {
    "known": Lexicon(
        nouns=_lines(
            "voyage/voyages, vessel/vessels, booking/bookings, manifest/manifests, parcel/parcels, pallet/pallets, "
            "invoice/invoices, shipper/shippers, customs form/customs forms, pilot/pilots, tug/tugs, "
            "consignment/consignments, waybill/waybills, trailer/trailers, crate/crates, tanker/tankers, "
            "stowage plan/stowage plans, ship agent/ship agents, day pass/day passes, cargo/cargoes"
        ),
        topics=_words("demurrage towage pilotage storage wharfage handling weighing"),
        amounts=_words("total fee owed due surcharge price charge"),
        quals=_words(
            "by_rail at_night for_winter on_sunday via_canal in_bulk under_bond from_abroad in_transit after_hours "
            "on_credit upstream for_export at_gate by_truck in_port"
        ),
        ports=_words("Rotterdam Hamburg Antwerp Gdansk Bergen Porto Cork Leith Malmo Riga"),
        flags=_words("new_map fast_lane split_bills night_shift auto_tow quick_scan"),
        numbers=(2, 39),
        hundredths=(2, 29),
    ),
    "late": Lexicon(
        nouns=_lines(
            "barge/barges, gantry/gantries, bonded store/bonded stores, freight note/freight notes, pontoon/pontoons, "
            "ferry/ferries, stevedore/stevedores"
        ),
        topics=_words("lighterage quarantine mooring"),
        amounts=_words("sum_due levied credit"),
        quals=_words("by_lorry on_holidays for_autumn off_peak past_midnight in_storms"),
        ports=_words("Bilbao Tallinn Aarhus Genoa"),
        flags=_words("paperless shared_tugs early_gate"),
        numbers=(40, 59),
        hundredths=(30, 44),
    ),
    "unseen": Lexicon(
        nouns=_lines(
            "icebreaker/icebreakers, reefer/reefers, dredger/dredgers, charter/charters, dry dock/dry docks, "
            "bunker order/bunker orders, salvage claim/salvage claims, transit visa/transit visas, silo/silos, "
            "cable drum/cable drums, trawler/trawlers, hovercraft/hovercrafts"
        ),
        topics=_words("icebreaking salvage fumigation ballasting"),
        amounts=_words("toll levy premium bill"),
        quals=_words("through_ice at_anchor in_fog for_spring on_standby under_tow at_ebb by_convoy offshore"),
        ports=_words("Valparaiso Nagoya Durban Halifax Mombasa"),
        flags=_words("polar_route solar_cranes drone_survey"),
        numbers=(60, 98),
        hundredths=(45, 79),
    ),
}


def draw_words(rng: Random, era: Era) -> dict[str, str]:
    """A value for every slot, from one era."""
    lexicon = LEXICONS[era]
    words, things = rng.choice(lexicon.nouns).split("/")
    flag = rng.choice(lexicon.flags)
    return {
        "noun": words.replace(" ", "_"),
        "nouns": things.replace(" ", "_"),
        "words": words,
        "things": things,
        "kebab": words.replace(" ", "-"),
        "kebabs": things.replace(" ", "-"),
        "topic": rng.choice(lexicon.topics),
        "amount": rng.choice(lexicon.amounts),
        "qual": rng.choice(lexicon.quals),
        "port": rng.choice(lexicon.ports),
        "flag": flag,
        "FLAG": flag.upper(),
        "n": str(rng.randint(*lexicon.numbers)),
        "rate": f"1.{rng.randint(*lexicon.hundredths):02d}",
    }


_CHOICE = re.compile(r"\$<([^>]*)>")
_SLOT = re.compile(r"\$(nouns|noun|words|things|kebabs|kebab|topic|amount|qual|port|flag|FLAG|rate|n)")


def fill_slots(text: str, words: dict[str, str], rng: Random) -> str:
    """The text with one part of every `$<a|b>` and a word in every slot."""
    chosen = _CHOICE.sub(lambda found: rng.choice(found[1].split("|")), text)
    return _SLOT.sub(lambda found: words[found[1]], chosen)
