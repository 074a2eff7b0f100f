"""The words that names and ids are made of. Fivetran's own ids are two words, as here."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count, product

#: One a group. The third is regulated: its connections run through a hybrid agent.
TEAMS = (
    "finance",
    "marketing",
    "patient_records",
    "sales",
    "product",
    "support",
    "logistics",
    "people",
    "risk",
    "data_science",
    "core_platform",
    "operations",
)

#: User id, given name, family name.
PEOPLE = (
    ("mistaken_emphasise", "Alex", "Example"),
    ("cobalt_trespass", "Sam", "Sample"),
    ("gilded_ponder", "Kim", "Placeholder"),
    ("sturdy_whisper", "Robin", "Specimen"),
)

#: Who sets connections up in a healthy estate. ``_fivetran_system`` is Fivetran's own, and no user.
SERVICE_ACCOUNTS = ("svc_terraform", "svc_orchestrator", "_fivetran_system")

#: The owners that people worry about, by user id: somebody of an agency, somebody whose access has
#: ended, somebody who may do everything, and somebody who is no longer a user.
GUEST, LEAVER, ADMINISTRATOR, GONE = (
    "visiting_lantern",
    "dormant_harbour",
    "founding_anchor",
    "departed_compass",
)

#: Whom the keys of a sandbox belong to: an auditor, a member of one team, and no user at all.
AUDITOR, TEAM_MEMBER, SYSTEM_KEY = "svc_auditor", "leafy_margin", "steady_sentinel"

#: How the id of a link, an agent or a proxy ends that is down, and stays in the account's lists.
OUT_OF_SERVICE = "_old"

TOPICS = tuple(
    """
    orders billing customers events invoices ledger inventory payments sessions contracts tickets
    campaigns leads payroll shipments returns pricing usage accounts forecasts reviews refunds
    audits surveys
    """.split()
)

_FIRST = tuple(
    """
    amber ancient balmy blissful bold brisk calm candid careful cheerful civic clever coastal cosy
    curious dapper daring decent deft diligent distant dutiful eager earnest easy elastic elegant
    faithful famous fancy festive fluent formal frank frugal gentle glad golden graceful grand
    hardy hearty honest humble idle jolly keen kind lasting level lively loyal lucid mellow merry
    mild modest musical narrow neat nimble noble novel open patient placid plain polite prime
    proud prudent quaint quick quiet rapid rare ready refined robust rosy rural serene sharp
    silent simple sincere sleek smooth solar solid spare steady stellar still subtle sunny swift
    tender thrifty tidy tranquil trusty upbeat urban valid vast vivid warm wise witty zesty
    """.split()
)
_SECOND = tuple(
    """
    abacus acorn alcove anchor apricot arbour atlas badge bagel banner barley basin beacon bellows
    birch bobbin bonnet boulder bramble breeze bridge bucket button cabin candle canyon carbon
    cedar cello chapter cinder clover cobble comet compass copper coral cradle cricket crystal
    dahlia delta dome domino ember fable falcon fennel ferry fiddle fjord flannel flint forest
    fountain galley garnet geyser ginger glacier goblet granite grove hammock harbour hazel
    heather heron hinge island ivory jasmine jetty kettle lagoon lantern lattice lemon lentil
    lichen linen locket lumber magnet maple marble meadow mitten mosaic nectar nutmeg oasis olive
    orchid otter paddle pebble pepper pillow pivot plaza pocket prairie prism
    """.split()
)


def identifiers(rng: random.Random) -> Iterator[str]:
    """Yield ids without end, none twice: two words while these last, then three, then a number."""
    pairs = [f"{first}_{second}" for first, second in product(_FIRST, _SECOND)]
    rng.shuffle(pairs)
    yield from pairs
    for third in _SECOND:
        for pair in pairs:
            yield f"{pair}_{third}"
    for number in count(2):
        for pair in pairs:
            yield f"{pair}_{number}"
