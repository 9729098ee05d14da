/*
 * Lets the phone form start without a network. The build fills in the list of files and the sum of the page.
 *
 * A page and its files belong together. The page always comes from the shell of this worker's own version, complete or
 * not at all; a newer version is fetched whole beside it and takes over when a page starts, never under a page in use.
 */
const PREFIX = "grid-phone-";
const SHELL = PREFIX + "__VERSION__";
const HOME = "/m/";
const HOME_SHA256 = "__HOME_SHA256__";
const FILES = __FILES__;

async function fetched(path) {
  const answer = await fetch(path, { cache: path === HOME ? "reload" : "default", credentials: "same-origin" });
  if (!answer.ok || answer.redirected) throw new Error(path + ": " + answer.status);
  return answer;
}

/** The page of this very version: while a new one is being put in place the server may have the next one already. */
async function ownPage() {
  const answer = await fetched(HOME);
  const bytes = await answer.clone().arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== HOME_SHA256) throw new Error("the page is of another version");
  return answer;
}

async function fill() {
  const home = await ownPage();
  const files = await Promise.all(FILES.map(async (path) => [path, await fetched(path)]));
  const cache = await caches.open(SHELL);
  for (const [path, answer] of files) await cache.put(path, answer);
  await cache.put(HOME, home); // last: a shell with a page is complete
}

self.addEventListener("install", (event) => {
  event.waitUntil(
    fill().catch(async (error) => {
      await caches.delete(SHELL);
      throw error; // the old version goes on; the browser tries again later
    }),
  );
});

/* Files carry their hash in their name, so those of the version before are harmless: a page that still runs may want one. */
async function tidy() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== SHELL);
  await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
  for (const name of names.slice(-1)) await (await caches.open(name)).delete(HOME);
  await self.clients.claim();
}

self.addEventListener("activate", (event) => event.waitUntil(tidy()));

/* A page that has just started has nothing to lose: it asks for the version that waits. */
self.addEventListener("message", (event) => {
  if (event.data === "take over") event.waitUntil(self.skipWaiting());
});

/* The network is back: whoever is open sends. */
self.addEventListener("sync", (event) => {
  if (event.tag !== "outbox") return;
  event.waitUntil(
    self.clients.matchAll({ type: "window" }).then((pages) => pages.forEach((one) => one.postMessage("flush", []))),
  );
});

async function page(request) {
  const kept = await (await caches.open(SHELL)).match(HOME);
  return kept || fetch(request);
}

async function file(request) {
  return (await (await caches.open(SHELL)).match(request)) || (await caches.match(request)) || fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || !url.pathname.startsWith(HOME)) return;
  event.respondWith(request.mode === "navigate" ? page(request) : file(request));
});
