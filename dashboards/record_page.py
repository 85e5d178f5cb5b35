"""The public record of a need's parts as a page, in English or German; it needs no script.

Moments are UTC as they are sent; where scripts run, ``local.js`` writes them in the reader's zone
and keeps UTC for hovering.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape

from controller.sayings import in_language
from dashboards.record_views import RecordView
from dashboards.story_models import PartStepView

STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid #8885; padding: .35rem .5rem; text-align: left }
td { overflow-wrap: anywhere } time[title] { text-decoration: underline dotted #8888 }
.wide { overflow-x: auto } .wide td { white-space: nowrap }
.links a { display: inline-block; min-height: 24px; margin-right: 1.5rem }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } a { color: #9cf } }
"""
LOCAL = """\
const shown = { dateStyle: "medium", timeStyle: "short" };
const format = new Intl.DateTimeFormat(document.documentElement.lang, shown);
for (const time of document.querySelectorAll("time")) {
  time.title = time.textContent;
  time.textContent = format.format(new Date(time.dateTime));
}
"""
ENGLISH, GERMAN = 0, 1
LANGUAGES = ("en", "de")
MOMENT = "%Y-%m-%d %H:%M UTC"
WORDS: Mapping[str, str] = {
    "accepted because": "angenommen, weil",
    "As JSON": "Als JSON",
    "bad": "schlecht",
    "by": "von",
    "Credited": "Dank an",
    "Decided": "Entschieden",
    "delivered": "übergeben",
    "design": "Entwurf",
    "energy": "Energie",
    "for": "für",
    "from": "ab",
    "good": "gut",
    "How it was made": "Wie es gemacht wurde",
    "inspection": "Prüfung",
    "Label (PDF)": "Etikett (PDF)",
    "machine": "Maschine",
    "making": "in Arbeit",
    "accepted": "angenommen",
    "stated": "gemeldet",
    "refused": "abgelehnt",
    "withdrawn": "zurückgezogen",
    "material": "Material",
    "measured": "gemessen",
    "need": "Bedarf",
    "not measured": "nicht gemessen",
    "nothing yet": "noch nichts",
    "piece": "Stück",
    "pieces": "Stück",
    "QR code (PNG)": "QR-Code (PNG)",
    "state": "Stand",
    "step": "Schritt",
    "tended by": "betreut von",
    "uncertain": "ungewiss",
}


def language_of(accepted: str, chosen: str = "") -> int:
    """The language of a reader: as chosen in the address, else by Accept-Language."""
    for name in (chosen, *accepted.split(",")):
        code = name.strip()[:2].lower()
        if code in LANGUAGES:
            return LANGUAGES.index(code)
    return ENGLISH


def page(view: RecordView, language: int = ENGLISH) -> str:
    """The record as a page."""
    return _Page(language).whole(view)


def label_words(view: RecordView, language: int = ENGLISH) -> list[str]:
    """Lines of a part's label; its moment is UTC, since paper has no zone."""
    return _Page(language).label(view)


class _Page:
    """Words, numbers and moments of one language."""

    def __init__(self, language: int) -> None:
        self._language = language

    def whole(self, view: RecordView) -> str:
        title = f"{view['quantity']} × {view.get('title', view['part'])}"
        t, need = self.word, escape(view["need"])
        rows = "".join(self.row(step) for step in view["steps"])
        heads = ("step", "piece", "machine", "from", "material", "tended by", "inspection")
        decided = (f"{d['round']}: {self.said(d['reason'])}" for d in view["decisions"])
        credited = (f"{c['name']}: {self.said(c['why'])}" for c in view["contributors"])
        lang = LANGUAGES[self._language]
        return (
            f'<!doctype html><html lang="{lang}"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f'<title>{escape(title)}</title><link rel="stylesheet" href="/records/style.css">'
            '<script type="module" src="/records/local.js"></script>'
            f"<main><h1>{escape(title)}</h1>{self.facts(view)}"
            f'<h2>{t("How it was made")}</h2><div class="wide" tabindex="0"><table>'
            f"<tr>{''.join(f'<th>{t(head)}' for head in heads)}</tr>{rows}</table></div>"
            f"<h2>{t('Decided')}</h2><ul>{self.items(decided)}</ul>"
            f"<h2>{t('Credited')}</h2><ul>{self.items(credited)}</ul>"
            f'<p class="links"><a href="/records/{need}/label.pdf?lang={lang}">'
            f"{t('Label (PDF)')}</a> "
            f'<a href="/records/{need}/label.png">{t("QR code (PNG)")}</a> '
            f'<a href="/api/records/{need}">{t("As JSON")}</a></p></main></html>'
        )

    def facts(self, view: RecordView) -> str:
        t = self.word
        energy = f"{self.number(view['energy_mwh'] / 1000, 1)} Wh" if "energy_mwh" in view else ""
        mass = f"{self.number(view['measured_mg'] / 1000, 3)} g {t('measured')}"
        if view["uncertain_mg"]:
            mass += f", {self.number(view['uncertain_mg'] / 1000, 3)} g {t('uncertain')}"
        stated = f"{escape(view['need'])}, {t('stated')} {moment(view['stated_at'])}"
        delivered = ", ".join(moment(line["happened_at"]) for line in view["delivered"])
        design = f"{view['design']} {view.get('version', '')}, {view.get('license', '')}"
        rows = (
            ("need", f"{stated} {t('by')} {escape(view['community'])}"),
            ("state", t(view["state"])),
            ("accepted because", escape(self.said(view.get("accepted_because", "-")))),
            ("design", escape(design)),
            ("material", mass),
            ("energy", energy or t("not measured")),
            ("delivered", delivered or "-"),
        )
        return "<table>" + "".join(f"<tr><th>{t(k)}<td>{v}" for k, v in rows) + "</table>"

    def row(self, step: PartStepView) -> str:
        mass = step.get("measured_mg", 0)
        found, who = step.get("inspection"), step.get("inspected_by", "-")
        cells = (
            escape(step["step"]),
            str(step["unit"] + 1),
            escape(step["machine"]),
            moment(step["started_at"]) if "started_at" in step else "-",
            f"{self.number(mass / 1000, 3)} g" if mass else "-",
            escape(", ".join(step["tended_by"]) or "-"),
            f"{self.word(found)} {self.word('by')} {escape(who)}" if found else "-",
        )
        return "<tr>" + "".join(f"<td>{cell}" for cell in cells)

    def label(self, view: RecordView) -> list[str]:
        t, delivered = self.word, view["delivered"]
        pieces = t("piece" if view["quantity"] == 1 else "pieces")
        at_ms = delivered[-1]["happened_at"] if delivered else 0
        return [
            view.get("title", view["part"]),
            f"{t('need')} {view['need']}, {view['quantity']} {pieces}",
            f"{t('for')} {view['community']}",
            f"{self.number(view['measured_mg'] / 1000, 1)} g, {view.get('license', '')}",
            _utc(at_ms).strftime(MOMENT) if at_ms else t(view["state"]),
        ]

    def items(self, texts: Iterable[str]) -> str:
        none = f"<li>{self.word('nothing yet')}"
        return "".join(f"<li>{escape(text)}" for text in texts) or none

    def word(self, english: str) -> str:
        return WORDS.get(english, english) if self._language == GERMAN else english

    def said(self, text: str) -> str:
        return in_language(text, self._language)

    def number(self, value: float, digits: int) -> str:
        text = f"{value:.{digits}f}"
        return text.replace(".", ",") if self._language == GERMAN else text


def moment(at_ms: int) -> str:
    """A moment, ms UTC, as an element a script may write in another zone."""
    at = _utc(at_ms)
    return f'<time datetime="{at.isoformat(timespec="seconds")}">{at.strftime(MOMENT)}</time>'


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
