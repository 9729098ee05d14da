/** One build recipe for every page: same browsers, same content security policy, same aliases. */
import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import type { Plugin, UserConfig } from "vite";
import { gate } from "./vite.gate.ts";
import { compressed } from "./vite.compressed.ts";
import { onlyWordsNamed } from "./vite.words.ts";

const services = fileURLToPath(new URL(".", import.meta.url));
const labels = fileURLToPath(new URL("../schemas/labels", import.meta.url));

/** Old phones and the browsers of domestic desktops; what is younger needs a fallback of ours. */
export const OLDEST_BROWSERS = ["chrome87", "safari14"];

export const aliases = { "@labels": labels };

/**
 * Take every remote source out of a style sheet. Component kits fall back to fonts on a public network; on an
 * intranet that is a request that hangs, and the content security policy refuses it anyway.
 */
export function withoutRemoteSources(): Plugin {
  const remote = /,?\s*url\(\s*["']?(?:https?:)?\/\/[^)]*\)\s*(?:format\([^)]*\))?/g;
  return {
    name: "grid-without-remote-sources",
    enforce: "pre",
    transform(code, id) {
      if (!/\.css(?:$|\?)/.test(id) || !remote.test(code)) return null;
      return { code: code.replace(remote, ""), map: null };
    },
  };
}

/** The kit's icons come as a font of 25 KB inside its style sheet; these pages draw theirs, so it stays out. */
export function withoutIconFont(): Plugin {
  const face = /@font-face\s*\{[^}]*vant-icon[^}]*\}/g;
  return {
    name: "grid-without-icon-font",
    enforce: "pre",
    transform(code, id) {
      if (!/vant.*\.css(?:$|\?)/.test(id) || !face.test(code)) return null;
      return { code: code.replace(face, ""), map: null };
    },
  };
}

export interface PageApp {
  /** Address prefix, with both slashes: `/m/`. */
  base: string;
  /** Service whose static folder takes the build. */
  service: "intake" | "dispatch";
  /** Folder under `services/<service>/static/`. */
  folder: string;
  /** Folders of its sources, beside the kit's. */
  sources: string[];
  /** Port of the development server. */
  port: number;
  plugins?: UserConfig["plugins"];
}

const ports = { intake: ["GRID_INTAKE_PORT", "8001"], dispatch: ["GRID_DISPATCH_PORT", "8002"] } as const;

/** Configuration of one page application. */
export function pageApp(app: PageApp): UserConfig {
  const [variable, usual] = ports[app.service];
  const backend = `http://127.0.0.1:${process.env[variable] ?? usual}`;
  const outDir = `${services}/${app.service}/static/${app.folder}`;
  const sources = ["webkit/src", ...app.sources].map((folder) => `${services}/${folder}`);
  return {
    base: app.base,
    plugins: [withoutRemoteSources(), withoutIconFont(), onlyWordsNamed(sources), vue(), gate(app.base), ...(app.plugins ?? []), compressed(outDir)],
    resolve: { alias: aliases },
    // Words parse faster as JSON than as script; nothing here is written with Vue's options.
    json: { stringify: true },
    define: { __VUE_OPTIONS_API__: JSON.stringify(app.service !== "intake") },
    server: {
      port: app.port,
      host: "127.0.0.1",
      fs: { allow: [services, labels] },
      // The service compares Origin with its own address, so the proxy speaks as the service's own page.
      proxy: { "/api": { target: backend, changeOrigin: true, headers: { origin: backend } } },
    },
    build: {
      outDir,
      emptyOutDir: true,
      target: OLDEST_BROWSERS,
      cssTarget: OLDEST_BROWSERS,
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 700,
    },
  };
}
