// Dashboards against the type Dashboard of @grafana/schema, made a JSON schema.
// node check.mjs FILE...   prints {FILE: [what is wrong, ...]}
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Ajv from "ajv";
import { createGenerator } from "ts-json-schema-generator";

const types = "node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen.d.ts";
const schema = createGenerator({
  path: fileURLToPath(new URL(types, import.meta.url)),
  type: "Dashboard",
  skipTypeCheck: true,
}).createSchema("Dashboard");
const check = new Ajv({ allErrors: true, strict: false }).compile(schema);
const found = {};
for (const file of process.argv.slice(2)) {
  check(JSON.parse(readFileSync(file, "utf8")));
  found[file] = (check.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}
console.log(JSON.stringify(found));
