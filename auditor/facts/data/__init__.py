"""Which workloads hold personal data, who may ask for it, and why we think so.

Declared (`classes`), or only looking like it (`inferred`), which never counts as declared; and the
stores outside of the cluster (`stores`).
"""

from auditor.declared import DATA_CLASSES as CLASSES
from auditor.facts.data.classes import DataClass, DataClasses
from auditor.facts.data.written import (
    CLIENTS,
    DATA,
    HEALTH,
    NOTHING,
    PREFIX,
    ROLE,
    ROLES,
    TELEMETRY,
    Declared,
    declared,
    has_role,
    listed,
)

__all__ = [
    "CLASSES",
    "CLIENTS",
    "DATA",
    "HEALTH",
    "NOTHING",
    "PREFIX",
    "ROLE",
    "ROLES",
    "TELEMETRY",
    "DataClass",
    "DataClasses",
    "Declared",
    "declared",
    "has_role",
    "listed",
]
