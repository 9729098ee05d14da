/** The outbox as it is shipped, in one file for Node. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  ssr: { noExternal: true },
  build: { ssr: "phones.ts", target: "node22", emptyOutDir: true },
});
