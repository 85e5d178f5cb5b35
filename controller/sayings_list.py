"""The catalogue of reasons: code, English, German. ``n_`` are numbers, ``at_`` moments."""

from collections.abc import Mapping

REASONS: Mapping[str, tuple[str, str]] = {
    # needs and operations
    "waits-share": ("waits to be shared out", "wartet auf die Zuteilung"),
    "not-shared": ("the need has not been shared out yet", "der Bedarf ist noch nicht zugeteilt"),
    "not-planned": ("not planned yet", "noch nicht geplant"),
    "no-scheduler": ("no scheduler is configured", "keine Planung eingerichtet"),
    "need-withdrawn-by": ("need withdrawn by {who}", "Bedarf zurückgezogen von {who}"),
    "withdrawn-by": ("withdrawn by {who}", "zurückgezogen von {who}"),
    "need-withdrawn": ("need withdrawn", "Bedarf zurückgezogen"),
    "need-refused": ("the need was refused", "der Bedarf wurde abgelehnt"),
    "need-displaced": ("its need was displaced", "sein Bedarf wurde verdrängt"),
    "next-ballot-again": (
        "it is on the next round's ballot again",
        "er steht in der nächsten Runde wieder zur Wahl",
    ),
    "next-ballot": ("it is on the next round's ballot", "er steht in der nächsten Runde zur Wahl"),
    "mended-scrapped": ("what it mended was scrapped", "was er ausbessern sollte, ist Ausschuss"),
    "one-plate": ("made with {need} on one plate", "mit {need} auf einer Platte gemacht"),
    "made-again": ("waits for {what} made again", "wartet, bis {what} neu gemacht ist"),
    "waits-rest": ("waits for {step}: {why}", "wartet auf {step}: {why}"),
    "waits-for": ("waits for {what}", "wartet auf {what}"),
    "and": ("{one} and {other}", "{one} und {other}"),
    "planned-next": ("planned next on {machine}", "als nächstes geplant auf {machine}"),
    "waits-machine": ("waits to be given a machine", "wartet auf die Wahl einer Maschine"),
    "waits-step": ("waits for the step before it", "wartet auf den Schritt davor"),
    "paused": ("paused: {why}", "pausiert: {why}"),
    "failed-times": (
        "failed {n_times} times, last: {why}; look at it, then release it",
        "{n_times}-mal misslungen, zuletzt: {why}; ansehen, dann freigeben",
    ),
    "in-doubt": (
        "in doubt: {why}; its journal or a person must say how it ended",
        "ungewiss: {why}; sein Journal oder ein Mensch muss sagen, wie es endete",
    ),
    "on-ballot": (
        "on the ballot of round {round}, which closes {at_when}",
        "in Runde {round} zur Wahl, die {at_when} schließt",
    ),
    "drained": (
        "the controller is being drained ({who}); orders go on after its next start",
        "die Steuerung läuft leer ({who}), Aufträge gehen nach dem nächsten Start weiter",
    ),
    # doubts about an order
    "drew-more": (
        "{n_mg} mg were drawn, its program takes {n_asked} mg",
        "{n_mg} mg wurden verbraucht, sein Programm braucht {n_asked} mg",
    ),
    "drew-less": (
        "only {n_mg} mg were drawn, its program takes {n_asked} mg",
        "nur {n_mg} mg wurden verbraucht, sein Programm braucht {n_asked} mg",
    ),
    "lot-gave-more": (
        "lot {lot} gave {n_mg} mg more than it held: is it the lot that was loaded?",
        "Los {lot} gab {n_mg} mg mehr, als es hatte: ist es das geladene?",
    ),
    # a bed that a robot clears
    "clears-bed": ("{cell} clears this bed: {why}", "{cell} räumt dieses Bett: {why}"),
    "clears-bed-of": ("{cell} clears the bed of {machine}", "{cell} räumt das Bett von {machine}"),
    "bed-clear": ("the bed is clear", "das Bett ist geräumt"),
    "bed-printing": ("the printer has an order", "der Drucker hat einen Auftrag"),
    "bed-lying": (
        "a part lies on the bed; where exactly is not confirmed",
        "ein Teil liegt auf dem Bett, wo genau ist nicht bestätigt",
    ),
    "bed-posed": (
        "place and pose of the part are confirmed",
        "Ort und Lage des Teils sind bestätigt",
    ),
    "bed-reaching": ("the robot may be in the bed", "der Roboter kann im Bett sein"),
    "bed-emptied": (
        "the robot took the part and left",
        "der Roboter nahm das Teil und ist weg",
    ),
    "bed-by-hand": (
        "a person must look and clear the bed",
        "ein Mensch muss nachsehen und das Bett räumen",
    ),
    # machines
    "quarantine": ("{machine} is in quarantine: {why}", "{machine} ist in Quarantäne: {why}"),
    "is-quarantine": ("is in quarantine: {why}", "ist in Quarantäne: {why}"),
    "taken": ("{machine} is taken by {order}", "{machine} ist belegt durch {order}"),
    "not-connected": ("{machine} is not connected", "{machine} ist nicht verbunden"),
    "is-not-connected": ("is not connected", "ist nicht verbunden"),
    "is-off": ("{machine} is off", "{machine} ist aus"),
    "is-off-why": ("{machine} is off: {why}", "{machine} ist aus: {why}"),
    "is-busy": ("{machine} is busy", "{machine} ist beschäftigt"),
    "is-busy-why": ("{machine} is busy: {why}", "{machine} ist beschäftigt: {why}"),
    "is-paused": ("{machine} is paused", "{machine} ist pausiert"),
    "is-paused-why": ("{machine} is paused: {why}", "{machine} ist pausiert: {why}"),
    "is-fault": ("{machine} is fault", "{machine} hat eine Störung"),
    "is-fault-why": ("{machine} is fault: {why}", "{machine} hat eine Störung: {why}"),
    "is-out": ("{machine} is maintenance", "{machine} ist in Wartung"),
    "is-out-why": ("{machine} is maintenance: {why}", "{machine} ist in Wartung: {why}"),
    "is-stopped": ("{machine} is stopped", "{machine} ist angehalten"),
    "is-stopped-why": ("{machine} is stopped: {why}", "{machine} ist angehalten: {why}"),
    "state-fault": ("is fault: {why}", "hat eine Störung: {why}"),
    "state-out": ("is maintenance: {why}", "ist in Wartung: {why}"),
    "state-stopped": ("is stopped: {why}", "ist angehalten: {why}"),
    "must-clear": ("{machine} must be cleared first", "{machine} muss erst geräumt werden"),
    "tried-again": ("tried again in {n_s} s", "neuer Versuch in {n_s} s"),
    "offered": ("offered to {machine}", "angeboten an {machine}"),
    "not-taken": ("{machine} did not take the offer", "{machine} nahm das Angebot nicht an"),
    "silent": ("{machine} is silent", "{machine} schweigt"),
    "lost-journal": ("{machine} lost its journal", "{machine} hat sein Journal verloren"),
    "no-longer": ("no longer wanted", "nicht mehr gewollt"),
    "would-be-out": ("{machine} would be out", "{machine} wäre nicht da"),
    "no-machine": (
        "no machine here can do {step}. {list}",
        "keine Maschine hier kann {step}. {list}",
    ),
    "there-none": ("There is none.", "Es gibt keine."),
    "no-machine-there": ("there is no machine", "es gibt keine Maschine"),
    "does-not": ("does {does}, not {process}", "macht {does}, nicht {process}"),
    "not-stated": (
        "does not state {name}, {wanted} required",
        "nennt {name} nicht, verlangt ist {wanted}",
    ),
    "too-little": ("{name} is {has}, {wanted} required", "{name} ist {has}, verlangt ist {wanted}"),
    "not-compared": (
        "states {name} as {has}, which cannot be compared with {wanted}",
        "nennt {name} als {has}, nicht vergleichbar mit {wanted}",
    ),
    "counter-fell": (
        "a material counter fell from {n_before} to {n_now} mg",
        "ein Materialzähler fiel von {n_before} auf {n_now} mg",
    ),
    # material
    "load-it": (
        "needs {material}: load it in {machine}, channel {n_ch}",
        "braucht {material}: in {machine}, Kanal {n_ch}, laden",
    ),
    "holds-other": (
        "needs {material}: {machine} holds {other} ({lot})",
        "braucht {material}: {machine} hat {other} ({lot})",
    ),
    "few-pieces": (
        "needs {n_pieces} pieces of {material}: {lot} holds {n_held}",
        "braucht {n_pieces} Stück {material}: {lot} hat {n_held}",
    ),
    "few-mg": (
        "needs {n_mg} mg of {material}: {lot} holds {n_held} mg",
        "braucht {n_mg} mg {material}: {lot} hat {n_held} mg",
    ),
    "few-mg-margin": (
        "needs {n_mg} mg of {material} with margin: {lot} holds {n_held} mg",
        "braucht mit Reserve {n_mg} mg {material}: {lot} hat {n_held} mg",
    ),
    "no-lot": (
        "no lot of {material} on the shelf holds enough",
        "kein Los {material} im Lager reicht",
    ),
    "load-lot": (
        "load {lot} ({amount}), whose rest stays usable",
        "{lot} ({amount}) laden, der Rest bleibt nutzbar",
    ),
    "still-needed": (
        "{material}: {n_left} g left, {n_needed} g still needed",
        "{material}: noch {n_left} g, gebraucht werden {n_needed} g",
    ),
    "no-room": (
        "waits for room in {place}: {n_held} of {n_all} taken",
        "wartet auf Platz in {place}: {n_held} von {n_all} belegt",
    ),
    "kept-room": (
        "waits for room in {place}: what is free is kept so that {needs} can finish",
        "wartet auf Platz in {place}: das Freie bleibt, damit {needs} fertig werden kann",
    ),
    # schedule
    "start-now": ("can start now on {machine}", "kann jetzt beginnen auf {machine}"),
    "earliest": (
        "earliest start {when} on {machine}: {why}",
        "frühester Beginn {when} auf {machine}: {why}",
    ),
    "earliest-start": ("earliest start {when}", "frühester Beginn {when}"),
    "waits-end": ("waits for {what}, which ends {when}", "wartet auf {what}, fertig {when}"),
    "waits-promise": ("waits for {what}, promised {when}", "wartet auf {what}, zugesagt {when}"),
    "unreleased": ("is not released until {when}", "ist nicht freigegeben, erst {when}"),
    "unreleased-plain": ("is not released", "ist nicht freigegeben"),
    "waits-busy-free": (
        "waits for {machine}, busy with {what}, free {when}",
        "wartet auf {machine}, beschäftigt mit {what}, frei {when}",
    ),
    "waits-busy": (
        "waits for {machine}, busy with {what}",
        "wartet auf {machine}, beschäftigt mit {what}",
    ),
    "waits-opens": ("waits for {machine}, which opens", "wartet, bis {machine} öffnet"),
    "waits-opens-when": (
        "waits for {machine}, which opens {when}",
        "wartet auf {machine}, öffnet {when}",
    ),
    "waits-person": (
        "waits for a person to change over {machine}",
        "wartet auf einen Menschen, der {machine} umrüstet",
    ),
    "waits-change": (
        "waits for the change-over of {machine}",
        "wartet auf das Umrüsten von {machine}",
    ),
    "about-min": ("about {n_min} min (stated)", "etwa {n_min} min (angegeben)"),
    "min-spread": (
        "{n_min} min ± {n_spread} min ({how})",
        "{n_min} min ± {n_spread} min ({how})",
    ),
    "sliced": ("sliced", "geschnitten"),
    "now": ("now", "jetzt"),
    "in-min": ("in {n_min} min", "in {n_min} min"),
    "in-h": ("in {n_h} h", "in {n_h} h"),
    "in-h-min": ("in {n_h} h {n_min} min", "in {n_h} h {n_min} min"),
    "in-d": ("in {n_d} d", "in {n_d} Tagen"),
    "in-d-h": ("in {n_d} d {n_h} h", "in {n_d} Tagen {n_h} h"),
    # sharing
    "accepted": ("accepted: {why}", "angenommen: {why}"),
    "refused": ("refused: {why}", "abgelehnt: {why}"),
    "refused-asked": ("refused: {asked} asked, {left}", "abgelehnt: {asked} verlangt, {left}"),
    "nobody-yet": (
        "waiting: nobody has supported it yet",
        "wartet: noch niemand hat ihn unterstützt",
    ),
    "basic-first": (
        "a basic need has first claim, within the part kept for such needs",
        "ein Grundbedarf hat Vorrang, in dem dafür vorgehaltenen Teil",
    ),
    "paid-saved": (
        "{n_votes} supporters paid for it from what they had saved",
        "{n_votes} Unterstützer zahlten aus Erspartem",
    ),
    "paid-shares": (
        "{n_votes} supporters paid for it from their equal shares",
        "{n_votes} Unterstützer zahlten aus ihren gleichen Anteilen",
    ),
    "paid-one-saved": (
        "1 supporter paid for it from what they had saved",
        "1 Unterstützer zahlte aus Erspartem",
    ),
    "paid-one-shares": (
        "1 supporter paid for it from their equal shares",
        "1 Unterstützer zahlte aus dem gleichen Anteil",
    ),
    "granted-least": (
        "it fitted what was left and {who} had received least for its size",
        "er passte in den Rest, und {who} hatte für die Größe am wenigsten erhalten",
    ),
    "granted-close": (
        "it fitted what was left and kept the communities' shares closest",
        "er passte in den Rest und hielt die Anteile der Gemeinschaften am gleichsten",
    ),
    "granted-most": (
        "it fitted what was left and had the most supporters",
        "er passte in den Rest und hatte die meisten Unterstützer",
    ),
    "left-limit": (
        "the whole round has {has} within the limit the communities set",
        "die ganze Runde hat {has} in der Grenze, die die Gemeinschaften setzten",
    ),
    "left-all": ("the whole round has {has} to share", "die ganze Runde hat {has} zu teilen"),
    "left-floor": (
        "{has} left after basic needs had their first claim",
        "{has} übrig nach dem Vorrang der Grundbedarfe",
    ),
    "left-support": (
        "{has} left after needs with more support",
        "{has} übrig nach Bedarfen mit mehr Unterstützung",
    ),
    "left-support-per": (
        "{has} left after needs with more support per {unit}",
        "{has} übrig nach Bedarfen mit mehr Unterstützung je {unit}",
    ),
    "left-size": (
        "{has} left after communities that had received less for their size were served",
        "{has} übrig, nachdem Gemeinschaften bedient waren, die weniger erhalten hatten",
    ),
    "left-close": (
        "{has} left after needs that keep the communities' shares closer were served",
        "{has} übrig nach Bedarfen, die die Anteile gleicher halten",
    ),
    "left-most": (
        "{has} left after needs with more supporters were served",
        "{has} übrig nach Bedarfen mit mehr Unterstützern",
    ),
    "in-round": ("{why} (round {round})", "{why} (Runde {round})"),
    "round-full": (
        "waits: round {round} has {n_needs} needs already",
        "wartet: Runde {round} hat schon {n_needs} Bedarfe",
    ),
    "urgent-waits": ("urgent, waits: {why}", "dringend, wartet: {why}"),
    "to-sites": ("offered to other sites", "anderen Werkstätten angeboten"),
    "taken-home": ("taken home", "zurückgeholt"),
    "home-after-all": ("made at home after all", "doch hier gemacht"),
    "makes-it": ("{site} makes it", "{site} macht ihn"),
    "made-by": ("made and delivered by {site}", "gemacht und geliefert von {site}"),
    # people at machines
    "look-first": (
        "look at the machine: end the order only when it neither moves nor holds it",
        "an der Maschine nachsehen: den Auftrag nur beenden, wenn sie steht und ihn nicht hält",
    ),
    "program-stop": ("program stop", "Programmhalt"),
    "machine-waits": ("machine waits: {why}", "Maschine wartet: {why}"),
    "person-asked": ("a person asked", "ein Mensch bat darum"),
    "machine-asked": ("machine asked", "die Maschine bat darum"),
    "cancelled": ("cancelled", "abgebrochen"),
    "cancelled-there": ("cancelled at the machine", "an der Maschine abgebrochen"),
    "was-stopped": ("stopped", "angehalten"),
    "was-reset": ("machine was reset", "Maschine wurde zurückgesetzt"),
    "reset-running": (
        "machine was reset while an order ran",
        "Maschine wurde während eines Auftrags zurückgesetzt",
    ),
    "no-answer": ("machine does not answer", "Maschine antwortet nicht"),
    "locked": ("machine is locked", "Maschine ist gesperrt"),
    "locked-home": (
        "machine is locked: confirm clear to home it",
        "Maschine ist gesperrt: Räumung bestätigen, dann fährt sie zum Nullpunkt",
    ),
    "ran-out": ("filament ran out on {tool}", "Filament zu Ende an {tool}"),
    "for-person": ("machine stopped for a person", "Maschine hielt für einen Menschen an"),
    "cold": (
        "cold extrusion prevented: nozzle was not hot enough",
        "kalte Extrusion verhindert: Düse war nicht heiß genug",
    ),
    "restarted": ("restarted before start", "Neustart vor dem Beginn"),
    "restarted-why": ("restarted: {why}", "Neustart: {why}"),
    "press-button": (
        "press the button of the machine to go on",
        "den Knopf der Maschine drücken, um fortzufahren",
    ),
    "line-refused": ("line refused: {why}", "Zeile abgelehnt: {why}"),
}
