export { default as PhotoPicker } from "./PhotoPicker.vue";
export * from "./exif";
export * from "./sha256";
export * from "./shrink";
