// A program's moves as lines on a plane seen from above at a slant; enough to see what is made.

export type Toolpath = {
  /** x1, y1, x2, y2 of each stroke, in the view's units */
  strokes: Float32Array;
  /** line of the program of each stroke */
  lines: Uint32Array;
  /** 1 where material is put down or cut, 0 where the tool only travels */
  works: Uint8Array;
  count: number;
  lineCount: number;
  box: [number, number, number, number];
  truncated: boolean;
};

const MAX_STROKES = 150_000;
const CHORD_RAD = 0.25;
const WORD = /([A-Z])\s*(-?\d*\.?\d+)/g;
const SLANT = { x: 0.5, y: 0.35, z: 0.9 };

type At = { x: number; y: number; z: number; e: number };

export class Reader {
  private readonly strokes = new Float32Array(MAX_STROKES * 4);
  private readonly lines = new Uint32Array(MAX_STROKES);
  private readonly works = new Uint8Array(MAX_STROKES);
  private count = 0;
  private line = 0;
  private at: At = { x: 0, y: 0, z: 0, e: 0 };
  private relative = false;
  private relativeE = false;
  private mode = 0;
  private box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];

  constructor(private readonly kind: string) {}

  read(text: string): Toolpath {
    for (const raw of text.split("\n")) {
      this.line += 1;
      const line = raw.replace(/[;(].*$/, "").trim().toUpperCase();
      if (line) this.take(line);
      if (this.count >= MAX_STROKES - 200) break;
    }
    return {
      strokes: this.strokes,
      lines: this.lines,
      works: this.works,
      count: this.count,
      lineCount: text.split("\n").length,
      box: this.box,
      truncated: this.count >= MAX_STROKES - 200,
    };
  }

  private take(line: string): void {
    const words: Record<string, number> = {};
    const codes: number[] = [];
    for (const [, letter = "", number = ""] of line.matchAll(WORD)) {
      if (letter === "G") codes.push(Number(number));
      else if (letter === "M" && number === "82") this.relativeE = false;
      else if (letter === "M" && number === "83") this.relativeE = true;
      else words[letter] = Number(number);
    }
    for (const code of codes) {
      if (code <= 3) this.mode = code;
      else if (code === 90) this.relative = this.relativeE = false;
      else if (code === 91) this.relative = this.relativeE = true;
      else if (code === 92) this.at = { ...this.at, ...axes(words, this.at) };
      if (code === 92 || code === 4 || code === 28) return;
    }
    if (["X", "Y", "Z", "E"].some((axis) => axis in words)) this.move(words);
  }

  private move(words: Record<string, number>): void {
    const from = this.at;
    const to: At = { ...from };
    for (const [letter, axis] of [["X", "x"], ["Y", "y"], ["Z", "z"]] as const) {
      const value = words[letter];
      if (value !== undefined) to[axis] = this.relative ? from[axis] + value : value;
    }
    const e = words["E"];
    if (e !== undefined) to.e = this.relativeE ? from.e + e : e;
    const works = this.kind === "grbl" ? this.mode > 0 && to.z < 0 : to.e > from.e && e !== undefined;
    if (this.mode >= 2) this.arc(from, to, words, works);
    else this.stroke(from, to, works);
    this.at = to;
  }

  private arc(from: At, to: At, words: Record<string, number>, works: boolean): void {
    const cx = from.x + (words["I"] ?? 0);
    const cy = from.y + (words["J"] ?? 0);
    const radius = Math.hypot(from.x - cx, from.y - cy);
    const a0 = Math.atan2(from.y - cy, from.x - cx);
    let turn = Math.atan2(to.y - cy, to.x - cx) - a0;
    if (this.mode === 2 && turn >= 0) turn -= 2 * Math.PI;
    if (this.mode === 3 && turn <= 0) turn += 2 * Math.PI;
    const n = Math.min(64, Math.max(1, Math.ceil(Math.abs(turn) / CHORD_RAD)));
    let before = from;
    for (let i = 1; i <= n; i += 1) {
      const a = a0 + (turn * i) / n;
      const z = from.z + ((to.z - from.z) * i) / n;
      const next = { x: cx + radius * Math.cos(a), y: cy + radius * Math.sin(a), z, e: to.e };
      this.stroke(before, next, works);
      before = next;
    }
  }

  private stroke(from: At, to: At, works: boolean): void {
    const [x1, y1] = seen(from);
    const [x2, y2] = seen(to);
    if (x1 === x2 && y1 === y2) return;
    this.strokes.set([x1, y1, x2, y2], this.count * 4);
    this.lines[this.count] = this.line;
    this.works[this.count] = works ? 1 : 0;
    this.count += 1;
    if (!works) return;
    const [a, b, c, d] = this.box;
    this.box = [Math.min(a, x1, x2), Math.min(b, y1, y2), Math.max(c, x1, x2), Math.max(d, y1, y2)];
  }
}

function seen(at: At): [number, number] {
  return [at.x + SLANT.x * at.y, -SLANT.y * at.y * 2 - SLANT.z * at.z];
}

function axes(words: Record<string, number>, at: At): At {
  return {
    x: words["X"] ?? at.x,
    y: words["Y"] ?? at.y,
    z: words["Z"] ?? at.z,
    e: words["E"] ?? at.e,
  };
}
