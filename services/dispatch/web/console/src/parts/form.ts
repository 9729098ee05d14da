/** A form while it is filled in and sent: what is wrong at which field, and whether an answer is awaited. */
import { Problem, t } from "@grid/webkit";
import { ref } from "vue";
import { said } from "./paged";

/** Under `form` stands what is wrong with no field of `fields`. */
export function useForm(fields: readonly string[]) {
  const busy = ref(false);
  const errors = ref<Record<string, string>>({});

  /** Whether everything is there; what is not is named at its field. */
  function complete(given: Record<string, string | readonly string[]>): boolean {
    const missing = Object.entries(given).filter(([, value]) => (typeof value === "string" ? value.trim() : value).length === 0);
    errors.value = Object.fromEntries(missing.map(([name]) => [name, t("field.required")]));
    return missing.length === 0;
  }

  function explain(error: unknown): Record<string, string> {
    const wrong = error instanceof Problem ? error.errors.map((one) => [one.field.split(".")[0] ?? "", one.message] as const) : [];
    const placed = wrong.filter(([field]) => fields.includes(field));
    return placed.length > 0 ? Object.fromEntries(placed) : { form: wrong[0]?.[1] || said(error) };
  }

  /** One sending at a time; answers whether it went well. */
  async function send(work: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    errors.value = {};
    try {
      await work();
      return true;
    } catch (error) {
      errors.value = explain(error);
      return false;
    } finally {
      busy.value = false;
    }
  }

  return { busy, errors, complete, send };
}
