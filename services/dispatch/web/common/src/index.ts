export { default as ActSheet } from "./ActSheet.vue";
export * from "./case";
export { default as CaseBody } from "./CaseBody.vue";
export * from "./feed";
export * from "./filter";
export * from "./list";
export * from "./rows";
export type * from "./types";
