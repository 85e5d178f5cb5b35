"""What codes of GRBL, states of orders and readings mean: English, German.

The English stands in ``protocols/grbl_codes.py``, ``protocols/orders.py`` and
``protocols/telemetry.py``; a test finds every one of them here.
"""

import re
from collections.abc import Mapping

_GRBL = (
    ("a word does not begin with a letter", "ein Wort beginnt nicht mit einem Buchstaben"),
    ("a number is missing or malformed", "eine Zahl fehlt oder ist falsch geschrieben"),
    ("the $ command is not known", "der $-Befehl ist unbekannt"),
    ("a value that must be positive is negative", "ein Wert ist negativ, der positiv sein muss"),
    ("homing is switched off in the settings", "die Referenzfahrt ist ausgeschaltet"),
    ("the step pulse is set too short", "der Schrittimpuls ist zu kurz eingestellt"),
    (
        "the settings memory could not be read; defaults are in force",
        "der Einstellungsspeicher ist nicht lesbar; es gelten die Vorgaben",
    ),
    ("the command needs an idle machine", "der Befehl braucht eine ruhende Maschine"),
    (
        "the machine is locked; home or unlock it first",
        "die Maschine ist gesperrt; erst Referenzfahrt oder Entsperren",
    ),
    (
        "soft limits need homing to be switched on",
        "Softwaregrenzen brauchen die Referenzfahrt",
    ),
    ("the line is too long", "die Zeile ist zu lang"),
    ("the step rate is set too high", "die Schrittrate ist zu hoch eingestellt"),
    ("the start-up line is too long", "die Startzeile ist zu lang"),
    ("the jog would leave the machine's travel", "das Verfahren verließe den Weg der Maschine"),
    ("the jog command is malformed", "der Verfahrbefehl ist falsch geschrieben"),
    ("laser mode needs a spindle with PWM", "der Lasermodus braucht eine Spindel mit PWM"),
    ("the command is not supported", "der Befehl wird nicht unterstützt"),
    (
        "two commands of one modal group are in one line",
        "zwei Befehle einer Modalgruppe stehen in einer Zeile",
    ),
    ("no feed rate was set", "kein Vorschub gesetzt"),
    ("the command needs a whole number", "der Befehl braucht eine ganze Zahl"),
    (
        "two commands in one line both use the axis words",
        "zwei Befehle einer Zeile brauchen die Achswörter",
    ),
    ("a word is repeated in one line", "ein Wort steht zweimal in der Zeile"),
    ("the command needs axis words", "der Befehl braucht Achswörter"),
    ("the line number is not valid", "die Zeilennummer ist ungültig"),
    (
        "a value word that the command needs is missing",
        "ein Wert fehlt, den der Befehl braucht",
    ),
    (
        "the work coordinate system does not exist",
        "das Werkstückkoordinatensystem gibt es nicht",
    ),
    ("G53 needs G0 or G1", "G53 braucht G0 oder G1"),
    (
        "axis words stand where no command uses them",
        "Achswörter stehen, wo kein Befehl sie braucht",
    ),
    ("an arc needs axis words of its plane", "ein Bogen braucht Achswörter seiner Ebene"),
    ("the target of the motion is not valid", "das Ziel der Bewegung ist ungültig"),
    (
        "the radius of the arc cannot be computed",
        "der Radius des Bogens ist nicht berechenbar",
    ),
    ("the arc needs its centre offsets", "dem Bogen fehlt der Abstand zur Mitte"),
    (
        "the line has words that no command uses",
        "die Zeile hat Wörter, die kein Befehl braucht",
    ),
    ("G43.1 works only on the tool axis", "G43.1 wirkt nur auf die Werkzeugachse"),
    ("the tool number is too high", "die Werkzeugnummer ist zu hoch"),
    ("the controller was reset", "das Steuergerät wurde zurückgesetzt"),
    ("a value must be above zero", "ein Wert muss über null sein"),
    ("the tool table entry is not valid", "der Eintrag der Werkzeugtabelle ist ungültig"),
    ("a value is out of range", "ein Wert liegt außerhalb seines Bereichs"),
    ("a tool change is pending", "ein Werkzeugwechsel steht aus"),
    ("the spindle does not run", "die Spindel läuft nicht"),
    ("the plane is not valid here", "die Ebene ist hier ungültig"),
    ("the feed rate is above the machine's", "der Vorschub ist höher als der der Maschine"),
    ("the spindle speed is out of range", "die Drehzahl liegt außerhalb ihres Bereichs"),
    ("a limit switch is engaged", "ein Endschalter ist gedrückt"),
    ("the machine must be homed", "die Maschine braucht eine Referenzfahrt"),
    ("the tool has an error", "das Werkzeug meldet einen Fehler"),
    ("two value words conflict", "zwei Werte widersprechen sich"),
    ("the self-test failed", "der Selbsttest misslang"),
    ("the emergency stop is engaged", "der Not-Halt ist gedrückt"),
    ("a motor has a fault", "ein Motor hat eine Störung"),
    (
        "the setting's value is out of range",
        "der Wert der Einstellung liegt außerhalb des Bereichs",
    ),
    ("the setting is switched off", "die Einstellung ist ausgeschaltet"),
    ("the retract position is below the work", "der Rückzug liegt unter dem Werkstück"),
    ("the homing set-up is not valid", "die Referenzfahrt ist ungültig eingerichtet"),
    (
        "the work coordinate system is locked",
        "das Werkstückkoordinatensystem ist gesperrt",
    ),
    (
        "the memory card could not be mounted",
        "die Speicherkarte ließ sich nicht einbinden",
    ),
    ("the file could not be read", "die Datei war nicht lesbar"),
    ("the folder could not be opened", "der Ordner ging nicht auf"),
    ("the folder was not found", "der Ordner fehlt"),
    ("no memory card is mounted", "keine Speicherkarte eingebunden"),
    ("Bluetooth could not be started", "Bluetooth ließ sich nicht starten"),
    (
        "an expression has an unknown operator",
        "ein Ausdruck hat ein unbekanntes Rechenzeichen",
    ),
    ("an expression divides by zero", "ein Ausdruck teilt durch null"),
    ("a log-in is needed", "eine Anmeldung ist nötig"),
    ("access is denied", "der Zugriff ist verboten"),
    (
        "not allowed while a critical event is active",
        "nicht erlaubt, solange ein kritisches Ereignis ansteht",
    ),
    ("a user macro failed", "ein Makro misslang"),
    ("no homing cycle is configured", "keine Referenzfahrt eingerichtet"),
    (
        "homing of a single axis is not allowed",
        "Referenzfahrt einer einzelnen Achse ist nicht erlaubt",
    ),
    ("the parameter number is too high", "die Parameternummer ist zu hoch"),
    ("a control pin is active at start", "ein Steuereingang ist beim Start aktiv"),
    ("the storage could not be mounted", "der Speicher ließ sich nicht einbinden"),
    ("the file is empty", "die Datei ist leer"),
    ("the file was not found", "die Datei fehlt"),
    ("the file could not be opened", "die Datei ging nicht auf"),
    ("the storage is busy", "der Speicher ist beschäftigt"),
    (
        "the number is out of the setting's range",
        "die Zahl liegt außerhalb des Bereichs der Einstellung",
    ),
    ("the setting's value is not valid", "der Wert der Einstellung ist ungültig"),
    ("a message could not be sent", "eine Meldung ließ sich nicht senden"),
    ("the setting could not be stored", "die Einstellung ließ sich nicht speichern"),
    ("another interface is busy", "eine andere Schnittstelle ist beschäftigt"),
    ("the jog was cancelled", "das Verfahren wurde abgebrochen"),
    ("the configuration is not valid", "die Einrichtung ist ungültig"),
    # alarms
    (
        "a limit switch was hit; the position is lost",
        "ein Endschalter wurde getroffen; die Position ist verloren",
    ),
    (
        "the motion would leave the machine's travel; the position is kept",
        "die Bewegung verließe den Weg der Maschine; die Position bleibt",
    ),
    (
        "the machine was reset while moving; the position is lost",
        "die Maschine wurde in der Bewegung zurückgesetzt; die Position ist verloren",
    ),
    (
        "the probe was not in its expected state before probing",
        "der Taster war vor dem Antasten nicht im erwarteten Zustand",
    ),
    (
        "the probe did not touch within its travel",
        "der Taster berührte auf seinem Weg nichts",
    ),
    (
        "homing failed: the machine was reset",
        "Referenzfahrt misslungen: die Maschine wurde zurückgesetzt",
    ),
    (
        "homing failed: the safety door was opened",
        "Referenzfahrt misslungen: die Schutztür wurde geöffnet",
    ),
    (
        "homing failed: the limit switch did not clear",
        "Referenzfahrt misslungen: der Endschalter ging nicht auf",
    ),
    (
        "homing failed: the limit switch was not found",
        "Referenzfahrt misslungen: kein Endschalter gefunden",
    ),
    ("the probe protection was triggered", "der Tasterschutz sprach an"),
    ("the spindle did not reach its speed", "die Spindel erreichte ihre Drehzahl nicht"),
    (
        "homing failed: the second limit switch of an axis was not found",
        "Referenzfahrt misslungen: der zweite Endschalter einer Achse fehlt",
    ),
    ("homing failed", "Referenzfahrt misslungen"),
    ("the spindle does not answer", "die Spindel antwortet nicht"),
    (
        "a limit switch is engaged; which side is not known",
        "ein Endschalter ist gedrückt; welche Seite, ist unbekannt",
    ),
    ("a hard stop was asked for", "ein sofortiger Halt wurde verlangt"),
    ("the controller has just started", "das Steuergerät ist eben gestartet"),
    ("a line of the program failed", "eine Zeile des Programms misslang"),
    ("{alarm}; set the work zero again", "{alarm}; den Werkstücknullpunkt neu setzen"),
    ("unknown code {n_code} of {firmware}", "unbekannter Code {n_code} von {firmware}"),
)
_ORDERS = (
    ("offered", "angeboten"),
    ("taken by the machine", "von der Maschine angenommen"),
    ("allowed to start", "darf beginnen"),
    ("running", "läuft"),
    ("paused", "pausiert"),
    ("in doubt: the machine is silent", "im Zweifel: die Maschine schweigt"),
    ("unknown: a person must look", "ungewiss: ein Mensch muss nachsehen"),
    ("done", "fertig"),
    ("failed", "misslungen"),
    ("withdrawn before it began", "vor dem Beginn zurückgezogen"),
)
_READINGS = (
    ("bed temperature", "Temperatur des Betts"),
    ("bed temperature asked for", "Solltemperatur des Betts"),
    ("share of the program acknowledged", "bestätigter Teil des Programms"),
    ("emergency stop of a cell active", "Not-Halt einer Zelle aktiv"),
    (
        "faults a full journal had no room for, since the start",
        "Störungen ohne Platz im vollen Journal, seit dem Start",
    ),
    ("feed rate", "Vorschub"),
    ("chamber temperature", "Temperatur der Kammer"),
    ("chamber temperature asked for", "Solltemperatur der Kammer"),
    (
        "electrical energy since the firmware started, by a meter",
        "elektrische Energie seit dem Start der Firmware, nach Zähler",
    ),
    ("feed override", "Vorschub gegen Programm"),
    (
        "filament seen by an encoder since the start",
        "Filament nach dem Geber, seit dem Start",
    ),
    ("free memory of the firmware", "freier Speicher der Firmware"),
    ("least free memory since the start", "kleinster freier Speicher seit dem Start"),
    (
        "MachineryItemState: not available, out of service, at rest, busy",
        "MachineryItemState: nicht da, außer Betrieb, in Ruhe, beschäftigt",
    ),
    ("job orders a cell lists", "Aufträge in der Liste der Zelle"),
    ("events not yet acknowledged", "noch nicht bestätigte Ereignisse"),
    ("program lines acknowledged", "bestätigte Programmzeilen"),
    ("nozzle temperature", "Temperatur der Düse"),
    ("nozzle temperature asked for", "Solltemperatur der Düse"),
    ("free places in the machine's planner", "freie Plätze im Planer der Maschine"),
    ("rapid override", "Eilgang gegen Programm"),
    ("robot on its programmed path", "Roboter auf seiner Bahn"),
    ("task program loaded in the robot's controller", "Programm im Roboter geladen"),
    ("protective stop of a cell active", "Schutzhalt einer Zelle aktiv"),
    ("lines sent again since the start", "erneut gesendete Zeilen seit dem Start"),
    (
        "OperationalMode: other, manual slow, manual fast, auto, external",
        "OperationalMode: anderer, Hand langsam, Hand schnell, Automatik, extern",
    ),
    ("radio signal", "Funksignal"),
    ("electrical power", "elektrische Leistung"),
    (
        "free bytes in the machine's receive buffer",
        "freie Bytes im Empfangspuffer der Maschine",
    ),
    ("spindle override", "Spindel gegen Programm"),
    ("job orders a cell has in hand", "Aufträge, die eine Zelle bearbeitet"),
    (
        "share of the programmed speed, by override",
        "Anteil der programmierten Geschwindigkeit",
    ),
    ("spindle speed", "Drehzahl der Spindel"),
    ("mass on a scale under the spool", "Masse auf der Waage unter der Spule"),
    ("position", "Position"),
)


def _coded(kind: str, pairs: tuple[tuple[str, str], ...]) -> dict[str, tuple[str, str]]:
    """Pairs by a code made of their English."""
    return {f"{kind}-{re.sub('[^a-z0-9]+', '-', one.lower()).strip('-')}": (one, other)
            for one, other in pairs}  # fmt: skip


CODES: Mapping[str, tuple[str, str]] = {
    **_coded("grbl", _GRBL),
    **_coded("order-is", _ORDERS),
    **_coded("reading", _READINGS),
}
