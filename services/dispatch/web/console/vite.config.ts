import components from "unplugin-vue-components/vite";
import { ElementPlusResolver } from "unplugin-vue-components/resolvers";
import { defineConfig } from "vite";
import { pageApp } from "../../../vite.shared.ts";

export default defineConfig(
  pageApp({
    base: "/console/",
    service: "dispatch",
    folder: "console",
    sources: ["dispatch/web/common/src", "dispatch/web/console/src"],
    port: 5172,
    plugins: [components({ resolvers: [ElementPlusResolver({ importStyle: "css" })], dts: false, dirs: [] })],
  }),
);
