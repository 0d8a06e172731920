"""Finds the GitOps objects among others, and what they deploy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping

from auditor.model import Gap, Resource
from auditor.sources import argocd, flux
from auditor.sources.claims import Claim, Known
from auditor.terms import LOOKED_UP

_READERS: Mapping[tuple[str, str], Callable[[Known, Resource], Iterator[Claim | Gap]]] = {
    (argocd.GROUP, "Application"): argocd.application,
    (argocd.GROUP, "ApplicationSet"): argocd.application_set,
    (flux.KUSTOMIZATION, "Kustomization"): flux.kustomization,
    (flux.HELM_RELEASE, "HelmRelease"): flux.helm_release,
}


def is_gitops(resource: Resource) -> bool:
    """Whether the object deploys others."""
    return (resource.ref.group, resource.ref.kind) in _READERS


def claims_of(known: Known, resource: Resource) -> Iterator[Claim | Gap]:
    """What a GitOps object deploys; a gap for what of it is not here.

    Raises the audit event `LOOKED_UP`: what is looked for and is not there, no event of Python's
    tells of.
    """
    sys.audit(LOOKED_UP, str(resource.ref))
    yield from _READERS[resource.ref.group, resource.ref.kind](known, resource)
