/** The worker that lets the page start without a network. Sending never depends on it. */

/** Register it; a newer version that waits takes over now, while the page has only just started, and the page with it. */
export async function registerWorker(workers: ServiceWorkerContainer, url: string, reload: () => void): Promise<void> {
  const ran = workers.controller !== null;
  const registration = await workers.register(url, { updateViaCache: "none" });
  if (!ran || !registration.waiting) return;
  workers.addEventListener("controllerchange", reload, { once: true });
  registration.waiting.postMessage("take over", []);
}
