/** Values of a generated action form: what a field holds, whether it is filled, and what is sent. */
import type { ActionOut, InputOut } from "../api/types";
import type { Photo } from "../photo/shrink";

export interface Duration {
  number: string;
  unit: "hours" | "days";
}

export type Value = string | string[] | boolean | Duration | Photo[];
export type Values = Record<string, Value>;

const SECONDS = { hours: 3_600, days: 86_400 } as const;
const MANY = new Set(["choices", "units"]);
/** Fields that say which of several things of the case an act is about. */
const MEANT = new Set(["request", "task"]);

/** An untouched field of this type. */
export function blank(input: InputOut): Value {
  if (input.value !== undefined && input.value !== null) return Array.isArray(input.value) ? [...input.value] : input.value;
  if (input.type === "flag") return false;
  if (input.type === "evidence" || MANY.has(input.type)) return [];
  if (input.type === "duration") return { number: "", unit: "hours" };
  // One possible answer to a question that must be answered is no question; another case can always be typed.
  const only = input.required && input.type !== "case_no" && input.choices?.length === 1 ? input.choices[0] : undefined;
  return only ? only.id : "";
}

/** Starting values of an action's form. What was typed before (`kept`) stays where the field still exists. */
export function startOf(action: ActionOut, kept: Values = {}): Values {
  const values: Values = {};
  for (const input of action.inputs) values[input.name] = kept[input.name] ?? blank(input);
  return values;
}

/** The fields a person is asked. Which request or share is meant goes without saying where there is only one. */
export function posed(action: ActionOut): InputOut[] {
  return action.inputs.filter((input) => !isPlain(input));
}

function isPlain(input: InputOut): boolean {
  return !input.required && MEANT.has(input.name) && input.choices?.length === 1;
}

/** The field with the choices that count now: those of other categories than the one chosen are left out. */
export function narrowed(input: InputOut, values: Values): InputOut {
  if (!input.choices?.some((one) => one.of)) return input;
  const category = values.category;
  return { ...input, choices: input.choices.filter((one) => !one.of || !category || one.of === category) };
}

/** After a change of category: a choice that belongs to another one gives way to the first that fits. */
export function settled(action: ActionOut, values: Values): Values {
  const changed: Values = {};
  for (const input of action.inputs) {
    const chosen = input.choices?.find((one) => one.id === values[input.name]);
    if (!chosen?.of || !values.category || chosen.of === values.category) continue;
    changed[input.name] = input.choices?.find((one) => one.of === values.category)?.id ?? "";
  }
  return changed;
}

export function filled(value: Value | undefined): boolean {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  if (typeof value === "string") return value.trim() !== "";
  if (Array.isArray(value)) return value.length > 0;
  return Number(value.number) > 0;
}

/** Names of required fields that still miss a value. */
export function missing(action: ActionOut, values: Values): string[] {
  return action.inputs.filter((input) => input.required && !filled(values[input.name])).map((input) => input.name);
}

function asSent(input: InputOut, value: Value, uploaded: readonly string[]): unknown {
  if (input.type === "evidence") return uploaded;
  if (input.type === "datetime") return `${String(value)}:00+08:00`; // the field shows Beijing time
  if (typeof value === "string") return printable(value);
  if (typeof value === "object" && !Array.isArray(value)) return Math.round(Number(value.number) * SECONDS[value.unit]);
  return value;
}

// oxlint-disable-next-line no-control-regex -- these are what is looked for
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;

/** What was typed, without the marks that come along unseen when text is pasted from elsewhere. */
export function printable(text: string): string {
  return text.replace(UNSEEN, "").trim();
}

/** The body to send: empty optional fields are left out; photos go as the ids they were stored under. */
export function bodyOf(action: ActionOut, values: Values, uploaded: Readonly<Record<string, string[]>>): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const input of action.inputs) {
    const value = values[input.name];
    if (value === undefined) continue;
    if (filled(value)) body[input.name] = asSent(input, value, uploaded[input.name] ?? []);
    else if (input.type === "flag" && input.required) body[input.name] = false;
  }
  return body;
}
