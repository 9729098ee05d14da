/** What the palette (Ctrl+K) can do: pages and components offer commands for as long as they live. */
import { inject, onScopeDispose, provide, ref, shallowReactive, type InjectionKey } from "vue";

export interface Command {
  /** Unique in the palette. */
  id: string;
  /** Heading it stands under; headings keep the order in which they came. */
  group: string;
  label: string;
  /** A second, quieter text; it is searched too. */
  detail?: string;
  /** The keys that do the same, shown beside it. */
  keys?: readonly string[];
  run: () => void;
}

/** Commands known by heart; the palette keeps those that contain every word typed. */
export type Offer = () => readonly Command[];
/** Commands that have to be looked for, such as cases; what it answers is shown as it is. */
export type Finder = (words: string, signal: AbortSignal) => Promise<readonly Command[]>;

export function startPalette() {
  const offers = shallowReactive(new Set<Offer>());
  const finders = shallowReactive(new Set<Finder>());
  const palette = { open: ref(false), offers, finders };
  provide(KEY, palette);
  return palette;
}

export type Palette = ReturnType<typeof startPalette>;

const KEY: InjectionKey<Palette> = Symbol("palette");

function usePalette(): Palette {
  const palette = inject(KEY);
  if (!palette) throw new Error("no palette above this component");
  return palette;
}

/** Offer commands while the component lives. */
export function useCommands(offer: Offer, palette: Palette = usePalette()): void {
  palette.offers.add(offer);
  onScopeDispose(() => palette.offers.delete(offer));
}

/** Look for commands by what is typed while the component lives. */
export function useFinder(finder: Finder, palette: Palette = usePalette()): void {
  palette.finders.add(finder);
  onScopeDispose(() => palette.finders.delete(finder));
}

/** Those whose label, detail, heading or keys contain every word. */
export function matching(commands: readonly Command[], words: string): Command[] {
  const wanted = words.trim().toLowerCase().split(/\s+/).filter((word) => word !== "");
  return commands.filter((one) => {
    const said = [one.label, one.detail ?? "", one.group, (one.keys ?? []).join(" ")].join(" ").toLowerCase();
    return wanted.every((word) => said.includes(word));
  });
}

/** Headings with their commands, each command once. */
export function grouped(commands: readonly Command[]): { group: string; commands: Command[] }[] {
  const groups = new Map<string, Command[]>();
  const seen = new Set<string>();
  for (const one of commands) {
    if (seen.has(one.id)) continue;
    seen.add(one.id);
    groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  }
  return Array.from(groups, ([group, found]) => ({ group, commands: found }));
}
