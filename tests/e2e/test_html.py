"""The pages, opened in a real browser as a person would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .browser import Browser
from .product import PEAPODS, auditor

pytestmark = pytest.mark.e2e

SHOWN = "Array.from(document.querySelectorAll('#groups .head'))"
MANY = 5_000
HOSTILE = "</script><script>window.hit=1</script><img src=x onerror='window.hit=1'>\"'&"


def report(file: Path, *arguments: str | Path) -> Path:
    """The page about these manifests."""
    said = auditor("audit", *arguments, "--fail-on", "never", "--format", "html", "-o", file)
    assert said.code in (0, 4), said.err
    return file


@pytest.fixture(scope="module")
def peapods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report about the example company."""
    return report(tmp_path_factory.mktemp("peapods") / "report.html", PEAPODS)


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the report for programs says of it."""
    found: list[dict[str, Any]] = auditor("audit", PEAPODS, "--format", "json").report["findings"]
    return found


@pytest.fixture
def page(browser: Browser, peapods: Path) -> Browser:
    """The browser with that report before it."""
    opened(browser, peapods)
    return browser


def opened(browser: Browser, file: Path, **screen: Any) -> None:
    browser.open(file, **screen)
    browser.settled("document.getElementById('list').dataset.built")


def shown(page: Browser) -> int:
    """How many findings are listed."""
    return int(page.run(f"{SHOWN}.length"))


def chosen(page: Browser, field: str, value: str) -> None:
    """Choose in a list, as a person does."""
    page.run(
        f"(() => {{ const one = document.getElementById('{field}');"
        f"one.value = {json.dumps(value)};"
        "one.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )


def focused(page: Browser, what: str = "textContent") -> str:
    return str(page.run(f"document.activeElement.{what}"))


def test_it_opens_offline_without_a_complaint(page: Browser) -> None:
    """Nothing is fetched, no script fails, and the policy of contents has nothing to forbid."""
    assert page.troubles == []
    assert page.requests == []


def test_every_finding_is_listed(page: Browser, findings: list[dict[str, Any]]) -> None:
    """As many as the report for programs has, each with its words and its place."""
    said = page.run(f"{SHOWN}.map((one) => one.textContent)")
    assert len(said) == len(findings) > 10
    for finding in findings:
        place = f"{finding['file']}:{finding['line']}:{finding['column']}"
        assert any(finding["message"] in one and place in one for one in said)


FILTERS: tuple[tuple[str, str, Callable[[dict[str, Any]], bool]], ...] = (
    ("policy", "disruption/no_budget", lambda f: f["policy"] == "disruption/no_budget"),
    ("namespace", "customers", lambda f: f["object"]["namespace"] == "customers"),
    ("fix", "proven", lambda f: bool(f["fix"] and f["fix"]["proven"])),
    ("fix", "none", lambda f: not (f["fix"] and f["fix"]["proven"])),
    ("status", "open", lambda f: f["status"] == "open"),
)


@pytest.mark.parametrize(("field", "value", "fits"), FILTERS, ids=lambda one: str(one)[:20])
def test_a_filter_leaves_what_fits(
    page: Browser,
    findings: list[dict[str, Any]],
    field: str,
    value: str,
    fits: Callable[[dict[str, Any]], bool],
) -> None:
    chosen(page, field, value)
    assert shown(page) == sum(map(fits, findings))


def test_severities_are_taken_away_and_put_back(
    page: Browser, findings: list[dict[str, Any]]
) -> None:
    """By their boxes; a number of the summary shows its severity alone."""
    low = sum(finding["severity"] == "low" for finding in findings)
    page.click("#severities input[value=low]")
    assert shown(page) == len(findings) - low
    page.click(".card.low")
    assert shown(page) == low
    page.click("button[type=reset]")
    page.settled(f"{SHOWN}.length === {len(findings)}")


def test_words_are_searched_for_and_the_count_is_told(
    page: Browser, findings: list[dict[str, Any]]
) -> None:
    """The slash leads to the field; every word has to fit; whoever does not see hears the count."""
    page.press("/")
    assert focused(page, "id") == "find"
    page.type("budget cart")
    page.settled(f"{SHOWN}.length === 1")
    assert "shop/cart" in page.run(f"{SHOWN}[0].textContent")
    told = "document.getElementById('count')"
    assert page.run(f"{told}.textContent") == f"1 of {len(findings)} findings"
    assert page.run(f"{told}.getAttribute('aria-live')") == "polite"
    page.press("Escape")
    page.settled(f"{SHOWN}.length === {len(findings)}")


def test_the_keyboard_opens_a_finding(page: Browser) -> None:
    """From the search down to the first group, its first finding, and into it."""
    page.press("/")
    page.press("ArrowDown")
    page.press("ArrowDown")
    assert focused(page, "className") == "head"
    assert focused(page, "getAttribute('aria-expanded')") == "false"
    page.press("Enter")
    assert focused(page, "getAttribute('aria-expanded')") == "true"
    told = page.run("document.activeElement.parentElement.querySelector('.more').innerText")
    assert "privileged: true" in told
    assert "Proven: the finding is gone" in told
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_a_fix_is_a_coloured_diff(page: Browser) -> None:
    """What goes and what comes do not look alike."""
    chosen(page, "policy", "workload/privileged_container")
    page.click("#groups .head")
    looks = page.run(
        "['.del', '.add'].map((look) => { const one = document.querySelector('.diff ' + look);"
        "return [one.textContent.trim(), getComputedStyle(one).backgroundColor]; })"
    )
    (gone, red), (come, green) = looks
    assert gone.startswith("-")
    assert "privileged: true" in gone
    assert come.startswith("+")
    assert red != green


def test_findings_are_grouped_as_asked(page: Browser, findings: list[dict[str, Any]]) -> None:
    """By object each has its group."""
    chosen(page, "group", "object")
    groups = page.run("document.querySelectorAll('#groups .group').length")
    objects = {
        (f["object"]["kind"], f["object"]["namespace"], f["object"]["name"]) for f in findings
    }
    assert groups == len(objects)


def test_dark_and_light_follow_the_screen_and_the_button(browser: Browser, peapods: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    opened(browser, peapods, dark=True)
    dark = browser.run(paper)
    browser.click("#theme")
    light = browser.run(paper)
    opened(browser, peapods)
    assert browser.run(paper) == light != dark
    browser.click("#theme")
    assert browser.run(paper) == dark


class TestNetwork:
    """Who reaches whom, and why."""

    def test_the_table_says_who_reaches_personal_data_and_by_which_line(
        self, page: Browser
    ) -> None:
        rows = page.run(
            "Array.from(document.querySelectorAll('#network-0 .reached tbody tr'))"
            ".map((row) => row.innerText)"
        )
        assert any("customers/customers" in r and "everything in the cluster" in r for r in rows)
        (spied,) = (row for row in rows if "monitoring/prometheus" in row)
        assert "diets/diets SPI" in spied
        rule = _line_of(PEAPODS / "diets.yaml", "monitoring")
        assert "diets.yaml:" in spied
        assert abs(int(spied.rpartition("diets.yaml:")[2].split()[0]) - rule) < 8

    def test_a_line_of_the_graph_tells_its_reason(self, page: Browser) -> None:
        edges = page.run(
            "Array.from(document.querySelectorAll('#network-0 svg .edge title'))"
            ".map((one) => one.textContent)"
        )
        assert "monitoring/prometheus → diets/diets: every port" in edges
        at = edges.index("monitoring/prometheus → diets/diets: every port")
        page.run(
            f"document.querySelectorAll('#network-0 svg .edge')[{at}]"
            ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
        )
        about = page.run("document.querySelector('#network-0 .about').innerText")
        assert "NetworkPolicy diets/diets admits it on every port" in about
        assert "diets.yaml:" in about

    def test_the_keyboard_goes_from_workload_to_workload(self, page: Browser) -> None:
        page.run("document.querySelector('#network-0 svg .node').focus()")
        page.press("ArrowRight")
        assert focused(page, "getAttribute('role')") == "button"
        number = int(focused(page, "dataset.node"))
        page.press("Enter")
        data = page.run("JSON.parse(document.getElementById('network-0-now-data').textContent)")
        about = page.run("document.querySelector('#network-0 .about h3').textContent")
        assert about == data["nodes"][number]["name"]
        page.press("Escape")
        assert page.run("document.querySelector('#network-0 .about h3').textContent") != about

    def test_with_the_fixes_the_monitor_reaches_health_alone(self, page: Browser) -> None:
        page.click("#network [aria-controls='network-1']")
        rows = page.run(
            "Array.from(document.querySelectorAll('#network-1 .reached tbody tr'))"
            ".map((row) => row.innerText)"
        )
        assert page.run("document.getElementById('network-0').hidden")
        assert not any("everything in the cluster" in row for row in rows)
        spied = [row for row in rows if "diets/diets" in row and "monitoring/prometheus" in row]
        assert len(spied) == 1
        assert "TCP 8081" in spied[0]
        assert "every port" not in spied[0]


class TestPlacement:
    """Racks and nodes, before and after the fixes."""

    def test_the_map_has_every_rack_node_and_pod(self, page: Browser) -> None:
        said = auditor("placement", "show", PEAPODS, "--format", "json").report
        racks = [rack for region in said["places"] for zone in region["places"]
                 for rack in zone["places"]]  # fmt: skip
        titles = page.run(
            "Array.from(document.querySelectorAll('#placement-0 svg .title'))"
            ".map((one) => one.textContent)"
        )
        nodes = page.run(
            "Array.from(document.querySelectorAll('#placement-0 svg .node'))"
            ".map((one) => one.dataset.name)"
        )
        for rack in racks:
            assert any(title.startswith(f"rack {rack['name']} ·") for title in titles)
        assert sorted(nodes) == sorted(n["name"] for rack in racks for n in rack["nodes"])

    def test_a_workload_shows_whom_it_calls(self, page: Browser) -> None:
        pod = "Array.from(document.querySelectorAll('#placement-0 svg .pod')).find((one) => \
            one.getAttribute('aria-label').startsWith('shop/orders,'))"
        page.run(f"{pod}.focus()")
        page.press("Enter")
        assert page.run("document.querySelector('#placement-0 .about h3').textContent") == (
            "shop/orders"
        )
        assert page.run("document.querySelectorAll('#placement-0 .calls path').length") > 0

    def test_with_the_fixes_it_says_what_moves(self, page: Browser) -> None:
        """The replicas that shared a rack stand in two."""
        page.click("#placement [aria-controls='placement-1']")
        moves = page.run(
            "Array.from(document.querySelectorAll('#placement-1 .moves li'))"
            ".map((one) => one.textContent)"
        )
        (move,) = (one for one in moves if one.startswith("customers/customers:"))
        before, _, after = move.partition("→")
        assert "rack1-" not in before
        assert "rack1-" in after
        assert "rack2-" in after


def _line_of(file: Path, word: str) -> int:
    lines = file.read_text("utf-8").splitlines()
    return next(n for n, line in enumerate(lines, 1) if word in line)


def test_text_of_others_stays_text(browser: Browser, tmp_path: Path) -> None:
    """Whatever a manifest holds, nothing of it acts; and it is there to be read."""
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": HOSTILE, "namespace": HOSTILE, "labels": {"auditor/data": "pii"}},
        "spec": {
            "selector": {"matchLabels": {"app": "a"}},
            "template": {
                "metadata": {"labels": {"app": "a"}},
                "spec": {
                    "containers": [
                        {"name": HOSTILE, "image": HOSTILE, "securityContext": {"privileged": True}}
                    ]
                },
            },
        },
    }
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": HOSTILE}}
    folder = tmp_path / "a<img src=x onerror=window.hit=1>"
    folder.mkdir()
    (folder / "all.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [manifest, node]})
    )
    opened(browser, report(tmp_path / "hostile.html", folder))
    browser.run(f"{SHOWN}.forEach((one) => one.click())")
    browser.run("document.querySelectorAll('svg [role=button]').forEach((one) => "
                "one.dispatchEvent(new MouseEvent('click', {bubbles: true})))")  # fmt: skip
    assert browser.run("window.hit") is None
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.run("document.scripts.length") == browser.run(
        "document.querySelectorAll(\"script[type='application/json']\").length + 1"
    )
    assert browser.troubles == []
    assert HOSTILE in browser.run("document.getElementById('groups').textContent")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report about a company with five thousand faults."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "all.yaml").write_text("---\n".join(map(_faulty, range(MANY // 24 + 1))))
    selected = (
        w for name in ("workload", "health", "image", "resources") for w in ("--select", name)
    )
    return report(folder / "report.html", folder, "--profile", "strict", *selected)


def _faulty(number: int) -> str:
    """A workload with two dozen faults."""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: app-{number}, namespace: team-{number % 25}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: app-{number}}}}}
  template:
    metadata: {{labels: {{app: app-{number}}}}}
    spec:
      containers:
        - name: app
          image: registry.example/app:latest
          securityContext:
            privileged: true
            allowPrivilegeEscalation: true
            runAsUser: 0
        - name: side
          image: registry.example/side:latest
          securityContext: {{privileged: true}}
"""


def test_five_thousand_findings_open_in_less_than_two_seconds(browser: Browser, many: Path) -> None:
    """From the first byte to the list as a person sees it first, with every fix in it; of the best
    of three, since others use the machine too. A filter answers while one types.
    """
    times = []
    for _ in range(3):
        opened(browser, many)
        times.append(browser.run("performance.now()"))
    total = browser.run("JSON.parse(document.getElementById('findings-data').textContent)"
                        ".findings.length")  # fmt: skip
    assert total >= MANY
    assert min(times) < 2_000, times
    browser.run(
        "document.getElementById('find').value = 'app-7 privileged';"
        "document.getElementById('find').dispatchEvent(new Event('input'))"
    )
    browser.settled(f"{SHOWN}.length > 0 && {SHOWN}.length < 60")


def test_none_of_them_is_lost(browser: Browser, many: Path) -> None:
    """A large group shows its first; a button shows the rest, and paper has all."""
    opened(browser, many)
    group = "document.querySelector('#groups .group')"
    size = int(browser.run(f"{group}.querySelector('.size').textContent").replace(",", ""))
    assert browser.run(f"{group}.querySelectorAll('.head').length") < size
    browser.click("#groups .rest")
    assert browser.run(f"{group}.querySelectorAll('.head').length") == size
    assert focused(browser, "className") == "head"
    browser.run("dispatchEvent(new Event('beforeprint'))")
    count = browser.run("document.getElementById('count').textContent")
    assert count == f"{shown(browser):,} findings"


def test_a_narrow_screen_is_wide_enough(browser: Browser, peapods: Path) -> None:
    """Nothing of the page itself is to be scrolled sideways."""
    opened(browser, peapods, width=400)
    browser.run(f"{SHOWN}.forEach((one) => one.click())")
    assert browser.run("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("words", [("network", "graph"), ("placement", "show")], ids="-".join)
def test_the_pictures_are_pages_of_their_own_too(
    browser: Browser, tmp_path: Path, words: tuple[str, str]
) -> None:
    """The same pictures; the search finds in them."""
    file = tmp_path / "page.html"
    assert auditor(*words, PEAPODS, "--format", "html", "-o", file).code == 0
    browser.open(file)
    assert browser.troubles == []
    assert browser.requests == []
    before = browser.run("document.querySelectorAll('.dim').length")
    browser.run("document.querySelector('input[type=search]').focus()")
    browser.type("diets/diets")
    assert before == 0 < browser.run("document.querySelectorAll('.dim').length")
