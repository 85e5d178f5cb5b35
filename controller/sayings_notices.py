"""The catalogue of notices: code, English, German. ``n_`` are numbers, ``at_`` moments."""

from collections.abc import Mapping

NOTICES: Mapping[str, tuple[str, str]] = {
    "order-started": ("{machine} started {order}", "{machine} begann {order}"),
    "order-declined": ("{machine} declined {order}: {why}", "{machine} lehnte {order} ab: {why}"),
    "order-ended": ("{machine} ended {order}: {why}", "{machine} beendete {order}: {why}"),
    "order-paused": ("{machine} paused {order}: {why}", "{machine} pausierte {order}: {why}"),
    "order-resumed": ("{machine} resumed {order}", "{machine} setzte {order} fort"),
    "other-program": (
        "{machine} started another program than ordered",
        "{machine} begann ein anderes Programm als beauftragt",
    ),
    "undeclared-lot": (
        "{machine} draws from lot {lot}, which nobody declared",
        "{machine} zieht aus Los {lot}, das niemand gemeldet hat",
    ),
    "lot-in": (
        "{lot} is loaded in {machine}, channel {n_ch}",
        "{lot} ist in {machine}, Kanal {n_ch}, geladen",
    ),
    "lot-out": ("{lot} was taken out of {machine}", "{lot} wurde aus {machine} genommen"),
    "lot-weighed": (
        "{lot} was weighed, {n_more} mg against the ledger",
        "{lot} wurde gewogen, {n_more} mg gegen das Buch",
    ),
    "is-sliced": ("{what} of {design} is sliced", "{what} von {design} ist geschnitten"),
    "delivered": ("{n_n} x {part} delivered to {who}", "{n_n} x {part} an {who} übergeben"),
    "joined": ("{machine} joined the floor", "{machine} ist neu in der Werkstatt"),
    "came-in": (
        "{material} lot {lot} came in: {n_mg} mg, {n_pieces} pieces",
        "Los {lot} aus {material} kam herein: {n_mg} mg, {n_pieces} Stück",
    ),
    "loaded": (
        "{lot} ({material}) is loaded in {machine}, channel {n_ch}",
        "{lot} ({material}) ist in {machine}, Kanal {n_ch}, geladen",
    ),
    "unloaded": (
        "{lot} was taken out of {machine}, channel {n_ch}",
        "{lot} wurde aus {machine}, Kanal {n_ch}, genommen",
    ),
    "weighed": (
        "{lot} was weighed: {n_mg} mg, {n_more} mg against the ledger",
        "{lot} wurde gewogen: {n_mg} mg, {n_more} mg gegen das Buch",
    ),
    "console": ("{who} sent {line} to {machine}", "{who} sandte {line} an {machine}"),
    "emergency": ("{who} stopped {machine}", "{who} hielt {machine} an"),
    "emergency-lost": (
        "{who} wanted to stop, but could not reach, {machine}",
        "{who} wollte {machine} anhalten, erreichte sie aber nicht",
    ),
    "did-at": ("{who} did {act} at {machine}", "{who}: {act} an {machine}"),
    "did-not": ("{machine} did not {act}: {why}", "{machine} tat {act} nicht: {why}"),
    "fault": ("{machine} fault {code}: {why}", "Störung {code} an {machine}: {why}"),
    "connected": ("{machine} is connected", "{machine} ist verbunden"),
    "heard-again": (
        "{machine} is heard again, {what} goes on",
        "{machine} meldet sich wieder, {what} läuft weiter",
    ),
    "new-journal": (
        "{machine} has a new journal: its flash was replaced",
        "{machine} hat ein neues Journal: der Speicher wurde ersetzt",
    ),
    "events-lost": (
        "{machine} no longer has its events {events}",
        "{machine} hat die Ereignisse {events} nicht mehr",
    ),
    "drew-untold": (
        "{machine} drew {n_mg} mg of {lot} that no report tells of",
        "{machine} verbrauchte {n_mg} mg von {lot}, von denen keine Meldung spricht",
    ),
    "took-out": (
        "{who} took {machine} out of use: {why}",
        "{who} nahm {machine} aus dem Betrieb: {why}",
    ),
    "put-back": ("{who} put {machine} back in use", "{who} nahm {machine} wieder in Betrieb"),
    "needs-n": ("{who} needs {n_n} x {part}", "{who} braucht {n_n} x {part}"),
    "was-withdrawn": ("{need} was withdrawn by {who}", "{need} wurde von {who} zurückgezogen"),
    "was-refused": ("{need} was refused: {why}", "{need} wurde abgelehnt: {why}"),
    "take-spare": (
        "take what was made for {need} out of {places}: it is spare",
        "was für {need} gemacht wurde aus {places} nehmen: es ist übrig",
    ),
    "forged": (
        "{why}; nothing of it was used",
        "{why}; nichts davon wurde verwendet",
    ),
    "settled": ("{who} settled a discrepancy of {order}: {note}", "{who} klärte {order}: {note}"),
    "resolved": ("{who} resolved {order}: {state}", "{who} entschied {order}: {state}"),
    "released": ("{who} released {what}", "{who} gab {what} frei"),
    "with-plate": (
        "{need} is made with {other} on one plate",
        "{need} wird mit {other} auf einer Platte gemacht",
    ),
    "can-be-asked": ("{design} can be asked for", "{design} kann verlangt werden"),
    "dead": ("message on {topic} refused: {why}", "Nachricht auf {topic} abgelehnt: {why}"),
    "unreachable": ("{machine} cannot be reached: {why}", "{machine} ist nicht erreichbar: {why}"),
    "took-more": (
        "{order} took {n_taken} of {lot}, {n_planned} were planned: count the lot",
        "{order} nahm {n_taken} von {lot}, geplant waren {n_planned}: das Los zählen",
    ),
    "counted": ("{who} counted {lot} after {order}", "{who} zählte {lot} nach {order}"),
    "attested": (
        "steward {who} attested {need} as {kind}",
        "Verwalter {who} bestätigte {need} als {kind}",
    ),
    "goes-ahead": ("urgent {need} goes ahead: {why}", "dringend: {need} geht vor: {why}"),
    "is-offered": (
        "{need} is offered to other sites",
        "{need} ist anderen Werkstätten angeboten",
    ),
    "was-made-by": (
        "{need} was made and delivered by {site}",
        "{need} wurde von {site} gemacht und geliefert",
    ),
    "admitted": ("{community} admitted {n_n} {kind}", "{community} nahm {n_n} {kind} auf"),
    "round-open": (
        "round {round} is open until {at_when}",
        "Runde {round} ist offen bis {at_when}",
    ),
    "round-counted": (
        "round {round} is counted: {n_n} needs accepted",
        "Runde {round} ist ausgezählt: {n_n} Bedarfe angenommen",
    ),
    "runs-firmware": (
        "{machine} runs firmware {version}",
        "{machine} läuft mit Firmware {version}",
    ),
    "firmware-bad": (
        "firmware {version} does not run on {machine}: {why}",
        "Firmware {version} läuft auf {machine} nicht: {why}",
    ),
    "lot-counted": (
        "{lot} was counted: {n_pieces} pieces, {n_more} against the ledger",
        "{lot} wurde gezählt: {n_pieces} Stück, {n_more} gegen das Buch",
    ),
    "pose-said": (
        "{who} confirmed where the part on {machine} lies",
        "{who} bestätigte, wo das Teil auf {machine} liegt",
    ),
    "trusted-again": (
        "{who} released {machine} from quarantine",
        "{who} entließ {machine} aus der Quarantäne",
    ),
    "joined-commons": ("joined the commons of {site}", "ist den Commons von {site} beigetreten"),
    "left-commons": ("left the commons of {site}", "hat die Commons von {site} verlassen"),
    "members": ("members", "Mitglieder"),
    "stewards": ("stewards", "Verwalter"),
    "draining": (
        "no new orders: the controller is being drained ({who})",
        "keine neuen Aufträge: die Steuerung läuft leer ({who})",
    ),
    "drained-no-more": (
        "orders are offered again ({who})",
        "es werden wieder Aufträge angeboten ({who})",
    ),
    "from-page": ("someone at the page", "jemand an der Seite"),
    "the-controller": ("controller", "Steuerung"),
    "local-admin": ("local admin", "Verwaltung an diesem Rechner"),
    "the-floor": ("floor", "Werkstatt"),
    "the-site": ("site", "Werkstatt"),
    "as-it-is": ("as it is", "wie es ist"),
    "was-weighed": ("weighed: {n_mg} mg", "gewogen: {n_mg} mg"),
    "note-weighed": ("weighed", "gewogen"),
    "note-counted": ("counted", "gezählt"),
    "tended": ("tended the making of {part}", "betreute das Machen von {part}"),
    "delivered-to": ("delivered to {who}", "übergeben an {who}"),
    "after-settled": ("after the order was settled", "nachdem der Auftrag geklärt war"),
    "without-order": ("drawn without an order", "ohne Auftrag verbraucht"),
    "never-declared": (
        "reported by {machine}, never declared",
        "gemeldet von {machine}, nie angegeben",
    ),
    "loaded-undeclared": (
        "loaded at {machine}, never declared",
        "geladen an {machine}, nie angegeben",
    ),
    "not-certain": (
        "{machine}: {why}; what was drawn of lot {lot} is not known for certain: weigh it",
        "{machine}: {why}; was aus Los {lot} kam, ist ungewiss: wiegen",
    ),
    "cleared-by": ("{machine}, cleared by {cell}: {why}", "{machine}, geräumt von {cell}: {why}"),
}
