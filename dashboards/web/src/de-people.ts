// German of coming in and of roles; part of the catalogue in de.ts.
export const people = {
  Admin: "Verwaltung",
  Code: "Code",
  "Log in": "Anmelden",
  "Log in by {place}": "Anmelden über {place}",
  "Log out": "Abmelden",
  Member: "Mitglied",
  Name: "Name",
  "Nobody has an account yet. The controller printed a code at its start.":
    "Noch hat niemand ein Konto. Die Steuerung hat beim Start einen Code ausgegeben.",
  "Nobody has an account: whoever is at this computer may do all.":
    "Niemand hat ein Konto: wer an diesem Rechner sitzt, darf alles.",
  Password: "Passwort",
  Public: "Öffentlich",
  Steward: "Treuhand",
  Technician: "Technik",
  "The first account": "Das erste Konto",
  "What is public needs no account: records of parts, at the address on their label.":
    "Öffentliches braucht kein Konto: die Teileakten, unter der Adresse auf ihrem Etikett.",
  "Your role ({role}) does not allow this.": "Ihre Rolle ({role}) erlaubt das nicht.",
  "no accounts": "keine Konten",
} as const;
