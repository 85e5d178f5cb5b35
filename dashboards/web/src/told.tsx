// A sentence of the controller: in the person's language, its times in the zone of the place.
import { clockTime, utc } from "./clock";
import { said } from "./said";

const MOMENT = /(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC/;

/** What the controller says, with each UTC time shown as local time and UTC on hover. */
export function Told({ text }: { text: string | undefined | null }) {
  const parts = said(text).split(MOMENT);
  const pieces = parts.flatMap((part, n): preact.ComponentChildren[] => {
    if (n % 3 === 2) return [];
    if (n % 3 === 0) return [part];
    const at = Date.parse(`${part}T${parts[n + 1]}Z`);
    return [
      <time key={n} dateTime={new Date(at).toISOString()} title={utc(at)}>
        {clockTime(at, Date.now())}
      </time>,
    ];
  });
  return <>{pieces}</>;
}
