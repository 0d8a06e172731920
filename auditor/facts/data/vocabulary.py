"""Words by which names and keys hint at personal data. A hint, never a declaration.

How much a word weighs is our own judgement, tried on public applications: one strong word in the
name of a service is worth a question, a weak one only together with something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

STRONG: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "customer", "person", "people", "personal", "employee", "citizen", "resident",
            "passenger", "applicant", "student", "pupil", "payroll",
            "salary", "kyc", "passport", "ssn", "iban", "dob", "birthdate", "birthday", "gdpr",
            "pii", "crm", "cardholder", "creditcard", "taxpayer", "donor",
        ),
        "pii",
    ),
    **dict.fromkeys(
        (
            "phi", "patient", "medical", "clinical", "ehr", "hl7", "fhir",
            "diagnosis", "diagnose", "biometric", "allergy", "allergen",
            "genetic", "genome", "religion", "ethnicity", "prescription", "pharmacy", "illness",
        ),
        "spi",
    ),
}  # fmt: skip
"""Word in the singular → the class of data that it hints at."""

WEAK: Mapping[str, str] = dict.fromkeys(
    ("user", "member", "profile", "guest", "contact", "account", "visitor", "buyer", "subscriber"),
    "pii",
)
"""The same for words that mean other things as often."""

STORES = frozenset(
    (
        "db", "database", "store", "storage", "repository", "postgre", "postgres", "postgresql",
        "mysql", "mariadb", "mongo", "mongodb", "redis", "elasticsearch", "cassandra",
    )
)  # fmt: skip
"""Words in the names of what keeps data for others, whatever its image."""

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ASKS = re.compile(
    r"(?:url|uri|host|hostname|addr|address|endpoint|service|server|port|dsn|api|base|path|topic)$",
    re.IGNORECASE,
)
"""Keys under which somebody is told whom to ask: the data is there, not here."""

LONGEST = 253
"""Characters of a name that are looked at."""


@lru_cache(maxsize=1 << 12)
def words(name: str) -> tuple[str, ...]:
    """The words of a name in lower case and in the singular: ``customersDb`` → customer, db."""
    found = [_singular(part.lower()) for part in _PARTS.findall(name[:LONGEST])]
    return tuple(dict.fromkeys(found))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    plain = word.endswith("s") and not word.endswith(("ss", "sis", "us", "is"))
    return word[:-1] if plain and len(word) > 3 else word


def hints(name: str) -> Iterator[tuple[str, str, bool]]:
    """Each word of `name` that hints at personal data, the class, and whether it is strong."""
    for word in words(name):
        if word in STRONG:
            yield word, STRONG[word], True
        elif word in WEAK:
            yield word, WEAK[word], False


def is_store(name: str) -> bool:
    """Whether a name says that something keeps data for others."""
    return not STORES.isdisjoint(words(name))


def asks(key: str) -> bool:
    """Whether what is under `key` says whom to ask."""
    return bool(_ASKS.search(key))
