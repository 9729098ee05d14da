/** The street's own grid: polygons of cells, and which cell holds a point. Coordinates are WGS-84, lng first. */

export interface CellProperties {
  code: string;
  name: string;
  grid?: string;
  community?: string;
  own?: boolean;
}

type Ring = readonly (readonly number[])[];

export interface CellFeature {
  type: "Feature";
  properties: CellProperties;
  geometry: { type: "Polygon"; coordinates: readonly Ring[] } | { type: "MultiPolygon"; coordinates: readonly (readonly Ring[])[] };
}

export interface Cells {
  type: "FeatureCollection";
  features: CellFeature[];
}

export interface Point {
  lng: number;
  lat: number;
}

function inRing({ lng, lat }: Point, ring: Ring): boolean {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [xi = 0, yi = 0] = ring[i] ?? [];
    const [xj = 0, yj = 0] = ring[j] ?? [];
    if (yi > lat !== yj > lat && lng < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

function inPolygon(point: Point, rings: readonly Ring[]): boolean {
  const [outer, ...holes] = rings;
  return !!outer && inRing(point, outer) && !holes.some((hole) => inRing(point, hole));
}

/** The cell that holds the point, or null outside the street. */
export function cellAt(cells: Cells, point: Point): CellFeature | null {
  return (
    cells.features.find(({ geometry }) =>
      geometry.type === "Polygon"
        ? inPolygon(point, geometry.coordinates)
        : geometry.coordinates.some((rings) => inPolygon(point, rings)),
    ) ?? null
  );
}

/** Metres between two points; good for a street's extent. */
export function metres(a: Point, b: Point): number {
  const rad = Math.PI / 180;
  const x = (b.lng - a.lng) * rad * Math.cos(((a.lat + b.lat) / 2) * rad);
  const y = (b.lat - a.lat) * rad;
  return Math.hypot(x, y) * 6_371_008.8;
}
