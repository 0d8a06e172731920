"""Takes out of a snapshot what a company may not want to hand on, and says what that costs.

Names of images, values of variables and annotations become pseudonyms: equal where the originals
are equal, and told from them by nobody, since the key that makes them is drawn anew each time and
kept nowhere. What the facts read stays: addresses, which of the known databases and monitors an
image is, and what Kubernetes or auditor itself reads in an annotation. What else could be told from
the originals is a gap in every audit of the redacted snapshot.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from auditor.facts.addresses import addresses
from auditor.facts.configuration import Text
from auditor.facts.dependencies import DATABASE_IMAGES
from auditor.facts.monitors import MONITOR_IMAGES, repository
from auditor.manifests import mapping
from auditor.model import Gap, Manifest, Ref, Resource, Snapshot, Unseen
from auditor.sources.rendered import Rendered
from auditor.stand_ins import ALL
from auditor.values import dataclass

IMAGES, ENVIRONMENT, ANNOTATIONS = "names of images", "values of variables", "annotations"
WHY = "redacted in the snapshot: what is told from them is not assessed"
REGISTRY = "redacted.invalid"
_KNOWN = (*DATABASE_IMAGES, *MONITOR_IMAGES)
_OF_KUBERNETES = re.compile(
    r"(?:[a-z0-9.-]*\.)?(?:kubernetes\.io|k8s\.io)/.*|auditor/.*|data-classification"
    r"|prometheus\.io/(?:scrape|port|path)",
    re.DOTALL,
)
_REFERENCE = re.compile(r"\$\(([^)]+)\)")
_NOWHERE = Ref("", "", "", "")


def redacted(snapshot: Snapshot) -> Snapshot:
    """The snapshot with pseudonyms, and a gap for each sort of thing that was replaced."""
    pen = _Pen(secrets.token_bytes(32))
    resources = tuple(map(pen.resource, snapshot.resources))
    gaps = tuple(Gap(what, WHY, Unseen.INCOMPLETE) for what in pen.replaced)
    return replace(snapshot, resources=resources, gaps=(*snapshot.gaps, *gaps))


@dataclass(slots=True)
class _Pen:
    """Writes pseudonyms. Not frozen: it notes what it replaced."""

    key: bytes
    replaced: dict[str, None] = field(default_factory=dict)

    def resource(self, resource: Resource) -> Resource:
        manifest = self._manifest(resource)
        origin = replace(resource.origin, lines=Rendered(resource.origin.uri, manifest))
        return replace(resource, manifest=manifest, origin=origin)

    def _manifest(self, resource: Resource) -> Manifest:
        manifest: Manifest = self._walked(resource.manifest)
        if resource.ref.kind == "ConfigMap":
            data = mapping(resource.manifest.get("data"))
            return {**manifest, "data": {key: self._file(key, data[key]) for key in data}}
        return manifest

    def _walked(self, value: Any) -> Any:
        """Every container and every annotation in it, wherever they stand."""
        if isinstance(value, list):
            return [self._walked(item) for item in value]
        if not isinstance(value, dict):
            return value
        new = {key: self._walked(inside) for key, inside in value.items()}
        if isinstance(value.get("image"), str):
            new["image"] = self._image(value["image"])
        if isinstance(value.get("imageID"), str):
            new["imageID"] = self._image(value["imageID"])
        if isinstance(value.get("env"), list):
            kept = set(_REFERENCE.findall(repr(value)))
            new["env"] = [self._variable(entry, kept) for entry in value["env"]]
        if isinstance(value.get("annotations"), dict):
            new["annotations"] = self._annotations(value["annotations"])
        return new

    def _image(self, image: str) -> str:
        name = repository(image)
        if not name:
            return image
        known = next((k for k in _KNOWN if f"/{name}".endswith(f"/{k}")), "")
        self.replaced[IMAGES] = None
        pseudonym = f"{REGISTRY}/{self._pseudonym(name)}"
        return f"{pseudonym}{f'/{known}' if known else ''}{image[len(name) :]}"

    def _variable(self, entry: Any, kept: set[str]) -> Any:
        name, value = mapping(entry).get("name"), mapping(entry).get("value")
        if not isinstance(value, str) or not value or name in kept or "$" in value:
            return entry
        return {**entry, "value": self._text(str(name), value)}

    def _file(self, key: str, value: Any) -> Any:
        """Of a file the lines that name an address."""
        if not isinstance(value, str) or "$(" in value:
            return value
        if "\n" not in value:
            return self._text(key, value, file=True)
        return "\n".join(
            self._text(key, line, file=True) if line else "" for line in value.split("\n")
        )

    def _text(self, key: str, value: str, *, file: bool = False) -> str:
        names = (Text(key, value, _NOWHERE, (), file=as_file) for as_file in {False, file})
        if value in ALL or not value or any(True for text in names for _ in addresses(text)):
            return value  # what stands for a credential tells nothing, but of which class it is
        self.replaced[ENVIRONMENT] = None
        return self._pseudonym(value)

    def _annotations(self, annotations: Mapping[str, Any]) -> dict[str, Any]:
        new = {}
        for key, value in annotations.items():
            new[key] = value
            if isinstance(value, str) and value and not _OF_KUBERNETES.fullmatch(key):
                new[key] = self._pseudonym(value)
                self.replaced[ANNOTATIONS] = None
        return new

    def _pseudonym(self, text: str) -> str:
        return f"redacted-{hmac.new(self.key, text.encode(), 'sha256').hexdigest()[:12]}"


def is_redacted(snapshot: Snapshot, what: str) -> bool:
    """Whether the snapshot has pseudonyms in the place of `what`."""
    return any(gap.what == what and gap.why == WHY for gap in snapshot.gaps)
