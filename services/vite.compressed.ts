/** Beside each built file of some size its gzip and Brotli forms, so that no server compresses the same file again. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const TEXT = /\.(?:js|css|html|svg|webmanifest)$/;
const WORTH_IT = 1024;

function compress(path: string): void {
  const bytes = readFileSync(path);
  if (bytes.length < WORTH_IT) return;
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
  writeFileSync(`${path}.br`, brotliCompressSync(bytes));
}

export function compressed(outDir: string): Plugin {
  return {
    name: "grid-compressed",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(outDir, { recursive: true, encoding: "utf8" })) {
        const path = join(outDir, name);
        if (TEXT.test(path) && statSync(path).isFile()) compress(path);
      }
    },
  };
}
