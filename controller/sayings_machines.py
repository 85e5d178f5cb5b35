"""The catalogue of what machines, cells and other hosts say: code, English, German."""

from collections.abc import Mapping

MACHINES: Mapping[str, tuple[str, str]] = {
    # why an order was not taken
    "no-program": ("program is not here", "das Programm ist nicht da"),
    "grant-other": (
        "grant names another program than the offer",
        "die Freigabe nennt ein anderes Programm als das Angebot",
    ),
    "not-ready": ("machine is not ready", "die Maschine ist nicht bereit"),
    "machine-state": ("machine is {state}", "die Maschine ist {state}"),
    "too-many-lots": ("too many lots for one journal", "zu viele Lose für ein Journal"),
    "other-dialect": (
        "program is for {kind}, not {dialect}",
        "das Programm ist für {kind}, nicht {dialect}",
    ),
    "channel-holds": (
        "channel {n_ch} holds {lot}, not {other}",
        "Kanal {n_ch} hat {lot}, nicht {other}",
    ),
    "program-hash": (
        "program does not match its hash",
        "das Programm passt nicht zu seiner Prüfsumme",
    ),
    "program-unread": (
        "program cannot be fetched: {why}",
        "das Programm kann nicht geholt werden: {why}",
    ),
    "program-large": (
        "program is too large for a spool of {n_b} B",
        "das Programm ist zu groß für den Speicher von {n_b} B",
    ),
    "program-changed": (
        "program on the server is another one now",
        "auf dem Server liegt jetzt ein anderes Programm",
    ),
    "line-why": ("line {n_line} {why}", "Zeile {n_line}: {why}"),
    "server-fails": ("server fails too often", "der Server versagt zu oft"),
    "no-answer-30": ("no answer in {n_s} s", "keine Antwort in {n_s} s"),
    # what a program may not hold
    "uses-card": ("{command} uses the memory card", "{command} benutzt die Speicherkarte"),
    "kept-settings": (
        "{command} reads or writes the machine's kept settings",
        "{command} liest oder schreibt die Einstellungen der Maschine",
    ),
    "serial-speed": (
        "{command} changes the serial speed",
        "{command} ändert die Baudrate",
    ),
    "updates-firmware": ("{command} updates the firmware", "{command} erneuert die Firmware"),
    "restarts-stopped": (
        "{command} restarts a stopped machine",
        "{command} startet eine angehaltene Maschine neu",
    ),
    "emergency-command": (
        "{command} is an emergency command, not program text",
        "{command} ist ein Notbefehl, kein Programmtext",
    ),
    "line-numbers": (
        "{command} sets line numbers, which the driver owns",
        "{command} setzt Zeilennummern, die dem Treiber gehören",
    ),
    "steps-per-mm": (
        "{command} changes the machine's steps per mm",
        "{command} ändert die Schritte je mm",
    ),
    "heater-guards": (
        "{command} changes the machine's heater guards",
        "{command} ändert die Wächter der Heizungen",
    ),
    "denied-here": (
        "{command} is denied on this machine",
        "{command} ist an dieser Maschine verboten",
    ),
    "not-listed": (
        "{command} is not on this machine's list",
        "{command} steht nicht auf der Liste dieser Maschine",
    ),
    "one-line": ("must be one line", "muss eine Zeile sein"),
    "nothing-to-send": ("holds nothing to send", "enthält nichts zu senden"),
    "draws-material": (
        "draws material that no order accounts for",
        "verbraucht Material, das kein Auftrag verbucht",
    ),
    # answers to commands
    "no-order-runs": ("no order is running", "kein Auftrag läuft"),
    "no-order-paused": ("no order is paused", "kein Auftrag ist pausiert"),
    "an-order-runs": ("an order is running", "ein Auftrag läuft"),
    "nothing-loaded": ("nothing is loaded there", "dort ist nichts geladen"),
    "too-late-came": ("came too late", "kam zu spät"),
    "earlier-start": (
        "was meant for an earlier start of this machine",
        "galt einem früheren Start dieser Maschine",
    ),
    "order-not-here": (
        "the order it was meant for is not here",
        "der Auftrag, dem es galt, ist nicht hier",
    ),
    "order-since": ("another order was taken since", "inzwischen läuft ein anderer Auftrag"),
    "journal-full": (
        "journal is full: nobody acknowledges",
        "das Journal ist voll: niemand bestätigt",
    ),
    "not-idle": (
        "the machine is not idle without an order",
        "die Maschine ruht nicht ohne Auftrag",
    ),
    "line-before": (
        "the line before is not answered yet",
        "die Zeile davor ist noch nicht beantwortet",
    ),
    "stop-late": (
        "stop was sent, but this machine may hear it late: use its own switch",
        "Halt ist gesendet, doch diese Maschine hört ihn vielleicht spät: ihren Schalter benutzen",
    ),
    "no-job": ("the machine has no job in hand", "die Maschine hat keinen Auftrag"),
    "cell-no-job": ("the cell has no job in hand", "die Zelle hat keinen Auftrag"),
    # what machines report of themselves
    "flash-lost": ("flash lost part of the journal", "der Speicher verlor Teile des Journals"),
    "last-life": ("last life ended: {why}", "der letzte Lauf endete: {why}"),
    "serial-closed": (
        "serial line cannot be opened: {why}",
        "die serielle Leitung geht nicht auf: {why}",
    ),
    "serial-gone": ("serial line is gone: {why}", "die serielle Leitung ist weg: {why}"),
    "little-heap": ("little heap is left", "kaum noch freier Speicher"),
    "ran-out-channel": ("filament ran out on channel {n_ch}", "Filament zu Ende in Kanal {n_ch}"),
    "no-follow": (
        "filament does not follow on channel {n_ch}",
        "das Filament in Kanal {n_ch} wird nicht gefördert",
    ),
    "not-read": ("line cannot be read: {why}", "Zeile ist nicht lesbar: {why}"),
    "not-sent": ("line cannot be sent: {why}", "Zeile ist nicht sendbar: {why}"),
    "answer-lost": (
        "an answer of the machine was lost",
        "eine Antwort der Maschine ging verloren",
    ),
    "machine-asks": ("machine asks: {what}", "die Maschine fragt: {what}"),
    "again-again": (
        "machine asks for the same line again and again",
        "die Maschine verlangt immer wieder dieselbe Zeile",
    ),
    "garbled": (
        "what arrives cannot be read: check baud rate and cable",
        "was ankommt, ist nicht lesbar: Baudrate und Kabel prüfen",
    ),
    "is-a-mill": (
        "answers as a GRBL mill: this machine is set up as a printer",
        "antwortet als GRBL-Fräse: diese Maschine ist als Drucker eingerichtet",
    ),
    "is-a-printer": (
        "answers as a printer: this machine is set up as a mill",
        "antwortet als Drucker: diese Maschine ist als Fräse eingerichtet",
    ),
    "door-open": ("the safety door is open", "die Schutztür ist offen"),
    "hold-pressed": ("a hold switch is pressed", "ein Halteschalter ist gedrückt"),
    "laser-mode": ("laser mode is on ($32)", "der Lasermodus ist an ($32)"),
    "in-inches": ("reports are in inches ($13)", "die Meldungen sind in Zoll ($13)"),
    "size-beyond": (
        "{axis} {n_mm} mm is the size of the program, the machine ends at {n_end} mm",
        "{axis}: das Programm misst {n_mm} mm, die Maschine endet bei {n_end} mm",
    ),
    "goes-beyond": (
        "{axis} {n_mm} mm is where the program goes, the machine ends at {n_end} mm",
        "{axis}: das Programm fährt bis {n_mm} mm, die Maschine endet bei {n_end} mm",
    ),
    "wrong-mode": (
        "machine starts with {mode}, the program does not set its {what}",
        "die Maschine beginnt mit {mode}, das Programm setzt nichts ({what})",
    ),
    "put-in-tool": ("put in tool {n_tool}", "Werkzeug {n_tool} einsetzen"),
    "change-tool": ("change the tool", "das Werkzeug wechseln"),
    # Marlin's own words for its faults
    "heating-failed": (
        "Heating failed, system stopped! Heater_ID: {heater}",
        "Heizen misslang, Maschine steht! Heizung: {heater}",
    ),
    "thermal-runaway": (
        "Thermal Runaway, system stopped! Heater_ID: {heater}",
        "Temperatur lief davon, Maschine steht! Heizung: {heater}",
    ),
    "maxtemp": (
        "MAXTEMP triggered, system stopped! Heater_ID: {heater}",
        "Höchsttemperatur überschritten, Maschine steht! Heizung: {heater}",
    ),
    "mintemp": (
        "MINTEMP triggered, system stopped! Heater_ID: {heater}",
        "Mindesttemperatur unterschritten, Maschine steht! Heizung: {heater}",
    ),
    "halted": (
        "Printer halted. kill() called!",
        "Der Drucker hielt sich selbst an (kill).",
    ),
    # cells
    "cell-estop": (
        "emergency stop active: look at the cell, reset it there",
        "Not-Halt aktiv: zur Zelle gehen, dort zurücksetzen",
    ),
    "cell-pstop": (
        "protective stop active: look at the cell",
        "Schutzhalt aktiv: zur Zelle gehen",
    ),
    "cell-manual": (
        "robot in manual mode: set it to automatic",
        "Roboter im Handbetrieb: auf Automatik stellen",
    ),
    "cell-own-job": ("busy with a job of its own", "beschäftigt mit einem eigenen Auftrag"),
    "cell-knows": (
        "the cell already lists this order",
        "die Zelle führt diesen Auftrag schon",
    ),
    "cell-lost-list": (
        "the cell restarted and lost its job list",
        "die Zelle startete neu und verlor ihre Auftragsliste",
    ),
    "cell-lost-job": ("the cell lost the job", "die Zelle verlor den Auftrag"),
    "stopped-before": ("stopped before it began", "vor dem Beginn angehalten"),
    "cell-ended-before": (
        "ended at the cell before it began",
        "an der Zelle vor dem Beginn beendet",
    ),
    "place-clear": ("confirm that its place is clear", "bestätigen, dass der Platz frei ist"),
    "bed-is-clear": ("confirm that its bed is clear", "bestätigen, dass das Bett frei ist"),
    "emergency-stop": ("emergency stop", "Not-Halt"),
    "protective-stop": ("protective stop", "Schutzhalt"),
    # machines of other hosts
    "runs-other": (
        "{what} runs on it, started by somebody there",
        "{what} läuft darauf, dort von jemandem gestartet",
    ),
    "used-meanwhile": ("somebody used it meanwhile", "jemand hat sie inzwischen benutzt"),
    "nobody-saw": (
        "nobody saw it for a while and it keeps no history",
        "eine Weile sah sie niemand, und sie führt keine Geschichte",
    ),
    "ended-early": ("ended early at the machine", "an der Maschine vorzeitig beendet"),
    "paused-there": ("paused at the machine", "an der Maschine pausiert"),
    "no-longer-tells": (
        "the machine no longer tells of it",
        "die Maschine weiß nichts mehr davon",
    ),
    "error-told": ("the printer reports an error", "der Drucker meldet einen Fehler"),
    "look-at-screen": ("look at its screen", "auf seine Anzeige sehen"),
    "wrong-key": (
        "the key is wrong or lacks a right ({why})",
        "der Schlüssel ist falsch oder ihm fehlt ein Recht ({why})",
    ),
    "agent-deaf": (
        "the agent hears nothing of its machine",
        "der Agent hört nichts von seiner Maschine",
    ),
    "must-clear-again": (
        "{machine} must be cleared again: {why}",
        "{machine} muss wieder geräumt werden: {why}",
    ),
    "cannot-reach": ("{machine} cannot be reached", "{machine} ist nicht erreichbar"),
}
