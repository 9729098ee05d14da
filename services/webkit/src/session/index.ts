export * from "./session";
export { default as SignIn } from "./SignIn.vue";
