// What the machine makes, drawn from its program: done in full colour, to come in a faint one.
import { useEffect, useRef, useState } from "preact/hooks";
import { type Toolpath as Path, Reader } from "./gcode";
import { t } from "./i18n";

const MAX_BYTES = 6_000_000;

type Props = { sha256: string; kind: string; size: number; share: number; name: string };

export function Toolpath({ sha256, kind, size, share, name }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [path, setPath] = useState<Path | undefined>(undefined);
  const [error, setError] = useState("");
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    let here = true;
    setPath(undefined);
    const headers: Record<string, string> = size > MAX_BYTES ? { range: `bytes=0-${MAX_BYTES - 1}` } : {};
    fetch(`/programs/${sha256}`, { headers })
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(String(answer.status)))))
      .then((text) => here && setPath(new Reader(kind).read(text)))
      .catch((e: unknown) => here && setError(String(e)));
    return () => {
      here = false;
    };
  }, [sha256, kind, size]);
  useEffect(() => {
    const again = (): void => setTheme((n) => n + 1);
    const seen = new MutationObserver(again);
    seen.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    window.addEventListener("resize", again);
    return () => {
      seen.disconnect();
      window.removeEventListener("resize", again);
    };
  }, []);
  useEffect(() => {
    if (canvas.current && path) draw(canvas.current, path, share);
  }, [path, share, theme]);
  if (error) return <p class="problem">{t("The program cannot be read: {why}", { why: error })}</p>;
  return (
    <figure class="toolpath">
      <canvas
        ref={canvas}
        role="img"
        aria-label={t("Toolpath of {name}, {percent} % done", { name, percent: Math.floor(share * 100) })}
      />
      <figcaption>
        <span>
          <i class="key done" aria-hidden="true" /> {t("done")}
        </span>
        <span>
          <i class="key left" aria-hidden="true" /> {t("to come")}
        </span>
        <span>{t("line {n} of {of}", { n: path ? Math.floor(path.lineCount * share) : 0, of: path?.lineCount ?? 0 })}</span>
        {path?.truncated || size > MAX_BYTES ? <span>{t("only the beginning is drawn")}</span> : null}
      </figcaption>
    </figure>
  );
}

function draw(canvas: HTMLCanvasElement, path: Path, share: number): void {
  const paint = canvas.getContext("2d");
  if (!paint || path.count === 0) return;
  const scale = devicePixelRatio || 1;
  const width = (canvas.width = Math.round(canvas.clientWidth * scale));
  const height = (canvas.height = Math.round(canvas.clientHeight * scale));
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const [x1, y1, x2, y2] = path.box;
  const margin = 16 * scale;
  const zoom = Math.min((width - 2 * margin) / (x2 - x1 || 1), (height - 2 * margin) / (y2 - y1 || 1));
  const dx = (width - zoom * (x1 + x2)) / 2;
  const dy = (height - zoom * (y1 + y2)) / 2;
  const until = share * path.lineCount;
  let last = -1;
  for (const done of [false, true]) {
    paint.beginPath();
    paint.lineWidth = (done ? 1.4 : 1) * scale;
    paint.strokeStyle = colour(done ? "--path-done" : "--path-left");
    for (let i = 0; i < path.count; i += 1) {
      if ((path.lines[i] ?? 0) <= until !== done) continue;
      if (done) last = i;
      if (!path.works[i]) continue;
      paint.moveTo(at(path, i, 0) * zoom + dx, at(path, i, 1) * zoom + dy);
      paint.lineTo(at(path, i, 2) * zoom + dx, at(path, i, 3) * zoom + dy);
    }
    paint.stroke();
  }
  if (last < 0) return;
  paint.beginPath();
  paint.fillStyle = colour("--late");
  paint.arc(at(path, last, 2) * zoom + dx, at(path, last, 3) * zoom + dy, 5 * scale, 0, 7);
  paint.fill();
}

function at(path: Path, stroke: number, place: number): number {
  return path.strokes[stroke * 4 + place] ?? 0;
}
