// JSON Merge Patch (RFC 7396). Rows a patch does not touch stay the same object, so that only
// what changed is drawn again.

export type Json = { [name: string]: unknown };

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function merge<T>(before: T, patch: Json): T {
  const after: Json = { ...(before as Json) };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete after[name];
    else if (isObject(value)) {
      const old = after[name];
      after[name] = merge(isObject(old) ? old : {}, value);
    } else after[name] = value;
  }
  return after as T;
}
