export * from "./client";
export * from "./ids";
export * from "./problem";
export type * from "./types";
