"""``fabcommons commons``: needs shared with other sites: join them, leave them, offer a need."""

from __future__ import annotations

import argparse
from typing import Any

from fabcommons.client import Client
from fabcommons.options import add_common, command, show
from fabcommons.tables import moment, table

_EXAMPLES = """\
examples:
  fabcommons commons key                          this site's public key, for the other site
  fabcommons commons join hill --at http://hill.example:8010 --public-key 9f0c...
                                                  both sites join each other
  fabcommons commons peers                        which commons were joined, and how it goes
  fabcommons commons offer n7                     let another site make a need of ours
  fabcommons commons take-home n7                 make it here after all
  fabcommons commons leave hill                   what was begun ends, nothing new begins"""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    parser = command(
        commands,
        "commons",
        "share needs with other sites: join them, leave them, offer a need",
        _EXAMPLES,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _verb(verbs, "key", "this site's public key", run_key)
    joiner = _verb(verbs, "join", "join another site's commons", run_join)
    joiner.add_argument("site", help="the other site's id")
    joiner.add_argument("--at", default="", help="its address; none if it only asks here")
    joiner.add_argument("--public-key", required=True, help="what `commons key` prints there")
    joiner.add_argument(
        "--unsigned", action="store_true", help="believe its unsigned answers, until it signs one"
    )
    _verb(verbs, "peers", "commons that were joined", run_peers)
    leaver = _verb(verbs, "leave", "leave a commons", run_leave)
    leaver.add_argument("site", help="the other site's id")
    for name, words in (("offer", "offer a need to other sites"), ("take-home", "make it here")):
        one = _verb(verbs, name, words, run_need)
        one.add_argument("need", help="id of a need of ours")
        one.set_defaults(verb="share" if name == "offer" else name)


def _verb(verbs: Any, name: str, words: str, handler: Any) -> Any:
    parser = verbs.add_parser(name, help=words)
    add_common(parser)
    parser.set_defaults(run=handler)
    return parser


def run_key(options: argparse.Namespace) -> int:
    """Print the public key and what the other site says with it."""
    return show(options, Client(options.url).get("/api/commons"), _key)


def run_join(options: argparse.Namespace) -> int:
    """Join a commons."""
    body = {
        "site": options.site,
        "url": options.at,
        "public_key": options.public_key,
        "unsigned": options.unsigned,
    }
    answer = Client(options.url).post("/api/commons", body)
    return show(options, answer, lambda a: f"joined {a['site']}; it must join this site, too")


def run_peers(options: argparse.Namespace) -> int:
    """Print the joined commons."""
    return show(options, Client(options.url).get("/api/commons"), _peers)


def run_leave(options: argparse.Namespace) -> int:
    """Leave a commons."""
    answer = Client(options.url).post(f"/api/commons/{options.site}/leave", {})
    words = "left {site}: nothing new is begun, what was begun ends"
    return show(options, answer, lambda a: words.format(**a))


def run_need(options: argparse.Namespace) -> int:
    """Offer a need to other sites, or take it home."""
    answer = Client(options.url).post(f"/api/needs/{options.need}/{options.verb}", {})
    return show(options, answer, lambda a: f"{a['need']} is {a['state']} {a['holder']}".rstrip())


def _key(answer: dict[str, Any]) -> str:
    return (
        f"site {answer['site']}\npublic key {answer['public_key']}\n"
        f"at the other site: fabcommons commons join {answer['site']} --at ADDRESS"
        f" --public-key {answer['public_key']}"
    )


def _peers(answer: dict[str, Any]) -> str:
    rows = [
        (
            peer["site"],
            peer["url"] or "only asks here",
            "left" if peer["left"] else moment(peer["reached_at"]) if peer["reached_at"] else "-",
            peer["making_for_them"],
            peer["made_by_them"],
            peer["answers"] or "-",
            peer["forged"],
            peer["why"],
        )
        for peer in answer["peers"]
    ]
    head = ("commons", "address", "reached", "we make for it", "it makes for us")
    head += ("answers", "not its own", "trouble")
    return table(head, rows) if rows else "no commons joined; fabcommons commons join --help"
