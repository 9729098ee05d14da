import { VantResolver } from "@vant/auto-import-resolver";
import components from "unplugin-vue-components/vite";
import { defineConfig } from "vite";
import { pageApp } from "../../../vite.shared.ts";

export default defineConfig(
  pageApp({
    base: "/desk/",
    service: "dispatch",
    folder: "desk",
    sources: ["dispatch/web/common/src", "dispatch/web/desk/src"],
    port: 5173,
    plugins: [components({ resolvers: [VantResolver()], dts: false, dirs: [] })],
  }),
);
