import { describe, expect, it } from "vitest";
import { AUTHS, changed, DIALECTS, needsSecret, told, usual } from "../src/manner";

describe("how a receiver is spoken to", () => {
  it("leaves out what does not belong to the kind of proof", () => {
    const typed = { ...usual(), app_key: "street-1", secret: "handed-out", partner: " " };
    expect(told(typed)).toEqual({ dialect: "cloudevents", auth: "standard_webhooks", crs: "wgs84" });
    expect(told({ ...typed, dialect: "city_form", auth: "static_token" })).toEqual({ dialect: "city_form", auth: "static_token", crs: "wgs84", secret: "handed-out" });
  });

  it("tells key, appKey and partner where they count, without the blanks around them", () => {
    const typed = { ...usual(), dialect: "city_form" as const, auth: "app_key", app_key: " street-1 ", secret: " k ", partner: " hotline " };
    expect(told(typed)).toEqual({ dialect: "city_form", auth: "app_key", crs: "wgs84", app_key: "street-1", secret: "k", partner: "hotline" });
  });

  it("changes what is another now: an empty secret stays, a partner taken out goes", () => {
    const before = { ...usual(), dialect: "city_form" as const, auth: "app_key", app_key: "street-1", partner: "hotline" };
    expect(changed(before, before)).toEqual({});
    expect(changed(before, { ...before, crs: "gcj02", partner: " ", secret: "new" })).toEqual({ crs: "gcj02", partner: "", secret: "new" });
    expect(changed(before, { ...before, dialect: "cloudevents", auth: "standard_webhooks", secret: "typed before" })).toEqual({ dialect: "cloudevents", auth: "standard_webhooks" });
  });

  it("asks for the other side's secret where there is none of that kind yet", () => {
    const token = { ...usual(), auth: "static_token" };
    expect([needsSecret(null, token), needsSecret(usual(), token), needsSecret(token, token), needsSecret(null, usual())]).toEqual([true, true, false, false]);
  });

  it("knows a proof for each dialect", () => {
    for (const one of DIALECTS) expect(AUTHS[one].length).toBeGreaterThan(0);
  });
});
