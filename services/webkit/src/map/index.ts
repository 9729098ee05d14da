export { default as GridMap } from "./GridMap.vue";
export type { MapPoint } from "./GridMap.vue";
export type { MapPlace } from "./placeLayer";
