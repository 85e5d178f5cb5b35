// Every word a person reads that does not come from the floor itself: one catalogue per language.
import { locale, t, type Text } from "./i18n";
import type { AttentionView, MachineState } from "./types";

export const STATE_WORDS: Readonly<Record<MachineState, string>> = {
  ready: t("Ready"),
  starting: t("Starting"),
  running: t("Running"),
  paused: t("Paused"),
  person: t("By hand"),
  clear: t("Clear bed"),
  fault: t("Fault"),
  stopped: t("Stopped"),
  unknown: t("Unknown"),
  silent: t("Silent"),
  maintenance: t("Out of use"),
};

export const STATE_MEANING: Readonly<Record<MachineState, string>> = {
  ready: t("idle and clear: takes the next order by itself"),
  starting: t("has taken an order, is about to move"),
  running: t("is making a part"),
  paused: t("is paused by a person or by itself"),
  person: t("an operation done by a person waits here to be said done"),
  clear: t("ended; a person must take the part off and say what became of it"),
  fault: t("reports a fault"),
  stopped: t("was stopped in an emergency"),
  unknown: t("it is not known whether the order was made: a person must look"),
  silent: t("has not been heard of; what is shown is old"),
  maintenance: t("is taken out of use"),
};

export const CARD_TITLES: Readonly<Record<AttentionView["kind"], string>> = {
  fault: t("Fault"),
  stopped: t("Stopped"),
  unknown: t("Was it made?"),
  quarantine: t("Not trusted"),
  clear: t("Bed to clear"),
  pose: t("Place to confirm"),
  person: t("To be done by hand"),
  material: t("Runs out before the end"),
  held: t("Gave up trying"),
  silent: t("No sign of life"),
  paused: t("Paused"),
};

export const CARD_ADVICE: Readonly<Record<AttentionView["kind"], string>> = {
  fault: t("Go and look. When it is safe and clear, say what became of the part."),
  stopped: t("Emergency stop. When it is safe and clear, say what became of the part."),
  unknown: t("The machine cannot tell. Look at the part and say what you find."),
  quarantine: t("Its reports contradict each other. Look at its journal, then trust it again."),
  person: t("Do it, then say how it turned out."),
  clear: t("Take the part off and say whether it is good."),
  pose: t("The robot waits: does the part lie where it takes it? Else clear the bed by hand."),
  material: t("Change the spool now, or when the machine pauses."),
  held: t("It failed too often; a person decides."),
  silent: t("Check its power and network."),
  paused: t("Resume when it is right to."),
};

export const CLASS_WORDS: Readonly<Record<string, string>> = {
  urgent: t("Urgent"),
  normal: t("Normal"),
  floor: t("Basic need"),
};

export const NEED_WORDS: Readonly<Record<string, string>> = {
  stated: t("Stated"),
  accepted: t("Accepted"),
  making: t("Making"),
  delivered: t("Delivered"),
  refused: t("Refused"),
  withdrawn: t("Withdrawn"),
};

export const OPERATION_WORDS: Readonly<Record<string, string>> = {
  waiting: t("Waits"),
  ready: t("Can begin"),
  planned: t("Planned"),
  ordered: t("Sent to the machine"),
  running: t("Running"),
  inspecting: t("To be looked at"),
  held: t("Held for a person"),
  done: t("Done"),
  cancelled: t("Cancelled"),
};

export const ACTION_WORDS: Readonly<Record<string, string>> = {
  consume: t("consumed"),
  produce: t("produced"),
  use: t("machine time"),
  work: t("work by a person"),
  cite: t("credit to the design"),
  transfer: t("handed over"),
  raise: t("counted up"),
  lower: t("counted down"),
};

export const RESULT_WORDS: Readonly<Record<string, string>> = { good: t("good"), bad: t("bad") };

export const MEASURE_WORDS: Readonly<Record<string, string>> = {
  measured: t("measured"),
  uncertain: t("uncertain"),
  estimated: t("estimated"),
  declared: t("declared"),
  counted: t("counted"),
};

export const KIND_WORDS: Readonly<Record<string, string>> = {
  spool: t("spool"),
  plate: t("plate"),
  stock: t("stock"),
  part: t("part"),
  scrap: t("scrap"),
  delivered: t("delivered"),
};

export const ROUND_WORDS: Readonly<Record<string, string>> = {
  open: t("open"),
  closed: t("closed"),
  counted: t("counted"),
  accepted: t("accepted"),
  waiting: t("waiting"),
  refused: t("refused"),
};

/** A number as people of the page's language write it, with so many digits behind its point. */
export function figure(value: number, digits = 0): string {
  const rounded = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString(locale(), { ...rounded, useGrouping: Math.abs(value) >= 10_000 });
}

export function grams(mg: number): string {
  return mg >= 10_000_000 ? `${figure(mg / 1_000_000, 1)} kg` : `${figure(Math.round(mg / 1000))} g`;
}

export function exactGrams(mg: number): string {
  return `${figure(mg / 1000, 3)} g`;
}

export const MACHINE_WORDS: Readonly<Record<string, Text>> = {
  printer: "printer",
  mill: "mill",
  cell: "cell",
  station: "station",
};

export const COMMAND_WORDS: Readonly<Record<string, Text>> = {
  pause: "pause",
  resume: "resume",
  cancel: "cancel",
  stop: "emergency stop",
  clear: "said to be clear",
  load: "load a lot",
  unload: "take a lot out",
  identify: "show yourself",
  update: "update",
};

export const CODE_WORDS: Readonly<Record<string, Text>> = {
  done: "done",
  sent: "sent",
  refused: "refused",
  stale: "too late: it started anew",
  expired: "too late",
};
