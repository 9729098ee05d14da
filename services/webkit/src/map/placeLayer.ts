/** Named places on the map: a dot each, the name where it can be read. A tap chooses the place. */
import L from "leaflet";
import type { Point } from "./cells";
import { fitting, widthOf, type Box } from "./names";

export interface MapPlace extends Point {
  id: string;
  name: string;
}

/** Below this zoom the cells' own names are all that can be read. */
const NAMES_FROM = 15;
/** Dots of farther places only cost time. */
const MOST = 150;

export class PlaceLayer {
  private readonly group = L.layerGroup();
  private readonly drawn = new Map<string, L.Marker>();
  private places: readonly MapPlace[] = [];

  constructor(
    private readonly map: L.Map,
    private readonly chosen: (id: string) => void,
  ) {
    this.group.addTo(map);
    map.on("moveend zoomend resize", this.draw, this);
  }

  show(places: readonly MapPlace[]): void {
    this.places = places;
    this.draw();
  }

  /** Dots that stay are left alone: a finger may be on its way to one. */
  private draw(): void {
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const seen = this.map.getZoom() < NAMES_FROM ? [] : this.inView();
    const names = fitting(seen, size, this.written(size));
    const wanted = new Map(seen.map((one) => [`${one.id} ${names.has(one.id)} ${one.lng} ${one.lat}`, one]));
    for (const [key, marker] of this.drawn) {
      if (wanted.delete(key)) continue;
      this.group.removeLayer(marker);
      this.drawn.delete(key);
    }
    for (const [key, one] of wanted) {
      const marker = this.marker(one, names.has(one.id));
      this.drawn.set(key, marker);
      this.group.addLayer(marker);
    }
  }

  /** Those in the box, the ones nearest to its middle first. */
  private inView() {
    const [bounds, middle] = [this.map.getBounds(), this.map.getSize().divideBy(2)];
    return this.places
      .filter((one) => bounds.contains([one.lat, one.lng]))
      .map((one) => ({ ...one, ...this.pixel(one) }))
      .sort((a, b) => Math.hypot(a.x - middle.x, a.y - middle.y) - Math.hypot(b.x - middle.x, b.y - middle.y))
      .slice(0, MOST);
  }

  private pixel(one: Point): { x: number; y: number } {
    const { x, y } = this.map.latLngToContainerPoint([one.lat, one.lng]);
    return { x, y };
  }

  /** Room of the cells' names, which stay. */
  private written(size: number): Box[] {
    const boxes: Box[] = [];
    this.map.eachLayer((layer) => {
      const tooltip = layer.getTooltip();
      const content = tooltip?.getContent();
      const at = tooltip?.getLatLng();
      if (typeof content !== "string" || !at) return;
      const { x, y } = this.map.latLngToContainerPoint(at).add(tooltip?.options.offset ?? [0, 0]);
      const half = widthOf(content, size) / 2;
      boxes.push({ left: x - half, top: y - size * 0.75, right: x + half, bottom: y + size * 0.75 });
    });
    return boxes;
  }

  private marker(one: MapPlace, named: boolean): L.Marker {
    const dot = document.createElement("span");
    dot.className = named ? "map-place-dot is-named" : "map-place-dot";
    if (named) dot.textContent = one.name;
    const icon = L.divIcon({ className: "map-place", html: dot, iconSize: [24, 24], iconAnchor: [12, 12] });
    const marker = L.marker([one.lat, one.lng], { icon, title: one.name, alt: one.name, keyboard: false });
    return marker.on("click", () => this.chosen(one.id));
  }
}
