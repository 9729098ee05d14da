/** Times and amounts in words. The street lives in Beijing time, whatever the device's zone. */
import { language, t } from "../i18n";

const ZONE = "Asia/Shanghai";

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: string;
  minute: string;
  second: string;
}

const formatter = new Intl.DateTimeFormat("en-GB", {
  timeZone: ZONE,
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

function two(n: number): string {
  return String(n).padStart(2, "0");
}

function partsOf(at: number): Parts {
  const found: Record<string, string> = {};
  for (const part of formatter.formatToParts(at)) found[part.type] = part.value;
  return {
    year: Number(found["year"]),
    month: Number(found["month"]),
    day: Number(found["day"]),
    hour: found["hour"] === "24" ? "00" : (found["hour"] ?? ""),
    minute: found["minute"] ?? "",
    second: found["second"] ?? "",
  };
}

export function instant(value: string | number): number {
  return typeof value === "number" ? value : Date.parse(value);
}

/** `14:05:09` */
export function clockFace(value: string | number): string {
  const { hour, minute, second } = partsOf(instant(value));
  return `${hour}:${minute}:${second}`;
}

/** `2026-11-23T09:05`, as a field for a moment takes it; nothing for no moment. */
export function localMinute(value: string | null | undefined): string | undefined {
  if (!value) return undefined;
  const { year, month, day, hour, minute } = partsOf(instant(value));
  return `${year}-${two(month)}-${two(day)}T${hour}:${minute}`;
}

/** `14:05` today, with the day otherwise, with the year in another year. */
export function shortTime(value: string | number, now: number): string {
  const at = partsOf(instant(value));
  const today = partsOf(now);
  const time = `${at.hour}:${at.minute}`;
  if (at.year !== today.year) return t("time.year", { year: at.year, month: monthOf(at), day: at.day, time });
  if (at.month !== today.month || at.day !== today.day) return t("time.day", { month: monthOf(at), day: at.day, time });
  return time;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function monthOf(parts: Parts): string {
  return language.value === "en-US" ? (MONTHS[parts.month - 1] ?? "") : String(parts.month);
}

/** `2026-11-22 14:05` in Beijing time: for marks on photos and sheets of paper. */
export function stamp(value: string | number): string {
  const at = partsOf(instant(value));
  return `${at.year}-${two(at.month)}-${two(at.day)} ${at.hour}:${at.minute}`;
}

/** Seconds as people say them: two units at most, never a zero unit. `2小时10分`, `35分钟`. */
export function amount(seconds: number): string {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  if (minutes < 1) return t("clock.amount.s");
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor((minutes % 1440) / 60);
  const rest = minutes % 60;
  if (days > 0) return hours > 0 ? t("clock.amount.dh", { d: days, h: hours }) : t("amount.days", { d: days });
  if (hours > 0) return rest > 0 ? t("clock.amount.hm", { h: hours, m: rest }) : t("amount.hours", { h: hours });
  return t("clock.amount.m", { m: rest });
}

/** Working seconds as people say them: hours and minutes only, since a working day is not 24 hours. */
export function workAmount(seconds: number): string {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return amount(seconds);
  const rest = minutes % 60;
  return rest > 0 ? t("clock.amount.hm", { h: hours, m: rest }) : t("amount.hours", { h: hours });
}

/** `03:07`, minutes and seconds of an age or of a countdown. */
export function minutesSeconds(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${two(Math.floor(whole / 60))}:${two(whole % 60)}`;
}
