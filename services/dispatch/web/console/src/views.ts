/** Lists that a person keeps under a name; the service keeps them, so they are there at every seat. */
import { api, call, newId, Problem, t, Unreachable } from "@grid/webkit";
import { ElMessage } from "element-plus/es/components/message/index.mjs";
import { inject, provide, shallowRef, type InjectionKey } from "vue";
import { queryOf, type Filter, type Whose } from "../../common/src";

export interface View {
  id: string;
  name: string;
  /** Where it is within the console. */
  address: string;
}

/** The address of a narrowed list, always written the same way. `queue` "": only what comes behind the question mark. */
export function addressOf(queue: string, filter: Filter, whose: Whose | undefined): string {
  const query = Object.entries({ ...queryOf(filter), ...(whose ? { whose } : {}) });
  const search = query.map(([name, value]) => `${name}=${value.split(",").map(encodeURIComponent).join(",")}`).join("&");
  return `${queue ? `/queues/${queue}` : ""}${search ? `?${search}` : ""}`;
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem) && !(error instanceof Unreachable)) throw error;
    ElMessage({ type: "error", message: error instanceof Problem ? error.message : t("error.unreachable"), grouping: true });
  }
}

export function startViews() {
  const all = shallowRef<readonly View[]>([]);

  const views = {
    all,
    keep: (name: string, address: string) =>
      attempt(async () => {
        const view = await call<View>("PUT", `/api/v1/views/${newId()}`, { json: { name, address } });
        all.value = [...all.value, view];
      }),
    forget: (id: string) =>
      attempt(async () => {
        await api.delete(`/api/v1/views/${encodeURIComponent(id)}`);
        all.value = all.value.filter((one) => one.id !== id);
      }),
  };
  void attempt(async () => {
    all.value = (await api.get<{ views: View[] }>("/api/v1/views")).views;
  });
  provide(KEY, views);
  return views;
}

export type Views = ReturnType<typeof startViews>;

const KEY: InjectionKey<Views> = Symbol("views");

export function useViews(): Views {
  const views = inject(KEY);
  if (!views) throw new Error("no views above this component");
  return views;
}
