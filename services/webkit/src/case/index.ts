export { default as ActionField } from "./ActionField.vue";
export { default as ActionForm } from "./ActionForm.vue";
export * from "./inputs";
export { default as StageBar } from "./StageBar.vue";
export * from "./stages";
export { default as Timeline } from "./Timeline.vue";
