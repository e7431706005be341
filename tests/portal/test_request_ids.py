"""Each request has an id of its own, for as long as it is answered and no longer."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from portal import request_ids
from portal.middleware import RequestIdMiddleware
from tests.portal.factories import make_user

PROXIES = ["10.0.0.7", "10.1.0.0/16"]
MADE = re.compile(r"[0-9a-f]{16}")


def begin(settings, *, peer: str, brought: str) -> str:
    """The id under which a request from this peer, with this header, is answered."""
    settings.REQUEST_IDS_FROM = PROXIES
    request = RequestFactory().get("/", headers={"X-Request-Id": brought}, REMOTE_ADDR=peer)
    return RequestIdMiddleware(lambda asked: HttpResponse())(request)["X-Request-Id"]


def answer(respond) -> HttpResponse:
    return RequestIdMiddleware(respond)(RequestFactory().get("/"))


@pytest.mark.parametrize("path", ["/health/", "/nowhere/", "/", "/static/portico/css/base.css", "/api/nothing/"])
def test_answer_of_every_kind_names_its_id(db, path: str):
    answers = [Client().get(path) for _ in range(2)]

    first, second = (found["X-Request-Id"] for found in answers)
    assert first != second
    assert MADE.fullmatch(first) and MADE.fullmatch(second)
    for found in answers:
        found.close()


@pytest.mark.parametrize("peer", ["10.0.0.7", "10.1.200.3"])
@pytest.mark.parametrize("brought", ["3f9a3f9a", "2B7E1516-28AE-D2A6-ABF7-158809CF4F3C", "x" * 64])
def test_well_formed_id_of_a_proxy_is_kept(settings, peer: str, brought: str):
    assert begin(settings, peer=peer, brought=brought) == brought


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.8", "", "unix:", "::1"])
def test_id_of_anybody_else_is_not_believed(settings, peer: str):
    found = begin(settings, peer=peer, brought="3f9a3f9a")

    assert MADE.fullmatch(found)


@pytest.mark.parametrize(
    "brought", ["", "short", "x" * 65, "3f9a 3f9a", '3f9a"3f9a', "3f9a\t3f9a", "-3f9a3f9a", "é" * 9]
)
def test_id_that_is_not_well_formed_is_not_believed_of_a_proxy_either(settings, brought: str):
    found = begin(settings, peer="10.0.0.7", brought=brought)

    assert MADE.fullmatch(found)


def test_peers_that_are_no_addresses_let_nobody_in(settings):
    settings.REQUEST_IDS_FROM = ["*"]
    request = RequestFactory().get("/", headers={"X-Request-Id": "3f9a3f9a"})

    assert MADE.fullmatch(RequestIdMiddleware(lambda asked: HttpResponse())(request)["X-Request-Id"])


def test_view_knows_the_id_and_nobody_does_afterwards():
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request_ids.current_id())
        return HttpResponse()

    response = answer(view)

    assert seen == [response["X-Request-Id"]]
    assert request_ids.current_id() is None


def test_answer_that_is_made_while_it_is_sent_has_its_id_throughout():
    def chunks() -> Iterator[bytes]:
        for _ in range(2):
            yield (request_ids.current_id() or "").encode()

    response = answer(lambda request: StreamingHttpResponse(chunks()))
    before = request_ids.current_id()

    sent = list(response)

    assert before is None
    assert sent == [response["X-Request-Id"].encode()] * 2
    assert request_ids.current_id() is None


def test_answer_that_breaks_off_leaves_its_id_for_the_servers_line():
    def chunks() -> Iterator[bytes]:
        yield b"first"
        raise RuntimeError

    response = answer(lambda request: StreamingHttpResponse(chunks()))

    with pytest.raises(RuntimeError):
        list(response)

    assert request_ids.current_id() == response["X-Request-Id"]
    request_ids.end()


def test_id_costs_no_query_and_names_who_is_signed_in_once_that_is_known(db, django_assert_num_queries):
    user, seen = make_user(), []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request_ids.current().user_id)
        bool(request.user.pk)
        seen.append(request_ids.current().user_id)
        return HttpResponse()

    client, request = Client(), RequestFactory().get("/")
    client.force_login(user)
    request.COOKIES.update({name: morsel.value for name, morsel in client.cookies.items()})
    with django_assert_num_queries(2):  # the session and the user, for the view
        RequestIdMiddleware(SessionMiddleware(AuthenticationMiddleware(view)))(request)

    assert seen == [None, user.pk]
