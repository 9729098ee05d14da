/** What is said of an act in passing, at the upper edge of the page. */
import { ElMessage } from "element-plus/es/components/message/index.mjs";
import "element-plus/es/components/message/style/css.mjs";
import { said } from "./paged";

export function shout(error: unknown): void {
  ElMessage({ type: "error", message: said(error), duration: 5000 });
}

export function cheer(message: string): void {
  ElMessage({ type: "success", message, duration: 2500 });
}
