export { default as ClockBadge } from "./ClockBadge.vue";
export * from "./left";
export * from "./server";
export * from "./time";
