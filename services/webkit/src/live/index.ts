export * from "./live";
export { default as StaleBanner } from "./StaleBanner.vue";
