/** Names on a map without tiles: as many as fit without lying over each other, the first ones before the later. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Named {
  id: string;
  name: string;
  /** Where its dot is, in pixels of the map's box. */
  x: number;
  y: number;
}

/** Pixels between a dot and its name, and around a name. */
const GAP = 10;
const AIR = 3;

/** Width of a name in a type of `size` pixels: Chinese signs are square, others about half of that. */
export function widthOf(name: string, size: number): number {
  let width = 0;
  for (const sign of name) width += sign.charCodeAt(0) > 0x2e7f ? size : size * 0.58;
  return width;
}

function apart(a: Box, b: Box): boolean {
  return a.right + AIR < b.left || b.right + AIR < a.left || a.bottom + AIR < b.top || b.bottom + AIR < a.top;
}

/** Room that a name takes right of its dot. */
export function boxOf({ name, x, y }: Named, size: number): Box {
  return { left: x - GAP, top: y - size * 0.75, right: x + GAP + widthOf(name, size), bottom: y + size * 0.75 };
}

/** How far a name moves up or down, in lines, to lie clear of what stands on the map; the nearest place first. */
const ASIDE = [0, 1, -1, 1.75, -1.75, 2.5, -2.5];

/** Pixels by which a name centred on a point moves down (up: negative) so that no marker covers it. */
export function aside(name: string, at: { x: number; y: number }, size: number, taken: readonly Box[]): number {
  const half = { x: widthOf(name, size) / 2, y: size * 0.75 };
  const free = ASIDE.map((lines) => lines * size * 1.5).find((by) => {
    const box = { left: at.x - half.x, top: at.y + by - half.y, right: at.x + half.x, bottom: at.y + by + half.y };
    return taken.every((other) => apart(box, other));
  });
  return free ?? 0;
}

/** Ids of the names that can be written; `taken` is room that something else needs already. */
export function fitting(all: readonly Named[], size: number, taken: readonly Box[] = []): Set<string> {
  const used = [...taken];
  const shown = new Set<string>();
  for (const one of all) {
    const box = boxOf(one, size);
    if (!used.every((other) => apart(box, other))) continue;
    used.push(box);
    shown.add(one.id);
  }
  return shown;
}
