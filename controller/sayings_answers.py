"""The catalogue of answers to what people ask, and of refused messages: code, English, German."""

from collections.abc import Mapping

ANSWERS: Mapping[str, tuple[str, str]] = {
    # of any field
    "is-required": ("is required", "wird gebraucht"),
    "no-field": (
        "is not a field of this request; check its spelling",
        "ist kein Feld dieser Anfrage; Schreibweise prüfen",
    ),
    "must-be-id": (
        "must be an id: a-z, 0-9 and '-', at most 32 characters",
        "muss eine Kennung sein: a-z, 0-9 und '-', höchstens 32 Zeichen",
    ),
    "one-of": ("must be one of {list}", "muss eines sein von {list}"),
    "at-least": ("must be at least {n_least}", "muss mindestens {n_least} sein"),
    "between": ("must be between {n_low} and {n_high}", "muss von {n_low} bis {n_high} sein"),
    "low-to-high": ("must be {n_low} to {n_high}", "muss von {n_low} bis {n_high} sein"),
    "not-negative": ("must not be negative", "darf nicht negativ sein"),
    "n-characters": (
        "must be {n_low} to {n_high} characters",
        "muss {n_low} bis {n_high} Zeichen haben",
    ),
    "n-printable": (
        "must be {n_low} to {n_high} printable characters",
        "muss {n_low} bis {n_high} druckbare Zeichen haben",
    ),
    "most-characters": (
        "must be at most {n_most} characters",
        "darf höchstens {n_most} Zeichen haben",
    ),
    "out-of-bounds": ("is out of bounds", "liegt außerhalb der Grenzen"),
    "whole-number": ("must be a whole number", "muss eine ganze Zahl sein"),
    "ms-since-1970": ("must be ms of UTC since 1970", "muss in ms UTC seit 1970 stehen"),
    "be-text": ("must be text", "muss Text sein"),
    "greater-equal": (
        "Input should be greater than or equal to {n_least}",
        "muss mindestens {n_least} sein",
    ),
    "less-equal": (
        "Input should be less than or equal to {n_most}",
        "darf höchstens {n_most} sein",
    ),
    "long-at-least": (
        "String should have at least {n_least} character",
        "muss mindestens {n_least} Zeichen haben",
    ),
    "long-at-least-n": (
        "String should have at least {n_least} characters",
        "muss mindestens {n_least} Zeichen haben",
    ),
    "long-at-most": (
        "String should have at most {n_most} characters",
        "darf höchstens {n_most} Zeichen haben",
    ),
    "valid-integer": (
        "Input should be a valid integer, unable to parse string as an integer",
        "muss eine ganze Zahl sein",
    ),
    "line-of-batch": ("line {n_line}: {why}", "Zeile {n_line}: {why}"),
    "busy-store": (
        "the floor's store is busy or failing; nothing was done for certain, try again ({why})",
        "der Speicher der Werkstatt ist beschäftigt oder gestört; sicher geschah nichts, noch "
        "einmal versuchen ({why})",
    ),
    "floor-answered": (
        "the floor answered {n_status}",
        "die Werkstatt antwortete mit {n_status}",
    ),
    # machines and orders
    "no-machine-named": ("there is no machine {machine}", "es gibt keine Maschine {machine}"),
    "no-such-machine": ("there is no such machine", "diese Maschine gibt es nicht"),
    "has-changed": (
        "{machine} has changed since you looked; look again and decide",
        "{machine} ist seit Ihrem Blick anders; noch einmal ansehen und entscheiden",
    ),
    "key-used": (
        "the key was used to {act} {machine}",
        "der Schlüssel galt schon {machine} ({act})",
    ),
    "never-heard": (
        "was never heard on this floor: is it switched on?",
        "war in dieser Werkstatt nie zu hören: ist sie eingeschaltet?",
    ),
    "use-own-switch": (
        "{machine} cannot be reached: use its own switch",
        "{machine} ist nicht erreichbar: ihren eigenen Schalter benutzen",
    ),
    "no-lines": (
        "{machine} takes no lines of G-code",
        "{machine} nimmt keine Zeilen G-Code",
    ),
    "busy-for-lines": (
        "{machine} is not idle without an order: lines are for machines that do nothing",
        "{machine} ruht nicht ohne Auftrag: Zeilen sind für Maschinen, die nichts tun",
    ),
    "not-qualified": (
        "{who} is not qualified on {machine}: the settings name who is (console)",
        "{who} ist für {machine} nicht befugt: die Einstellungen nennen, wer es ist (console)",
    ),
    "good-bad-rework": (
        "must be good, bad or rework",
        "muss gut, schlecht oder Nacharbeit sein",
    ),
    "sign-off": (
        "sign this off with what you found: its values, ticks and photo",
        "mit dem Befund abzeichnen: Werte, Haken und Foto",
    ),
    "no-order-named": ("there is no order {order}", "es gibt keinen Auftrag {order}"),
    "nothing-to-resolve": (
        "{order} is {state}: there is nothing to resolve",
        "{order} ist {state}: es gibt nichts zu entscheiden",
    ),
    "no-operation-named": (
        "there is no operation {operation}",
        "es gibt keinen Arbeitsgang {operation}",
    ),
    "not-held": ("{operation} is {state}, not held", "{operation} ist {state}, nicht angehalten"),
    "no-pose-asked": (
        "{machine}: {why}; no pose is asked for",
        "{machine}: {why}; nach keiner Lage wird gefragt",
    ),
    "robot-at-bed": (
        "{cell} may be in the bed of {machine}: stop it first, then look",
        "{cell} kann im Bett von {machine} sein: erst anhalten, dann nachsehen",
    ),
    "photo-first": ("take a photo first", "erst ein Foto machen"),
    "wait-more": ("wait {n_s} s more", "noch {n_s} s warten"),
    "measure-first": ("measure it first: {title}", "erst messen: {title}"),
    "not-ticked": ("not ticked: {words}", "nicht abgehakt: {words}"),
    "nothing-to-sign": (
        "nothing waits to be signed off at {machine}",
        "an {machine} wartet nichts auf Abzeichnung",
    ),
    "say-what-done": (
        "say what was done, e.g. belts tightened",
        "sagen, was getan wurde, z. B. Riemen gespannt",
    ),
    "say-what-due": (
        "say what is due, and after how many hours of running",
        "sagen, was fällig wird und nach wie vielen Stunden Lauf",
    ),
    "runs-already": (
        "{machine} runs {version} already",
        "{machine} läuft schon mit {version}",
    ),
    "update-when-idle": (
        "{machine} has an order; update it when it is idle",
        "{machine} hat einen Auftrag; in Ruhe erneuern",
    ),
    "name-processes": (
        "must name the processes whose parts it takes",
        "muss die Verfahren nennen, deren Teile er aufnimmt",
    ),
    "no-release": (
        "there is no release {version} here: fabcommons firmware build, then sign",
        "hier fehlt die Fassung {version}: erst bauen, dann zeichnen",
    ),
    "never-asked": (
        "{machine} answers {what}, never asked",
        "{machine} antwortet auf {what}, das niemand fragte",
    ),
    "not-asked-for": (
        "is not asked for here; asked: {list}",
        "ist hier nicht gefragt; gefragt ist: {list}",
    ),
    # lots
    "no-lot-named": ("there is no lot {lot}", "es gibt kein Los {lot}"),
    "no-lot-create": (
        "there is no lot {lot}: create it first",
        "es gibt kein Los {lot}: erst anlegen",
    ),
    "lot-already": (
        "{lot} is already a {kind} of {material}",
        "{lot} gibt es schon: {kind} aus {material}",
    ),
    "nothing-open": (
        "nothing is open for {lot} of {order}",
        "zu {lot} von {order} ist nichts offen",
    ),
    "no-discrepancy": (
        "{order} has no open discrepancy {kind}",
        "{order} hat keine offene Abweichung {kind}",
    ),
    "weigh-itself": (
        "weigh the lot itself to settle what it holds",
        "das Los selbst wiegen, um zu klären, was es hält",
    ),
    "no-lot-drawn": (
        "the machine named no lot it drew from: post the stock-take of the lot instead",
        "die Maschine nannte kein Los: stattdessen den Bestand des Loses aufnehmen",
    ),
    # needs and rounds
    "no-need-named": ("there is no need {need}", "es gibt keinen Bedarf {need}"),
    "no-such-need": ("there is no such need", "diesen Bedarf gibt es nicht"),
    "no-such-need-see": (
        "there is no such need; see /api/floor",
        "diesen Bedarf gibt es nicht; siehe /api/floor",
    ),
    "need-is-already": ("{need} is {state} already", "{need} ist schon {state}"),
    "not-known-here": ("{name} is not known; known: {list}", "{name} ist unbekannt; da: {list}"),
    "design-makes": ("design {design} makes {part}", "der Entwurf {design} ergibt {part}"),
    "needs-at-once": (
        "{n_n} needs at once, at most {n_most}",
        "{n_n} Bedarfe auf einmal, höchstens {n_most}",
    ),
    "key-differs": (
        "this key was used for {need}, which differs in {list}: use a new key for a new need",
        "dieser Schlüssel galt {need}, der anders ist in {list}: für Neues einen neuen Schlüssel",
    ),
    "on-ballot-first": (
        "{need} is on the ballot: members decide it first",
        "{need} steht zur Wahl: erst entscheiden die Mitglieder",
    ),
    "begun-here": (
        "{need} is {state} and has begun here",
        "{need} ist {state} und hier begonnen",
    ),
    "not-offered": (
        "{need} is not offered to other sites",
        "{need} ist anderen Werkstätten nicht angeboten",
    ),
    "held-elsewhere": ("{need} is {state} by {site}", "{need}: {state} bei {site}"),
    "no-attestation": (
        "{need} needs no attestation: its class is normal",
        "{need} braucht keine Bestätigung: er ist gewöhnlich",
    ),
    "no-steward": (
        "belongs to no steward on duty",
        "gehört keinem diensthabenden Verwalter",
    ),
    "no-member": (
        "is not the token of a member: ask your community",
        "ist nicht das Token eines Mitglieds: die Gemeinschaft fragen",
    ),
    "vote-yourself": (
        "is another member's: you vote as yourself",
        "gehört einem anderen Mitglied: jeder stimmt für sich",
    ),
    "round-is-open": (
        "{round} is open: close it first",
        "{round} ist offen: erst schließen",
    ),
    "no-round-named": ("there is no round {round}", "es gibt keine Runde {round}"),
    "no-rounds-here": (
        "this site shares needs as they come in; add `rounds:` to its settings",
        "hier werden Bedarfe zugeteilt, wie sie kommen; Runden in den Einstellungen einrichten",
    ),
    "no-community": (
        "there is no community {community}",
        "es gibt keine Gemeinschaft {community}",
    ),
    "no-member-named": ("there is no member {who}", "es gibt kein Mitglied {who}"),
    "no-limit": (
        "no limit is voted on for it; protected are: {list}",
        "dafür wird keine Grenze gewählt; geschützt sind: {list}",
    ),
    # accounts
    "wrong-password": ("name or password is wrong", "Name oder Passwort ist falsch"),
    "too-many-log-ins": (
        "too many log-ins; wait {n_s} s",
        "zu viele Anmeldungen; {n_s} s warten",
    ),
    "too-many-from-here": (
        "too many log-ins from here; wait {n_s} s",
        "zu viele Anmeldungen von hier; {n_s} s warten",
    ),
    "too-many-asks": (
        "too many requests; wait {n_s} s",
        "zu viele Anfragen; {n_s} s warten",
    ),
    "account-there": (
        "there is an account {name} already",
        "es gibt schon ein Konto {name}",
    ),
    "no-account": ("there is no account {name}", "es gibt kein Konto {name}"),
    "name-form": (
        "must be 1 to 60 of a-z, 0-9 and . _ @ -, beginning with a letter or a digit",
        "muss 1 bis 60 aus a-z, 0-9 und . _ @ - sein und mit Buchstabe oder Ziffer beginnen",
    ),
    "password-length": (
        "must have {n_low} to {n_high} characters",
        "muss {n_low} bis {n_high} Zeichen haben",
    ),
    "password-easy": (
        "is too easy to guess: take some words at random",
        "ist zu leicht zu raten: einige zufällige Wörter nehmen",
    ),
    "not-your-password": ("is not your password", "ist nicht Ihr Passwort"),
    "not-the-code": (
        "is not the code the controller printed at its start",
        "ist nicht der Code, den die Steuerung beim Start zeigte",
    ),
    "only-admin": (
        "{name} is the only admin: make another first",
        "{name} ist die einzige Verwaltung: erst eine andere ernennen",
    ),
    "may-give": ("a {role} may give of: {list}", "{role} kann vergeben: {list}"),
    "has-tokens": (
        "has {n_most} tokens: revoke one",
        "hat {n_most} Schlüssel für Programme: einen entziehen",
    ),
    "has-no-token": ("{name} has no token {id}", "{name}: {id} gibt es nicht"),
    "is-member-already": ("{name} is member {id} already", "{name} ist schon Mitglied {id}"),
    "is-shut-out": ("{name} is shut out; ask an admin", "{name} ist gesperrt; Verwaltung fragen"),
    "token-may-not": ("this token may not {what}", "dieses Token darf nicht {what}"),
    "role-may-not": (
        "a {role} may not {what}; a {other} may",
        "{role} darf nicht {what}; {other} darf es",
    ),
    "log-in-to": ("log in to {what}", "anmelden, um zu: {what}"),
    "log-in-first": (
        "log in first: this is about your own account",
        "erst anmelden: es geht um das eigene Konto",
    ),
    "token-ended": (
        "is not known, ended or was revoked",
        "ist unbekannt, abgelaufen oder entzogen",
    ),
    "may-record": ("read what is public", "Öffentliches lesen"),
    "may-read": ("see the floor", "die Werkstatt sehen"),
    "may-need": ("state needs", "Bedarf melden"),
    "may-vote": ("vote", "wählen"),
    "may-stop": ("stop machines", "Maschinen anhalten"),
    "may-operate": ("tend machines", "Maschinen bedienen"),
    "may-govern": (
        "run rounds and communities",
        "Runden und Gemeinschaften leiten",
    ),
    "may-audit": ("read who did what", "lesen, wer was tat"),
    "may-manage": (
        "manage accounts and let machines in",
        "Konten verwalten und Maschinen zulassen",
    ),
    # messages that were refused
    "not-json": ("is not valid JSON in UTF-8", "ist kein gültiges JSON in UTF-8"),
    "not-object": ("must be a JSON object", "muss ein JSON-Objekt sein"),
    "bytes-most": (
        "is {n_b} bytes, at most {n_most} allowed",
        "hat {n_b} Bytes, erlaubt sind {n_most}",
    ),
    "no-topic": ("is not a topic of this protocol", "ist kein Thema dieses Protokolls"),
    "no-message": ("is not a message: {leaf}", "ist keine Nachricht: {leaf}"),
    "not-registered": (
        "{machine} is not registered on this floor",
        "{machine} ist in dieser Werkstatt nicht angemeldet",
    ),
    "two-events": ("sent two different events", "sandte zwei verschiedene Ereignisse"),
    "not-understood": (
        "{what} is not known here; kept, not understood",
        "{what} ist hier unbekannt; aufgehoben, nicht verstanden",
    ),
    "not-its-own": (
        "speaks of order {order}, which is not its own",
        "spricht von Auftrag {order}, der nicht der ihre ist",
    ),
}
