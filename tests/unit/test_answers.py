"""Answers between sites are the home's own words to one question: else nothing is used."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.adapters.answers import Question, Received, check, received, seal
from controller.adapters.peers import Address, HttpHome, Identity, Request, public_hex
from controller.commons.borrowing import Forged, Unreachable
from controller.commons.leases import Claim

HOME, MAKER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
ASKED = Question("lab", b"GET /commons/needs", "a" * 32)
BODY = b'{"needs": [], "cursor": 4}'
OFFER = {
    "need": "s-1", "seq": 4, "community": "c", "design": "clamp", "manifest_sha256": "0" * 64,
    "part": "clamp", "quantity": 1, "due_at": None, "need_class": "normal", "note": "",
}  # fmt: skip


def sign(content: bytes) -> str:
    return HOME.sign(content).hex()


def answer(question: Question = ASKED, body: bytes = BODY, at_ms: int = 5) -> Received:
    return received(body, seal(question, sign, at_ms, body))


def test_an_answer_of_the_home_to_this_question_is_believed() -> None:
    check(ASKED, public_hex(HOME), answer())


@pytest.mark.parametrize(
    "given",
    [
        answer()._replace(body=BODY.replace(b"4", b"5")),
        answer()._replace(body=BODY[:-1]),
        answer()._replace(body=b""),
        answer()._replace(body=BODY + b" "),
        answer()._replace(at="6"),
        answer()._replace(at=""),
        answer()._replace(signature="zz"),
        answer()._replace(signature=answer().signature[:-2]),
        answer(ASKED._replace(nonce="b" * 32)),
        answer(ASKED._replace(content=b"GET /commons/needs?after=1")),
        answer(ASKED._replace(home="barn")),
    ],
)
def test_a_changed_cut_or_replayed_answer_is_forged(given: Received) -> None:
    with pytest.raises(Forged, match="not its own") as caught:
        check(ASKED, public_hex(HOME), given)
    assert not caught.value.unsigned


def test_an_answer_of_another_key_is_forged_and_one_without_is_unsigned() -> None:
    for key in (public_hex(MAKER), "", "zz"):
        with pytest.raises(Forged):
            check(ASKED, key, answer())
    with pytest.raises(Forged, match="not signed") as caught:
        check(ASKED, public_hex(HOME), Received(BODY))
    assert caught.value.unsigned


class Middle:
    """Somebody between asker and home; ``bend`` makes of the home's answer what arrives."""

    def __init__(self, bend) -> None:
        self.bend, self.kept = bend, []

    def __call__(self, request) -> Received:
        nonce = request.get_header("X-fab-nonce")
        seq = int(request.get_header("X-fab-seq"))
        path = request.full_url.removeprefix("http://lab")
        body = request.data or b""
        content = Request(request.get_method(), path, "lab", "maker", seq, body).content()
        claims = {"claims": [{"need": "s-1", "token": 9, "expires_at": 1}], "refused": {}}
        said = json.dumps(claims if body else {"needs": [OFFER], "cursor": 4}).encode()
        given = answer(Question("lab", content, nonce), said)
        self.kept.append(given)
        return self.bend(given, self.kept)


def asker(bend, **more) -> HttpHome:
    numbers = iter(range(1, 100))
    who = Identity("maker", MAKER, lambda: next(numbers))
    return HttpHome(Address("lab", "http://lab", public_hex(HOME), **more), who, Middle(bend))


def test_what_the_home_says_arrives() -> None:
    home = asker(lambda given, kept: given)
    assert home.offers(0) == ([OFFER], 4)
    assert home.ask("claims", [Claim("s-1", 0)]) == ({"s-1": 9}, {})
    assert home.signed == 2


def test_the_same_question_asked_again_is_not_answered_by_the_old_answer() -> None:
    home = asker(lambda given, kept: kept[0])
    home.offers(0)
    for _ in range(3):
        with pytest.raises(Forged):
            home.offers(0)
    with pytest.raises(Forged):
        home.ask("claims", [Claim("s-1", 0)])
    assert home.signed == 1


def test_an_older_release_is_believed_only_where_people_let_it() -> None:
    def unsigned(given, kept):
        return Received(given.body)

    with pytest.raises(Forged, match="not signed"):
        asker(unsigned).offers(0)
    let = asker(unsigned, may_be_unsigned=True)
    assert let.offers(0) == ([OFFER], 4)
    assert let.signed == 0
    changed = asker(lambda given, kept: given._replace(body=b"{}"), may_be_unsigned=True)
    with pytest.raises(Forged):
        changed.offers(0)  # wrongly signed is not unsigned


@pytest.mark.parametrize("body", [b"", b"[]", b'{"needs": [{}], "cursor": 1}', b'{"cursor": "x"}'])
def test_a_signed_answer_of_another_shape_is_no_answer(body) -> None:
    class Odd(Middle):
        def __call__(self, request) -> Received:
            seq = int(request.get_header("X-fab-seq"))
            asked = Request("GET", "/commons/needs?after=0", "lab", "maker", seq, b"")
            nonce = request.get_header("X-fab-nonce")
            return answer(Question("lab", asked.content(), nonce), body)

    home = asker(None)
    home._transport = Odd(None)
    with pytest.raises(Unreachable):
        home.offers(0)
