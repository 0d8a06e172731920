"""What the flags and the configuration say together: whose word counts, and as of when."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.cli.config import Declared, from_here, nearest, parsed
from auditor.cli.config import load as load_config
from auditor.cli.revision import Revision
from auditor.cli.trivyignore import trivy_ignores
from auditor.declared import Ignored, Inline, Waiver
from auditor.errors import ConfigError, PolicyError
from auditor.policies.loader import load
from auditor.policies.ours import bundled
from auditor.terms import CONFIGURATION

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
    if policies.config_from is None:
        return load_config(policies.config, start)
    revision = Revision.of(policies.config_from, start)
    for file in _candidates(policies.config, start, revision):
        content = revision.content(file)
        if content is not None:
            return parsed(_text(content, file, revision), revision.named(file), file.parent)
        if revision.is_link(file):
            why = (
                "is a symbolic link, which is not followed in a revision: name its file (--config)"
            )
            raise ConfigError(f"{revision.named(file)}: {why}")
    return Declared()


def _candidates(named: Path | None, start: Path, revision: Revision) -> Iterable[Path]:
    """Where the configuration may have been, the nearest first."""
    if named:
        return [named]
    folder = start.resolve()
    return [
        up / CONFIGURATION for up in (folder, *folder.parents) if up.is_relative_to(revision.root)
    ]


def _text(content: bytes, file: Path, revision: Revision) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{revision.named(file)}: cannot be read: {error}") from error


def load_policies(
    policies: PolicyOptions, declared: Declared, start: Path
) -> tuple[tuple[Policy, ...], Mapping[str, str]]:
    """All policies that there are, and their libraries: ours, those of the configuration, and
    those of the flags. With --config-from, folders of the repository are read as they were.

    Raises:
        ConfigError: a folder is not there; or there would be no policy.
        PolicyError: one is wrong.
    """
    ours = () if policies.no_builtin_policies else (bundled(),)
    theirs = (*declared.policy_folders, *policies.policies_folders)
    if not ours and not theirs:
        raise ConfigError("--no-builtin-policies leaves no policy: name a folder with --policies")
    revision = (
        Revision.of(policies.config_from, start) if policies.config_from is not None else None
    )
    with tempfile.TemporaryDirectory() as made:
        before = [_as_it_was(f, revision, Path(made, str(i))) for i, f in enumerate(theirs)]
        for folder in before:
            if not folder.is_dir():
                raise ConfigError(f"{declared.file}: policies: there is no folder {folder}")
        try:
            return load(*ours, *before)
        except PolicyError as error:
            names = dict(zip(map(str, before), map(str, theirs), strict=True))
            raise PolicyError(_with_names(str(error), names)) from error


def _with_names(text: str, names: Mapping[str, str]) -> str:
    """A message about files of the revision, under the names that the user knows."""
    for made, name in names.items():
        text = text.replace(made, name)
    return text


def _as_it_was(folder: Path, revision: Revision | None, made: Path) -> Path:
    """The folder, or `made` with what was in it where it is of the repository."""
    if revision is None or not revision.holds(folder):
        return folder
    revision.write(folder, made, ends=(".rego",))
    if not made.is_dir():
        raise ConfigError(f"{revision.named(folder)}: holds no policy: it may be new")
    return made


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
    revision = (
        Revision.of(policies.config_from, start) if policies.config_from is not None else None
    )
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
    now = load_config(policies.config, start)
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
    folder = from_here((nearest(start) or start / CONFIGURATION).parent)

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
        found = revision.mentioning(*_WORDS, ends=(".yaml", ".yml", ".json"))
        for number, (name, content) in enumerate(found):
            # Flat, and under names of ours: what git has may be no path to write to.
            (folder / f"{number}{Path(name).suffix}").write_bytes(content)
        snapshot = FileSource((made,)).snapshot()
        return [mark.identify() for mark in all_marks(snapshot, Looked(()), inline)]
