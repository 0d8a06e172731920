"""What is a credential is hidden; what is none stays, and every address with it."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditor.credentials import (
    Cleaning,
    hidden,
    is_credential_name,
    may_hold_secret,
    told,
    without_credentials,
)
from auditor.facts.addresses import addresses
from auditor.facts.configuration import Text
from auditor.model import Ref
from auditor.stand_ins import SHORT, VALUE, WORD

DRAWN = "aX9kQ2mZ7pL4wR8tY3nB5vC1"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----\n"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"

SECRET = {
    "a password under its name": ("DB_PASSWORD", "hunter2", "hunter2"),
    "a password of many words": ("passphrase", "correct horse", "horse"),
    "a camel's token": ("apiToken", "open-sesame", "sesame"),
    "the password of a URL": ("", "postgres://shop:hunter2@db:5432/shop", "hunter2"),
    "a password with an at sign": ("", "amqp://shop:hun@ter2@mq/", "ter2"),
    "the password of a DSN": ("DSN", "shop:hunter2@tcp(db:3306)/shop", "hunter2"),
    "a token in a query": ("", "https://x.example/hook?token=open7&a=1", "open7"),
    "credentials of a registry": ("image", "shop:hunter2@registry.example/app:1", "hunter2"),
    "a flag with its value": ("", "--token=open-sesame", "sesame"),
    "a flag before its value": ("", "serve --api-key sesame --port 80", "sesame"),
    "curl's user": ("", "curl -u shop:hunter2 http://db", "hunter2"),
    "a header": ("", "Authorization: Bearer abc1def2", "abc1def2"),
    "a header of two": ("Authorization", "Basic c2hvcDpodW50ZXIy", "c2hvcDpodW50ZXIy"),
    "a line of properties": ("app.properties", "host=db\ndb.password=hunter2\n", "hunter2"),
    "a line of YAML": ("app.yaml", 'host: db\npassword: "hun ter2"\n', "ter2"),
    "a member of JSON": ("app.json", '{"secretKey": "hunter2", "host": "db"}', "hunter2"),
    "escaped JSON": ("x", '{\\"password\\": \\"hunter2\\"}', "hunter2"),
    "an element of XML": ("app.xml", "<password>hunter2</password>", "hunter2"),
    "a private key": ("tls", KEY, "MIIEow"),
    "a private key without an end": ("tls", KEY[:50], "MIIEow"),
    "a token of Amazon": ("x", "AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
    "a token of GitHub": ("x", f"ghp_{'a1B2c3' * 6}", "a1B2c3"),
    "a token of GitLab": ("x", "glpat-abcdefghij1234567890", "abcdefghij"),
    "a signed token": ("x", JWT, "eyJzdWIi"),
    "drawn by lot": ("x", f"mode={DRAWN}", DRAWN),
    "drawn by lot, small letters": ("x", "k3j4h5k3x9q2p8w7e6r5t4y3", "k3j4h5"),
}


@pytest.mark.parametrize("name", SECRET)
def test_a_credential_is_hidden(name: str) -> None:
    """Wherever it stands, and hiding it again changes nothing."""
    key, text, part = SECRET[name]
    assert part in text
    shown = hidden(text, key)
    assert part not in shown
    assert shown != text
    assert hidden(shown, key) == shown
    assert shown.count("\n") == text.count("\n"), "lines stay where they are"


HARMLESS = {
    "a host": ("DB_HOST", "db"),
    "a URL": ("TOKEN_URL", "http://auth:8080/token"),
    "an address under a secret's name": ("SECRET_STORE", "vault:8200"),
    "a file": ("DB_PASSWORD_FILE", "/run/secrets/db"),
    "a file under a plain name": ("DB_PASSWORD", "/run/secrets/db"),
    "a name": ("secretName", "db-password"),
    "an age": ("TOKEN_TTL", "3600"),
    "a switch": ("automountServiceAccountToken", "true"),
    "a reference": ("DB_PASSWORD", "$(OTHER)"),
    "a digest": ("image", "registry.example/app:1.0@sha256:" + "0a" * 32),
    "an image of many folders": ("image", "registry.example/r-0d398e3d96cb/prom/prometheus:v3.1.0"),
    "a commit": ("GIT_COMMIT", "3f786850e387550fdab836ed7e6dc881de23001b"),
    "a pod": ("x", "web-6d4cf56db6-abcde"),
    "a term of the API": ("x", "RequiredDuringSchedulingIgnoredDuringExecution"),
    "a feature gate": ("", "--feature-gates=InPlacePodVerticalScaling=true"),
    "an e-mail address": ("x", "mailto:shop@example.com"),
    "a sentence": ("x", "The author bypasses compasses."),
    "a class": ("x", "org.apache.kafka.common.security.plain.PlainLoginModule"),
    "a certificate": ("x", "-----BEGIN CERTIFICATE-----\n"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_none_stays(name: str) -> None:
    """Facts and policies read it."""
    key, text = HARMLESS[name]
    assert hidden(text, key) == text


def test_what_stands_there_is_of_the_same_class() -> None:
    """A policy that looks for credentials in plain sight finds as many as before."""
    patterns = (
        r"AKIA[0-9A-Z]{16}",
        r"ghp_[A-Za-z0-9]{36}",
        r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+",
        r"-----BEGIN RSA PRIVATE KEY-----\n[\s\S]+\n-----END",
        r"://\w+:\w+@db",
    )
    texts = ("AKIAIOSFODNN7EXAMPLE", f"ghp_{'a1B2c3' * 6}", JWT, KEY, "postgres://u:p1@db/x")
    for pattern, text in zip(patterns, texts, strict=True):
        assert re.search(pattern, text)
        assert re.search(pattern, hidden(text))


_WORDS = st.sampled_from(
    [
        "db",
        "db:5432",
        "http://web:8080/x",
        "postgres://shop:hunter2@db:5432/shop",
        "shop:pw1@db:80",
        "user@tcp(db:3306)/x",
        "DB_HOST=db",
        "DB_PASSWORD=hunter2",
        "password: hunter2",
        "host: db",
        '{"url": "http://db:80", "token": "abc"}',
        "--server",
        "--token",
        "-h",
        "jdbc:oracle:thin:@//db:1521",
        DRAWN,
        JWT,
        "https://x/?token=a1&to=http://db:80",
        "a.b.svc.cluster.local",
        "redis://:pw2@cache:6379",
        "amqp://u:p@mq1:5672,mq2:5672/",
        "Bearer abc1def2",
        "-u a:b9@web:80",
        "secret",
        "true",
    ]
)
_KEYS = st.sampled_from(
    [
        "",
        "DB_HOST",
        "DB_PASSWORD",
        "URL",
        "TOKEN_URL",
        "app.properties",
        "secrets.yaml",
        "AUTH_SERVER",
        "credentials",
        "DB_SECRET",
        "--token",
        "dbHost",
        "CORS_ORIGINS",
    ]
)


_DOCUMENT = '{"url": "http://db:80", "token": "abc"}'


@settings(max_examples=400)
@example([_DOCUMENT, "--token", _DOCUMENT], " ", "", False)
@given(st.lists(_WORDS, max_size=6), st.sampled_from([" ", "\n", ",", ";"]), _KEYS, st.booleans())
def test_every_address_stays(words: list[str], between: str, key: str, file: bool) -> None:
    """Who is told to ask whom is the same with the credentials and without them."""
    text = between.join(words[: 1 if is_credential_name(key) else None])
    nowhere = Ref("v1", "Pod", "", "")

    def found(value: str) -> list[Any]:
        return list(addresses(Text(key, value, nowhere, (), file=file)))

    hosts = {"db", "web", "cache", "mq1", "mq2", "a.b.svc.cluster.local"}
    assert [a for a in found(hidden(text, key)) if a.host in hosts] == [
        a for a in found(text) if a.host in hosts
    ]


@given(st.text() | st.from_regex(r"[\w:/@=\"' -]{0,80}", fullmatch=True), _KEYS)
def test_hidden_once_is_hidden(text: str, key: str) -> None:
    """Whatever the text, and its lines stay as many."""
    once = hidden(text, key)
    assert hidden(once, key) == once
    assert once.count("\n") == text.count("\n")


def test_an_object_is_cleaned_wherever_it_holds_one() -> None:
    """Values, arguments behind their flag, annotations, headers, files; names and labels stay."""
    secret = base64.b64encode(bytes(range(60, 90))).decode()
    manifest = {
        "kind": "Pod",
        "metadata": {"name": "token", "labels": {"token": "a"}, "annotations": {"a/token": "open"}},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "args": ["--password", "hunter2", "--level", "info"],
                    "env": [
                        {"name": "API_KEY", "value": "open"},
                        {"name": "LEVEL", "value": "info"},
                    ],
                    "ports": [{"containerPort": 80}],
                }
            ]
        },
        "data": {"note": f"x {secret}"},
    }
    before = repr(manifest)
    clean = without_credentials(manifest)
    assert repr(manifest) == before
    container = clean["spec"]["containers"][0]
    assert container["args"] == ["--password", WORD, "--level", "info"]
    assert [each["value"] for each in container["env"]] == [SHORT, "info"]
    assert clean["metadata"]["labels"] == {"token": "a"}
    assert clean["metadata"]["annotations"] == {"a/token": SHORT}
    assert secret not in clean["data"]["note"]
    assert container["ports"] is manifest["spec"]["containers"][0]["ports"]  # type: ignore[index]


def test_a_sentence_keeps_its_words() -> None:
    """That a token is missing tells of none; what another program quotes does."""
    assert told("metadata.token: missing") == "metadata.token: missing"
    assert told("line 3: password: hunter2x9") == f"line 3: password: {VALUE}"
    assert told("cannot parse 'password=abc'") == f"cannot parse 'password={VALUE}'"


@pytest.mark.parametrize(
    "text",
    [
        "it is written more than once, at cart.yaml:3 and token-service.yaml:50: only one counts",
        "spec.rules of shop/web (shop/password-reset.yaml:41) is no list",
        "see passwords.yaml:7.",
    ],
)
def test_a_sentence_keeps_the_lines_it_points_to(text: str) -> None:
    """A number after the name of a file is a line, whatever follows it."""
    assert told(text) == text


@pytest.mark.parametrize(
    "path",
    [
        ("data", "x"),
        ("spec", "containers", 0, "env", 0, "value"),
        ("spec", "containers", 0, "args", 1),
        ("spec", "containers", 0, "livenessProbe", "httpGet", "httpHeaders", 0, "value"),
    ],
)
def test_places_where_people_keep_credentials(path: tuple[str | int, ...]) -> None:
    """Whatever is written there is not shown."""
    assert may_hold_secret(path)


def test_many_objects_are_cleaned_as_each_by_itself() -> None:
    """Those that are alike share what they hold; a number is no truth, and deep ones are cut."""
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"inside": deep}
    containers = [{"name": "app", "env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}]
    specs: list[Any] = [
        {"containers": containers, "nodeName": "a"},
        {"containers": [{**containers[0]}], "nodeName": "b"},
        {"name": "DB_PASSWORD", "value": "hunter2"},
        {"name": "DB_PASSWORD", "value": ["hunter2"]},
        {"value": ["hunter2"]},
        {"flag": [1]},
        {"flag": [True]},
        {"flag": [1.0]},
        {"password": "hunter2", "args": ["--token", "sesame"]},
        {"deep": deep},
        None,
        "text",
    ]
    objects = [{"kind": "Pod", "spec": spec, "note": {"token": "sesame1"}} for spec in specs]
    cleaning = Cleaning()
    found = [cleaning.of(each) for each in objects]
    for one, each in zip(found, objects, strict=True):
        assert repr(one) == repr(without_credentials(each))
        assert list(one) == list(each)
    assert found[0]["spec"]["containers"] is found[1]["spec"]["containers"]
    assert "hunter2" not in repr(found[:2])
