/** Who is signed in, for every page of a service. */
import { computed, reactive, readonly } from "vue";
import { api, noteSignIn, onSessionLost, signInNumber } from "../api/client";
import { shortTime } from "../clock/time";
import { t } from "../i18n";
import { Problem, Unreachable } from "../api/problem";
import type { PostOut, SessionOut } from "../api/types";

const REMEMBERED_AS = "grid.person";

interface SessionState {
  /** `unknown` until asked; `offline`: the service is silent and we go on with the last person seen here. */
  state: "unknown" | "in" | "out" | "offline";
  person: SessionOut | null;
}

const current = reactive<SessionState>({ state: "unknown", person: null });

export const session = readonly(current);

/** Roles of the person who is signed in. */
export const roles = computed(() => new Set(current.person?.posts.map((post) => post.role)));

/** What the posts of the person who is signed in open beside the actions on cases, as the service says. */
export const rights = computed(() => new Set(current.person?.rights));

/** A post in words; one that is held for a while (值班) with its end and who lent it. */
export function postWords(post: PostOut, now: number): string {
  const words = post.label || t(`role.${post.role}`);
  return post.until ? t("post.lent", { post: words, until: shortTime(post.until, now), by: post.granted_by ?? "–" }) : words;
}

function remember(person: SessionOut | null): void {
  try {
    if (person) localStorage.setItem(REMEMBERED_AS, JSON.stringify(person));
    else localStorage.removeItem(REMEMBERED_AS);
  } catch {
    // a device that remembers nothing asks again after a cold start
  }
}

function lastSeen(): SessionOut | null {
  try {
    const text = localStorage.getItem(REMEMBERED_AS);
    return text ? (JSON.parse(text) as SessionOut) : null;
  } catch {
    return null;
  }
}

function enter(person: SessionOut): SessionOut {
  current.person = person;
  current.state = "in";
  remember(person);
  return person;
}

function leave(): void {
  noteSignIn();
  current.person = null;
  current.state = "out";
  remember(null);
}

function begin(person: SessionOut): SessionOut {
  noteSignIn();
  return enter(person);
}

/** Ask the service who we are. Without an answer the last person of this device is assumed, to work offline. */
export async function whoami(): Promise<void> {
  const asked = signInNumber();
  try {
    const person = await api.get<SessionOut>("/api/v1/session", {}, { timeout: 8_000 });
    if (asked === signInNumber()) enter(person);
  } catch (error) {
    if (!(error instanceof Problem) && !(error instanceof Unreachable)) throw error;
    if (asked !== signInNumber()) return; // somebody has signed in, or out, while the answer was on its way
    if (error instanceof Problem && !error.temporary) return leave();
    current.person = lastSeen();
    current.state = current.person ? "offline" : "out";
  }
}

export async function signIn(login: string, password: string): Promise<SessionOut> {
  return begin(await api.post<SessionOut>("/api/v1/session", { login, password }));
}

/** Sign in with the secret of a one-time link. */
export async function signInByLink(link: string): Promise<SessionOut> {
  return begin(await api.post<SessionOut>("/api/v1/session", { link }));
}

/** Sign out on the service, then here. If the service is silent the person stays signed in and is told. */
export async function signOut(): Promise<void> {
  await api.delete("/api/v1/session");
  leave();
}

onSessionLost(() => {
  if (current.state !== "unknown") leave();
});

/** Tabs share one sign-in: somebody else in another tab, or nobody, is so here too before anything is done under his name. */
addEventListener("storage", (event) => {
  if (event.key !== null && event.key !== REMEMBERED_AS) return;
  if (current.state === "unknown" || current.state === "offline") return;
  if (lastSeen()?.account_id !== current.person?.account_id) void whoami();
});
