"""What the flags and the configuration say together: whose word counts, and as of when."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.cli.config import NAME, Declared, load, nearest, parsed
from auditor.cli.revision import Revision
from auditor.cli.trivyignore import trivy_ignores
from auditor.declared import Ignored, Inline, Waiver
from auditor.errors import ConfigError
from auditor.policies.loader import bundled

if TYPE_CHECKING:
    from auditor.cli.options import PolicyOptions
    from auditor.model import Policy

_WORDS = (
    "auditor/waive.", "auditor:", "checkov.io/skip", "checkov:skip", "kube-linter.io/",
    "kubescape.io/skip", "polaris.fairwinds.com/",
)  # fmt: skip
"""What stands in every file that waives something inline."""


def configuration(policies: PolicyOptions, start: Path) -> Declared:
    """The configuration that counts: the one of --config-from, where that is given.

    Raises:
        ConfigError: it cannot be read.
    """
    if not policies.config_from:
        return load(policies.config, start)
    revision = Revision.of(policies.config_from, start)
    for file in _candidates(policies.config, start, revision):
        content = revision.content(file)
        if content is not None:
            return parsed(_text(content, file, revision), revision.named(file), file.parent)
    return Declared()


def _candidates(named: Path | None, start: Path, revision: Revision) -> Iterable[Path]:
    """Where the configuration may have been, the nearest first."""
    if named:
        return [named]
    folder = start.resolve()
    return [up / NAME for up in (folder, *folder.parents) if up.is_relative_to(revision.root)]


def _text(content: bytes, file: Path, revision: Revision) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{revision.named(file)}: cannot be read: {error}") from error


def policy_folders(policies: PolicyOptions, declared: Declared) -> tuple[Path, ...]:
    """The folders whose policies there are.

    Raises:
        ConfigError: the configuration names one that is not there; or there would be none.
    """
    for folder in declared.policy_folders:
        if not folder.is_dir():
            raise ConfigError(f"{declared.file}: policies: there is no folder {folder}")
    ours = () if policies.no_builtin_policies else (bundled(),)
    folders = (*ours, *declared.policy_folders, *policies.policies_folders)
    if not folders:
        raise ConfigError("--no-builtin-policies leaves no policy: name a folder with --policies")
    return folders


def pinned_set(declared: Declared, known: tuple[Policy, ...]) -> int:
    """The set of policies that is pinned; 0 where none is.

    Raises:
        ConfigError: there is no such set yet.
    """
    pinned = declared.config.policy_set or 0
    newest = max(policy.since for policy in known)
    if pinned > newest:
        raise ConfigError(
            f"{declared.file}: policySet: there is no set {pinned}: {newest} is the newest"
        )
    return pinned


def answered_for(
    policies: PolicyOptions, declared: Declared, start: Path, *, whole: bool
) -> dict[str, Any]:
    """The settings (`Settings`) about who answers for what."""
    config = declared.config
    tools = tuple(dict.fromkeys((*config.honour_waivers_of, *policies.honour_waivers_of)))
    revision = Revision.of(policies.config_from, start) if policies.config_from else None
    listed = _listed(start, revision) if "trivy" in tools else ()
    inline = Inline(tuple(config.inline_waivers), tools, listed)
    found = {
        "waivers": declared.waivers,
        "acknowledged": declared.acknowledged,
        "expire_within": config.waivers_expire_within or 0,
        "inline": inline,
        "whole": whole and _is_whole(policies, declared, start),
    }
    if revision is None:
        return found
    now = load(policies.config, start)
    accepted = frozenset(_identities(revision, inline))
    return found | {
        "inline": Inline(inline.allowed, tools, listed, accepted, revision.name),
        "added": tuple(_added(declared, now)),
    }


def _is_whole(policies: PolicyOptions, declared: Declared, start: Path) -> bool:
    """Whether what is audited is all that the configuration stands for."""
    folder = declared.folder
    return folder is None or bool(policies.config) or folder.resolve() == start.resolve()


def _listed(start: Path, revision: Revision | None) -> tuple[Ignored, ...]:
    """What Trivy's own files say, beside the configuration: where an audit starts."""
    folder = (nearest(start) or start / NAME).parent

    def read(name: str) -> str | None:
        file = folder / name
        if revision:
            content = revision.content(file)
            return None if content is None else content.decode("utf-8", "replace")
        return file.read_text("utf-8", "replace") if file.is_file() else None

    return trivy_ignores(read, "" if folder == Path() else str(folder))


def _added(before: Declared, now: Declared) -> Iterable[Waiver]:
    """What the configuration of the change waives that the one before does not."""
    known = {(w.policy, w.object, w.anchor, w.until) for w in before.waivers}
    for waiver in now.waivers:
        if (waiver.policy, waiver.object, waiver.anchor, waiver.until) not in known:
            yield waiver
    answered = {(a.gap, a.why, a.until) for a in before.acknowledged}
    for entry in now.acknowledged:
        if (entry.gap, entry.why, entry.until) not in answered:
            yield Waiver("(gap)", entry.gap, entry.reason, entry.until, origin=entry.origin)


def _identities(revision: Revision, inline: Inline) -> Iterable[str]:
    """Every mark that there was in a manifest of the revision."""
    from auditor.policies.overrule import all_marks
    from auditor.policies.waivers import Looked
    from auditor.sources.files import FileSource

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for number, (name, content) in enumerate(revision.mentioning(*_WORDS)):
            if name.lower().endswith((".yaml", ".yml", ".json")):
                # Flat, and under names of ours: what git has may be no path to write to.
                (folder / f"{number}{Path(name).suffix}").write_bytes(content)
        snapshot = FileSource((made,)).snapshot()
        return [mark.identity for mark in all_marks(snapshot, Looked(()), inline)]
