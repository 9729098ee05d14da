/** How many call-backs of platforms, and messages that nobody took, wait for a person. */
import { api, rights } from "@grid/webkit";
import { onMounted, onUnmounted, ref } from "vue";

export interface ReceiptCount {
  receipts: number;
  dead_letters: number;
  oldest_at: string | null;
}

const EVERY = 60_000;

const count = ref<ReceiptCount | null>(null);

/** Asks anew; whoever settles one calls it too. What cannot be had now is had the next time. */
export async function readReceipts(): Promise<void> {
  if (!rights.value.has("read_pushes")) return;
  try {
    count.value = await api.get<ReceiptCount>("/api/v1/escalation/receipts/count");
  } catch {
    count.value = null; // the numbers would be old: better none
  }
}

function look(): void {
  if (document.visibilityState === "visible") void readReceipts();
}

/** The count, kept fresh while somebody looks. */
export function useReceipts() {
  let timer: ReturnType<typeof setInterval> | undefined;
  onMounted(() => {
    look();
    timer = setInterval(look, EVERY);
  });
  onUnmounted(() => clearInterval(timer));
  return count;
}
