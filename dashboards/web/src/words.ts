// Every word a person reads that does not come from the floor itself: one catalogue per language.
import type { AttentionView, MachineState } from "./types";

export const STATE_WORDS: Readonly<Record<MachineState, string>> = {
  ready: "Ready",
  starting: "Starting",
  running: "Running",
  paused: "Paused",
  person: "By hand",
  clear: "Clear bed",
  fault: "Fault",
  stopped: "Stopped",
  unknown: "Unknown",
  silent: "Silent",
  maintenance: "Out of use",
};

export const STATE_MEANING: Readonly<Record<MachineState, string>> = {
  ready: "idle and clear: takes the next order by itself",
  starting: "has taken an order, is about to move",
  running: "is making a part",
  paused: "is paused by a person or by itself",
  person: "an operation done by a person waits here to be said done",
  clear: "ended; a person must take the part off and say what became of it",
  fault: "reports a fault",
  stopped: "was stopped in an emergency",
  unknown: "it is not known whether the order was made: a person must look",
  silent: "has not been heard of; what is shown is old",
  maintenance: "is taken out of use",
};

export const CARD_TITLES: Readonly<Record<AttentionView["kind"], string>> = {
  fault: "Fault",
  stopped: "Stopped",
  unknown: "Was it made?",
  quarantine: "Not trusted",
  clear: "Bed to clear",
  person: "To be done by hand",
  material: "Runs out before the end",
  held: "Gave up trying",
  silent: "No sign of life",
  paused: "Paused",
};

export const CARD_ADVICE: Readonly<Record<AttentionView["kind"], string>> = {
  fault: "Go and look. When it is safe and clear, say what became of the part.",
  stopped: "Emergency stop. When it is safe and clear, say what became of the part.",
  unknown: "The machine cannot tell. Look at the part and say what you find.",
  quarantine: "Its reports contradict each other. Look at its journal, then trust it again.",
  person: "Do it, then say how it turned out.",
  clear: "Take the part off and say whether it is good.",
  material: "Change the spool now, or when the machine pauses.",
  held: "It failed too often; a person decides.",
  silent: "Check its power and network.",
  paused: "Resume when it is right to.",
};

export const CLASS_WORDS: Readonly<Record<string, string>> = {
  urgent: "Urgent",
  normal: "Normal",
  floor: "Basic need",
};

export const NEED_WORDS: Readonly<Record<string, string>> = {
  stated: "Stated",
  accepted: "Accepted",
  making: "Making",
  delivered: "Delivered",
  refused: "Refused",
  withdrawn: "Withdrawn",
};

export const OPERATION_WORDS: Readonly<Record<string, string>> = {
  waiting: "Waits",
  ready: "Can begin",
  planned: "Planned",
  ordered: "Sent to the machine",
  running: "Running",
  inspecting: "To be looked at",
  held: "Held for a person",
  done: "Done",
  cancelled: "Cancelled",
};

export const ACTION_WORDS: Readonly<Record<string, string>> = {
  consume: "consumed",
  produce: "produced",
  use: "machine time",
  work: "work by a person",
  cite: "credit to the design",
  transfer: "handed over",
  raise: "counted up",
  lower: "counted down",
};

export function grams(mg: number): string {
  return mg >= 10_000_000 ? `${(mg / 1_000_000).toFixed(1)} kg` : `${Math.round(mg / 1000)} g`;
}

export function exactGrams(mg: number): string {
  return `${(mg / 1000).toFixed(3)} g`;
}
