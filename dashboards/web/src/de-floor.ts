// German of handovers, banners and what is to be settled; part of the catalogue in de.ts.
export const floor = {
  "A standby shows this page.": "Eine Reserve zeigt diese Seite.",
  "All work would end {span} later.": "Alle Arbeit wäre {span} später fertig.",
  "For this somebody must load:": "Dafür muss jemand laden:",
  "Needs that end earlier: {n}.": "Bedarfe, die früher fertig werden: {n}.",
  "Needs that end later: {n}.": "Bedarfe, die später fertig werden: {n}.",
  "Nobody else could do {n} operations.": "{n} Arbeitsgänge könnte niemand sonst machen.",
  "Nothing would change: nothing is planned on {name}.":
    "Nichts würde sich ändern: auf {name} ist nichts geplant.",
  "Nothing would change: other machines take its work.":
    "Nichts würde sich ändern: andere Maschinen übernehmen die Arbeit.",
  "What it runs now is taken as finished.": "Was sie gerade macht, gilt als fertig.",
  "{span} earlier": "{span} früher",
  "{span} later": "{span} später",
  Correct: "Berichtigen",
  "Correct what {order} drew": "Berichtigen, was {order} verbrauchte",
  Count: "Zählen",
  "Count {lot}: settle it to what is there": "{lot} zählen: auf das stellen, was da ist",
  "It lies right": "Liegt richtig",
  "It was so": "War so",
  "It was so: {order} as the machine reported": "War so: {order} wie von der Maschine gemeldet",
  "Label to print (PDF)": "Etikett zum Drucken (PDF)",
  "Keep it pressed for a moment": "Einen Moment gedrückt halten",
  Layer: "Schicht",
  "No new orders: the controller is being drained.":
    "Keine neuen Aufträge: die Steuerung läuft leer.",
  "Offer orders again": "Wieder Aufträge anbieten",
  "Orders are offered again": "Es werden wieder Aufträge angeboten",
  "Pieces of {lot} that are there": "Stücke von {lot}, die da sind",
  "Place to confirm": "Lage bestätigen",
  "QR code (PNG)": "QR-Code (PNG)",
  "Room for a part": "Platz für ein Teil",
  Spindle: "Spindel",
  "The part on {name} lies where the robot takes it":
    "Das Teil auf {name} liegt, wo der Roboter es nimmt",
  "The robot waits: does the part lie where it takes it? Else clear the bed by hand.":
    "Der Roboter wartet: liegt das Teil, wo er es nimmt? Sonst das Bett von Hand räumen.",
  "What the label leads to": "Wohin das Etikett führt",
  "What you ask for is passed on to the controller that leads; while none leads it is refused.":
    "Was Sie verlangen, geht weiter an die führende Steuerung; solange keine führt, wird es abgelehnt.",
  "What {order} really drew, g": "Was {order} wirklich verbrauchte, g",
  pcs: "St.",
  "{lot}: counted": "{lot}: gezählt",
  "{name}: its place is confirmed": "{name}: die Lage ist bestätigt",
  "{order} took {taken}, {planned} were planned": "{order} nahm {taken}, geplant waren {planned}",
  "{order}: settled": "{order}: geklärt",
  "{who} asked for it; what runs, runs on.": "{who} hat es verlangt; was läuft, läuft weiter.",
} as const;
