/** How a receiver is spoken to, as a form holds it and as the service is told. */

export const DIALECTS = ["cloudevents", "city_form"] as const;
export const CRS = ["wgs84", "gcj02", "bd09", "cgcs2000"] as const;

export interface Manner {
  dialect: (typeof DIALECTS)[number];
  auth: string;
  app_key: string;
  secret: string;
  crs: (typeof CRS)[number];
  partner: string;
}

/** What each dialect can prove itself by, the usual one first. */
export const AUTHS: Record<Manner["dialect"], readonly string[]> = {
  cloudevents: ["standard_webhooks", "static_token"],
  city_form: ["app_key", "static_token", "standard_webhooks"],
};

export const usual = (): Manner => ({ dialect: "cloudevents", auth: "standard_webhooks", app_key: "", secret: "", crs: "wgs84", partner: "" });

/** The body's part: what does not belong to the kind of proof is left out. */
export function told(manner: Manner): Record<string, string> {
  const { dialect, auth, crs } = manner;
  const body: Record<string, string> = { dialect, auth, crs };
  if (auth === "app_key") body["app_key"] = manner.app_key.trim();
  if (auth !== "standard_webhooks") body["secret"] = manner.secret.trim();
  const partner = manner.partner.trim();
  if (partner) body["partner"] = partner;
  return body;
}

/** Of a receiver that is there: what is another now. A secret left empty stays; a partner taken out is none any more. */
export function changed(before: Manner, manner: Manner): Record<string, string> {
  const now = { ...told(manner), partner: manner.partner.trim() };
  const same: Record<string, string> = { ...before, secret: "" };
  return Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== same[name]));
}

/** Whether the other side's secret has to be typed: a new one always, later where it proves itself in another way. */
export function needsSecret(before: Manner | null, manner: Manner): boolean {
  return manner.auth !== "standard_webhooks" && manner.auth !== before?.auth;
}
