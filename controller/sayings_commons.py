"""The catalogue of sites joined for sharing: code, English, German."""

from collections.abc import Mapping

COMMONS: Mapping[str, tuple[str, str]] = {
    "peer-trouble": ("{site} at http{url}: {why}", "{site} unter http{url}: {why}"),
    "peer-look": (
        "is it on, and is its address right? Join it again to change the address",
        "läuft sie, und stimmt die Adresse? Zum Ändern der Adresse erneut beitreten",
    ),
    "peer-join-there": (
        "join this site there, with its id and public key of today",
        "dort dieser Werkstatt beitreten, mit ihrer heutigen Kennung und ihrem Schlüssel",
    ),
    "not-signed": (
        "the answer of {site} is not signed: update the software there; until then "
        "`fabcommons commons join ... --unsigned`",
        "die Antwort von {site} ist nicht gezeichnet: dort die Software erneuern; bis dahin beim "
        "Beitreten das Fehlen der Unterschrift erlauben",
    ),
    "is-not-its-own": (
        "is not its own: changed or cut on the way, or to another question, or another key",
        "ist nicht die ihre: unterwegs geändert oder gekürzt, zu anderer Frage oder Schlüssel",
    ),
    "answer-not-own": (
        "the answer of {site} {why}: compare `fabcommons commons key` there with the key joined "
        "here, reach it by https",
        "die Antwort von {site} {why}: den Schlüssel dort mit dem hier vergleichen, über https "
        "erreichen",
    ),
    "refused-connection": ("Connection refused", "die Verbindung wird abgelehnt"),
    "timed-out": ("timed out", "keine Antwort in der Zeit"),
    "no-signature": (
        "is not the signature of a site that joined here",
        "ist nicht die Unterschrift einer Werkstatt, die hier beitrat",
    ),
    "http-error": ("HTTP Error {n_code}: {name}: {why}", "HTTP {n_code} {name}: {why}"),
    "most-commons": (
        "a site joins at most {n_most} commons",
        "höchstens {n_most} Werkstätten lassen sich verbinden",
    ),
    "begin-http": (
        "must begin with http:// or https://",
        "muss mit http:// oder https:// beginnen",
    ),
    "public-key-form": (
        "must be 64 hexadecimal digits, as `fabcommons commons key` prints them there",
        "muss der Schlüssel von 64 Ziffern und Buchstaben a-f sein, den die andere Seite nennt",
    ),
    "other-site-id": (
        "must be the other site's id: a-z, 0-9 and '-'",
        "muss die Kennung der anderen Werkstatt sein: a-z, 0-9 und '-'",
    ),
    "not-joined": (
        "this site has not joined {site}",
        "diese Werkstatt ist {site} nicht beigetreten",
    ),
}
