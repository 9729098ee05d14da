/** The codes that lists are narrowed by, with their words: those of the rules are known, those of the street are asked for. */
import { api, Problem, t, Unreachable } from "@grid/webkit";
import { computed, inject, onScopeDispose, provide, shallowRef, type ComputedRef, type InjectionKey } from "vue";
import { FIELDS, type Field, type Filter, type Whose } from "../../common/src";

export interface Choice {
  id: string;
  label: string;
}

interface Answer {
  community: Choice[];
  category: Choice[];
  unit: Choice[];
}

export type Choices = Partial<Record<Field, readonly Choice[]>>;

const URGENCIES = ["U0", "U1", "U2", "U3"];
const TIERS = ["T0", "T1", "T2", "T3"];
const RETRY_MS = 10_000;

const KEY: InjectionKey<ComputedRef<Choices>> = Symbol("filter choices");

/** Learn the street's own codes once for all lists of the page. */
export function startFilterChoices(): void {
  const told = shallowRef<Partial<Answer>>({});
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function ask(): Promise<void> {
    try {
      told.value = await api.get<Answer>("/api/v1/filters");
    } catch (error) {
      if (error instanceof Unreachable || (error instanceof Problem && error.status >= 500)) timer = setTimeout(() => void ask(), RETRY_MS);
      else if (!(error instanceof Problem)) throw error;
    }
  }

  void ask();
  onScopeDispose(() => clearTimeout(timer));
  provide(
    KEY,
    computed(() => ({
      urgency: URGENCIES.map((id) => ({ id, label: t(`urgency.${id}`) })),
      tier: TIERS.map((id) => ({ id, label: t(`tier.${id}`) })),
      late: [
        { id: "over", label: t("filter.late.over") },
        { id: "soon", label: t("filter.late.soon") },
      ],
      ...told.value,
    })),
  );
}

export function useFilterChoices(): ComputedRef<Choices> {
  const choices = inject(KEY);
  if (!choices) throw new Error("no filter choices above this component");
  return choices;
}

/** Whose cases an address asks for. */
export function whoseOf(query: Readonly<Record<string, unknown>>): Whose | undefined {
  return query["whose"] === "mine" || query["whose"] === "unit" ? query["whose"] : undefined;
}

/** Each code of a filter with its word; a code that nobody knows stands for itself. */
export function named(filter: Filter, choices: Choices): { field: Field; id: string; label: string }[] {
  return FIELDS.flatMap((field) =>
    (filter[field] ?? []).map((id) => ({ field, id, label: choices[field]?.find((one) => one.id === id)?.label ?? id })),
  );
}
