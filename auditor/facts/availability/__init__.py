"""How probable it is that enough replicas are there, over losses of places.

`places` knows which place holds which, `survivors` reckons exactly, `recovery` says how long a loss
lasts for a pod, `answers` puts it together for a workload or for all that a call needs.
"""

from auditor.facts.availability.answers import (
    Availability,
    Bounds,
    along_path,
    availability_of,
    minutes_a_year,
)
from auditor.facts.availability.places import Odds, Places
from auditor.facts.availability.recovery import Recovery, recovery_of

__all__ = [
    "Availability",
    "Bounds",
    "Odds",
    "Places",
    "Recovery",
    "along_path",
    "availability_of",
    "minutes_a_year",
    "recovery_of",
]
