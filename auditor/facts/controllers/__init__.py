"""What the controllers of Kubernetes 1.36 do: which pods go first, what a rollout passes through,
what an eviction is answered, who survives the loss of a node. `what_if` picks the model.
"""

from auditor.facts.controllers.case import Case, CaseError, Course, UnmodelledError, course_of
from auditor.facts.controllers.what_if import what_if

__all__ = ["Case", "CaseError", "Course", "UnmodelledError", "course_of", "what_if"]
