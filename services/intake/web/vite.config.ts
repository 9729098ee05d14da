import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { VantResolver } from "@vant/auto-import-resolver";
import components from "unplugin-vue-components/vite";
import { defineConfig, type Plugin } from "vite";
import { pageApp } from "../../vite.shared.ts";

const BASE = "/m/";

/** The service worker with the list of what was built; its version is the hash of that list. */
function shellWorker(): Plugin {
  return {
    name: "grid-shell-worker",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const built = Object.keys(bundle).filter((name) => name !== "index.html");
        const files = JSON.stringify(built.map((name) => BASE + name));
        const page = bundle["index.html"];
        const home = createHash("sha256")
          .update(page?.type === "asset" ? page.source : "")
          .digest("hex");
        const version = createHash("sha256").update(files).update(home).digest("hex").slice(0, 12);
        const template = readFileSync(new URL("./src/shell/worker.js", import.meta.url), "utf8");
        this.emitFile({
          type: "asset",
          fileName: "sw.js",
          source: template
            .replace("__VERSION__", version)
            .replace("__HOME_SHA256__", home)
            .replace("__FILES__", files),
        });
      },
    },
  };
}

export default defineConfig(
  pageApp({
    base: BASE,
    service: "intake",
    folder: "m",
    sources: ["intake/web/src"],
    port: 5171,
    plugins: [components({ resolvers: [VantResolver()], dts: false, dirs: [] }), shellWorker()],
  }),
);
