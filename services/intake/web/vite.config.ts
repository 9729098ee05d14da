import { VantResolver } from "@vant/auto-import-resolver";
import components from "unplugin-vue-components/vite";
import { defineConfig } from "vite";
import { pageApp } from "../../vite.shared.ts";

export default defineConfig(
  pageApp({
    base: "/m/",
    service: "intake",
    folder: "m",
    port: 5171,
    plugins: [components({ resolvers: [VantResolver()], dts: false, dirs: [] })],
  }),
);
