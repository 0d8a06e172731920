"""How `auditor placement` answers: maps, and what would become of a cluster."""
