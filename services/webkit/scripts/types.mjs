/** Write the API types of each service from its OpenAPI file. Usage: npm run types -- <folder with <service>.json> */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const here = dirname(fileURLToPath(import.meta.url));
const from = resolve(process.argv[2] ?? join(here, "../../../schemas/published/openapi"));
const to = join(here, "../src/api/generated");
mkdirSync(to, { recursive: true });

for (const service of ["intake", "dispatch", "escalation"]) {
  const source = join(from, `${service}.json`);
  if (!existsSync(source)) {
    process.stderr.write(`missing: ${source}\n`);
    process.exitCode = 1;
    continue;
  }
  const types = astToString(await openapiTS(pathToFileURL(source)));
  writeFileSync(join(to, `${service}.d.ts`), `/** Generated from the service's OpenAPI; do not edit. */\n${types}`);
}
