"""`auditor new`: the first lines of a policy and its fixtures, in a checkout of the repository."""

from __future__ import annotations

import re
from pathlib import Path

import click

POLICY = """\
# METADATA
# title: {title}
# description: |
#   Say in two sentences what is wrong with it, and what it leads to.
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
package policies.{package}

import data.lib.workload

deny contains finding if {{
	workload.pod.hostNetwork == true
	path := array.concat(workload.pod_path, ["hostNetwork"])
	finding := {{
		"path": path,
		"message": "shares the network of its node",
		"fix": {{
			"title": "use a network of its own",
			"safety": "unsafe",
			"patch": [{{"op": "remove", "path": path}}],
		}},
	}}
}}
"""

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
{line}  containers:
    - name: app
      image: registry.example/app:1.0.0
"""

FAULT = "  hostNetwork: true"


@click.command(short_help="Write the first lines of a new policy and its fixtures.")
@click.argument("name", metavar="FOLDER/NAME")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The checkout to write into [default: the current folder].",
)
def new(name: str, root: Path) -> int:
    """Write policies/FOLDER/NAME.rego and a failing, a passing and a fixed fixture."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)+", name):
        raise click.UsageError(f"'{name}' is no name like workload/host_network")
    if not (root / "policies" / "lib").is_dir():
        why = "there is no policies/lib in it"
        own = "for policies of your own see docs/configuration.md"
        raise click.UsageError(f"{root.resolve()} is no checkout of auditor: {why}; {own}")
    short = name.rpartition("/")[2].replace("_", "-")
    fixtures = root / "fixtures" / "policies" / name
    title = short.replace("-", " ").capitalize()
    marked = f"{FAULT}  # finding: shares the network of its node\n"
    files = {
        root / "policies" / f"{name}.rego": POLICY.format(
            title=title, package=name.replace("/", ".")
        ),
        fixtures / f"fail-{short}.yaml": POD.format(name=short, line=marked),
        fixtures / f"fixed-{short}.yaml": POD.format(name=short, line=""),
        fixtures / f"pass-{short}.yaml": POD.format(name=short, line=""),
    }
    taken = next((path for path in files if path.exists()), None)
    if taken:
        raise click.UsageError(f"{taken} is there already")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(f"wrote {path}")
    click.echo("next: say what and why in METADATA, write the rule, mark the line")
    click.echo("then: make docs reports test")
    return 0
