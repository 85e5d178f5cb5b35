"""Error and alarm codes of the GRBL family, in words for people.

The numbers collide between firmwares, so a code means nothing without its firmware: ``grbl`` (1.1h
``doc/markdown/interface.md``), ``grblhal`` (``errors.h``, ``alarms.h``), ``fluidnc``
(``Error.h``, ``Alarm`` in ``System.h``). Codes 1-9 of alarms and most errors below 39 are shared.
Tables are text, a code and its words a line: so a board holds one object for each, not a hundred.
"""

_ERRORS = """
1 a word does not begin with a letter
2 a number is missing or malformed
3 the $ command is not known
4 a value that must be positive is negative
5 homing is switched off in the settings
6 the step pulse is set too short
7 the settings memory could not be read; defaults are in force
8 the command needs an idle machine
9 the machine is locked; home or unlock it first
10 soft limits need homing to be switched on
11 the line is too long
12 the step rate is set too high
13 the safety door is open
14 the start-up line is too long
15 the jog would leave the machine's travel
16 the jog command is malformed
17 laser mode needs a spindle with PWM
20 the command is not supported
21 two commands of one modal group are in one line
22 no feed rate was set
23 the command needs a whole number
24 two commands in one line both use the axis words
25 a word is repeated in one line
26 the command needs axis words
27 the line number is not valid
28 a value word that the command needs is missing
29 the work coordinate system does not exist
30 G53 needs G0 or G1
31 axis words stand where no command uses them
32 an arc needs axis words of its plane
33 the target of the motion is not valid
34 the radius of the arc cannot be computed
35 the arc needs its centre offsets
36 the line has words that no command uses
37 G43.1 works only on the tool axis
38 the tool number is too high
"""

_ERRORS_GRBLHAL = """
18 the controller was reset
19 a value must be above zero
38 the tool table entry is not valid
39 a value is out of range
40 a tool change is pending
41 the spindle does not run
42 the plane is not valid here
43 the feed rate is above the machine's
44 the spindle speed is out of range
45 a limit switch is engaged
46 the machine must be homed
47 the tool has an error
48 two value words conflict
49 the self-test failed
50 the emergency stop is engaged
51 a motor has a fault
52 the setting's value is out of range
53 the setting is switched off
54 the retract position is below the work
55 the homing set-up is not valid
56 the work coordinate system is locked
60 the memory card could not be mounted
61 the file could not be read
62 the folder could not be opened
63 the folder was not found
64 no memory card is mounted
70 Bluetooth could not be started
71 an expression has an unknown operator
72 an expression divides by zero
77 a log-in is needed
78 access is denied
79 not allowed while a critical event is active
253 a user macro failed
"""

_ERRORS_FLUIDNC = """
18 no homing cycle is configured
19 homing of a single axis is not allowed
39 the parameter number is too high
40 a control pin is active at start
60 the storage could not be mounted
61 the file could not be read
62 the folder could not be opened
63 the folder was not found
64 the file is empty
65 the file was not found
66 the file could not be opened
67 the storage is busy
80 the number is out of the setting's range
81 the setting's value is not valid
90 a message could not be sent
100 the setting could not be stored
110 a log-in is needed
120 another interface is busy
113 the controller was reset
130 the jog was cancelled
152 the configuration is not valid
"""

_ALARMS = """
1 a limit switch was hit; the position is lost
2 the motion would leave the machine's travel; the position is kept
3 the machine was reset while moving; the position is lost
4 the probe was not in its expected state before probing
5 the probe did not touch within its travel
6 homing failed: the machine was reset
7 homing failed: the safety door was opened
8 homing failed: the limit switch did not clear
9 homing failed: the limit switch was not found
"""

_ALARMS_GRBLHAL = """
10 the emergency stop is engaged
11 the machine must be homed
12 a limit switch is engaged
13 the probe protection was triggered
14 the spindle did not reach its speed
15 homing failed: the second limit switch of an axis was not found
16 the self-test failed
17 a motor has a fault
18 homing failed
"""

_ALARMS_FLUIDNC = """
10 the spindle does not answer
11 a control pin is active at start
12 a limit switch is engaged; which side is not known
13 a hard stop was asked for
14 the machine must be homed
15 the controller has just started
17 a line of the program failed
"""

_MORE = {
    "grblhal": (_ERRORS_GRBLHAL, _ALARMS_GRBLHAL),
    "fluidnc": (_ERRORS_FLUIDNC, _ALARMS_FLUIDNC),
}
# alarms after which the position may be wrong and the machine must be homed
POSITION_LOST = (1, 3, 6, 7, 8, 9)


def _find(table: str, code: int) -> str:
    begin = table.find("\n{} ".format(code)) + 1
    return table[begin : table.find("\n", begin)].partition(" ")[2] if begin else ""


def _words(code: int, firmware: str, which: int) -> str:
    own = _find(_MORE[firmware][which], code) if firmware in _MORE else ""
    found = own or _find((_ERRORS, _ALARMS)[which], code)
    return found or "unknown code {} of {}".format(code, firmware or "this firmware")


def error_words(code: int, firmware: str = "grbl") -> str:
    """What ``error:N`` of this firmware says, for people; never raises."""
    return _words(code, firmware, 0)


def alarm_words(code: int, firmware: str = "grbl") -> str:
    """What ``ALARM:N`` of this firmware says, for people; never raises."""
    return _words(code, firmware, 1)
