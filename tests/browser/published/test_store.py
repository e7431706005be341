"""What the published page reads from the bucket and puts there, with keys of the identity pool.

The emulator checks who asks for keys, each signature, the role's rights and the bucket's CORS.
"""

from __future__ import annotations

import datetime
import re
from typing import Any
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from playwright.sync_api import Page, Route, expect

from deploy.template import TEMPLATE
from portal.gateways.cognito import tokens
from tests.browser.published.conftest import OpenPage, Published, expect_in, fill

pytestmark = [pytest.mark.browser, pytest.mark.embedded]

NOW = datetime.datetime(2026, 11, 30, 23, 59, 7)  # noqa: DTZ001 -- as botocore's own clock gives it
KEYS = [
    "pages/index.json",
    "a/b c/ü&ß.csv",
    "sub/1_it's (1)!*.csv",
    "x/~-_.tilde",
    "plus+and=and@and:and;and,and$.csv",
    "per%cent%20/100%.csv",
    "日本語/ファイル.csv",
    "emoji/😀.csv",
    'quotes"<>^`{|}[].csv',
    "sharp#and?question.csv",
]
HEADERS: list[dict[str, str]] = [
    {},
    {"If-None-Match": '"0123456789abcdef"'},
    {"content-type": "application/octet-stream"},
    {"Content-Type": "text/csv; charset=utf-8", "X-Amz-Meta-Note": "  two   blanks  ", "x-amz-acl": "private"},
]
ENDINGS = [".csv", ".csv.gz", ".csv.zip", ".csv.zst", ".tsv", ".jsonl", ".parquet", ".xlsx"]
CORS = {"Access-Control-Allow-Origin": "*"}
PUT = """
    const file = new File([new Uint8Array(given[1]).fill(65)], "a.csv");
    const seen = [];
    await it.putObject(given[0], file, { onProgress: (sent, all) => seen.push([sent, all]) });
    return seen;
"""


@pytest.fixture
def page(published: Published, open_page: OpenPage) -> Page:
    """The page of somebody who is in."""
    address, opened = published.pool.add("predictor"), open_page()
    fill(opened, address)
    expect_in(opened, address)
    return opened


def sub_of(published: Published, page: Page) -> str:
    return published.run(page, "session", "return it.session.person.sub")


def outcome(published: Published, page: Page, body: str, *given: Any) -> Any:
    """What `body` resolves to, or the kind and the words of what it rejects with."""
    told = "(error) => ({ kind: error.constructor.name, words: error.message })"
    return published.run(page, "aws", f"return (async () => {{ {body} }})().catch({told})", *given)


def let_refusals_be_read(published: Published, page: Page) -> None:
    """S3 gives its refusals the headers of CORS; the emulator does not."""

    def pass_on(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, **CORS})

    page.route(f"{published.pool.endpoint}/published/**", pass_on)


@pytest.mark.parametrize("headers", HEADERS, ids=["none", "etag", "type", "many"])
@pytest.mark.parametrize("key", KEYS)
def test_signature_is_botocores(published: Published, signer: Page, monkeypatch, key: str, headers: dict[str, str]):
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)
    address = f"https://bucket.s3.eu-central-1.amazonaws.com/{quote(key, safe='/~')}"
    request = AWSRequest("PUT", address, headers=headers, data=b"never looked at")
    request.context = {"client_config": Config(s3={"payload_signing_enabled": False})}
    S3SigV4Auth(Credentials("AKIDEXAMPLE", "secret/key+1", "the-token=="), "s3", "eu-central-1").add_auth(request)

    ours = published.run(
        signer,
        "sigv4",
        """const [region, headers] = ["eu-central-1", given[1]];
        const url = `https://bucket.s3.${region}.amazonaws.com/${it.encodedKey(given[0])}`;
        const keys = { accessKeyId: "AKIDEXAMPLE", secretKey: "secret/key+1", sessionToken: "the-token==" };
        const at = Date.UTC(2026, 10, 30, 23, 59, 7);
        return { url, ...await it.sign({ method: "PUT", url, headers, region, keys, at }) };""",
        key,
        headers,
    )

    assert ours["url"] == address
    assert ours["Authorization"] == request.headers["Authorization"]
    assert ours["x-amz-content-sha256"] == request.headers["X-Amz-Content-SHA256"] == "UNSIGNED-PAYLOAD"
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"]


@pytest.fixture(scope="module")
def signer(browser, published: Published):
    """A page that signs; nobody need be in for that."""
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(published.url)
    yield opened
    context.close()


def test_published_object_is_read_and_not_sent_again_while_it_stays(published: Published, page: Page):
    published.write("pages/penguins/page.json", {"v": 1, "name": "Pinguïns"})
    get = "return it.getObject('pages/penguins/page.json', { etag: given[0] })"

    first = outcome(published, page, get, None)
    second = outcome(published, page, get, first["etag"])
    published.write("pages/penguins/page.json", {"v": 1, "name": "Others"})
    third = outcome(published, page, get, first["etag"])

    assert (first["status"], first["json"]) == (200, {"v": 1, "name": "Pinguïns"})
    assert second == {"status": 304, "json": None, "etag": first["etag"]}
    assert (third["status"], third["json"]["name"]) == (200, "Others")


@pytest.mark.parametrize("key", ["pages/none/page.json", "models/penguins/live.json"])
def test_object_that_is_not_there_or_not_for_browsers_is_404(published: Published, page: Page, key: str):
    published.write("models/penguins/live.json", {})
    let_refusals_be_read(published, page)

    assert outcome(published, page, "return it.getObject(given[0])", key)["status"] == 404


def test_keys_are_asked_for_once(published: Published, page: Page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.headers.get("x-amz-target", "")))

    outcome(published, page, "it.getObject('pages/index.json'); return it.getObject('pages/index.json')")
    outcome(published, page, "return it.getObject('pages/index.json')")

    assert asked.count("AWSCognitoIdentityService.GetCredentialsForIdentity") <= 1


def test_file_goes_to_its_persons_folder_with_its_way_told(published: Published, page: Page):
    size = 24 * 1024 * 1024
    key = outcome(published, page, "return it.fileKeyFor(new File(['x'], 'My penguins (1).CSV'))")

    seen = published.run(page, "aws", PUT, key, size)

    folder, _, name = key.partition("/")
    assert folder == sub_of(published, page)
    assert name.partition("_")[0].isdigit() and name.partition("_")[2] == "My_penguins_1_.csv"
    assert seen[-1] == [size, size] and seen == sorted(seen)
    assert published.read(key) == b"A" * size


def test_upload_stops_where_it_is_told_to(published: Published, page: Page):
    key = f"{sub_of(published, page)}/1_stopped.csv"
    stopped = outcome(
        published,
        page,
        """const file = new File([new Uint8Array(64 * 1024 * 1024)], "a.csv");
        const stop = new AbortController();
        await it.putObject(given[0], file, { onProgress: () => stop.abort(), signal: stop.signal });""",
        key,
    )

    assert stopped["kind"] == "DOMException"
    assert key not in [item["Key"] for item in published.s3.list_objects_v2(Bucket="published").get("Contents", [])]


def test_upload_that_was_stopped_before_it_began_sends_nothing(published: Published, page: Page):
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))

    stopped = outcome(
        published, page, "await it.putObject('x/1_a.csv', new File(['a'], 'a.csv'), { signal: AbortSignal.abort() })"
    )

    assert stopped["kind"] == "DOMException"
    assert "PUT" not in sent


def test_upload_that_the_store_refuses_is_told(published: Published, page: Page):
    let_refusals_be_read(published, page)

    refused = outcome(published, page, "await it.putObject('pages/index.json', new File(['{}'], 'a.csv'))")

    assert refused == {
        "kind": "Told",
        "words": "The store did not take the file. Has it changed since it was chosen?",
    }


@pytest.mark.parametrize("call", ["getObject('pages/index.json')", "putObject('x/1_a.csv', new File(['a'], 'a.csv'))"])
def test_store_that_is_away_is_told_as_passing(published: Published, page: Page, call: str):
    page.route(f"{published.pool.endpoint}/published/**", lambda route: route.abort())

    assert outcome(published, page, f"return it.{call}") == {
        "kind": "Away",
        "words": "The store cannot be reached just now. Try again in a moment.",
    }


def test_keys_that_are_over_are_replaced_once(published: Published, page: Page):
    answers = [dict(status=400, body="<Error><Code>ExpiredToken</Code></Error>")]
    page.route(
        f"{published.pool.endpoint}/published/pages/**",
        lambda route: route.fulfill(**answers.pop(), headers=CORS) if answers else route.continue_(),
    )

    assert outcome(published, page, "return it.getObject('pages/index.json')")["status"] == 200


def test_person_who_was_signed_out_elsewhere_gets_no_keys_and_is_told(published: Published, page: Page):
    pool = published.pool
    page.reload()
    expect(page.locator("details.menu summary")).to_be_visible()
    published.run(page, "keys", "it.forgetKeys()")
    address = published.run(page, "session", "return it.session.person.email")
    pool.admin.admin_user_global_sign_out(UserPoolId=pool.id, Username=address)
    pool.admin.admin_disable_user(UserPoolId=pool.id, Username=address)
    page.route(
        f"{pool.endpoint}/",
        lambda route: (
            route.fulfill(status=400, json={"__type": "NotAuthorizedException", "message": "revoked"}, headers=CORS)
            if "GetId" in route.request.headers.get("x-amz-target", "")
            else route.continue_()
        ),
    )

    told = outcome(published, page, "return it.getObject('pages/index.json')")

    assert told == {"kind": "SignedOut", "words": tokens.ENDED}
    expect(page.get_by_text(tokens.ENDED)).to_be_visible()


def test_pool_that_gives_no_keys_is_told(published: Published, page: Page):
    published.run(page, "keys", "it.forgetKeys()")
    page.route(
        f"{published.pool.endpoint}/",
        lambda route: (
            route.fulfill(status=400, json={"__type": "ResourceNotFoundException", "message": "gone"}, headers=CORS)
            if "AWSCognitoIdentityService" in route.request.headers.get("x-amz-target", "")
            else route.continue_()
        ),
    )

    told = outcome(published, page, "return it.getObject('pages/index.json')")

    assert told["kind"] == "Told" and "gave this page no access" in told["words"]


def test_clock_that_is_wrong_signs_as_of_the_right_time(published: Published, open_page: OpenPage):
    address, page = published.pool.add("predictor"), open_page()
    page.clock.install(time=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    dates: list[str] = []
    page.on("request", lambda request: dates.append(request.headers.get("x-amz-date", "")))
    page.reload()

    fill(page, address)
    expect_in(page, address)
    got = outcome(published, page, "return it.getObject('pages/index.json')")

    assert got["status"] == 200
    year = datetime.datetime.now(datetime.UTC).strftime("%Y")
    assert {date[:4] for date in dates if date} == {year}


@pytest.mark.parametrize(
    "name", [f"file{ending}" for ending in ENDINGS] + ["A.B.TSV", "ünï cödé.csv", "a" * 300 + ".csv"]
)
def test_file_that_can_be_scored_gets_a_key_that_the_role_allows(published: Published, page: Page, name: str):
    key = outcome(published, page, "return it.fileKeyFor(new File(['x'], given[0]))", name)

    assert any(key.endswith(ending) for ending in ENDINGS)
    assert len(key.encode()) <= 900 and " " not in key


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("file.txt", 1, "Choose a file in CSV"),
        ("file", 1, "Choose a file in CSV"),
        (".csv", 1, "Choose a file in CSV"),
        ("file.tsv.gz", 1, "Choose a file in CSV"),
        ("file.csv", 0, "The file is empty."),
        ("file.csv", 5 * 1024**3 + 1, "The file is larger than 5 GB"),
    ],
)
def test_file_that_cannot_be_scored_is_refused_before_it_is_sent(published, page: Page, name, size, words):
    told = outcome(published, page, "return it.fileKeyFor({ name: given[0], size: given[1] })", name, size)

    assert told["kind"] == "Told" and told["words"].startswith(words)


def test_file_of_five_gigabytes_is_taken(published: Published, page: Page):
    key = outcome(published, page, "return it.fileKeyFor({ name: 'a.csv', size: given[0] })", 5 * 1024**3)

    assert key.endswith("_a.csv")


def test_endings_are_those_of_the_templates_role(published: Published, page: Page):
    allowed = re.findall(r"\$\{!aws:PrincipalTag/sub\}/\*(\.[a-z.]+)", TEMPLATE.read_text("utf-8"))

    assert set(published.run(page, "aws", "return it.ENDINGS")) == set(allowed) == set(ENDINGS)
