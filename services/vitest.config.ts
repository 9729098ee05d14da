import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";
import { aliases } from "./vite.shared.ts";

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: aliases },
  test: {
    environment: "happy-dom",
    include: ["{webkit,intake/web,dispatch/web/*}/tests/**/*.test.ts"],
    // Working-time texts are about Beijing days, whatever the machine's zone.
    env: { TZ: "Asia/Shanghai" },
  },
});
