import "@grid/webkit/style.css";
import "@grid/webkit/vant.css";
import "./style.css";
import { language, wordsReady } from "@grid/webkit";
import { Locale } from "vant";
import enUS from "vant/es/locale/lang/en-US";
import zhCN from "vant/es/locale/lang/zh-CN";
import { createApp, watchEffect } from "vue";
import { createRouter, createWebHistory } from "vue-router";
import App from "./App.vue";
import { keepSending } from "./outbox";
import DetailPage from "./pages/DetailPage.vue";
import EnterPage from "./pages/EnterPage.vue";
import MinePage from "./pages/MinePage.vue";
import ReceiptPage from "./pages/ReceiptPage.vue";
import ReportPage from "./pages/ReportPage.vue";
import { registerWorker } from "./shell/register";

const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes: [
    { path: "/", component: ReportPage },
    { path: "/receipt/:id", component: ReceiptPage, props: true },
    { path: "/enter", component: EnterPage, meta: { open: true } },
    { path: "/deed", component: () => import("./pages/DeedPage.vue") },
    { path: "/mine", component: MinePage },
    { path: "/reports/:id", component: DetailPage, props: true },
    { path: "/:rest(.*)*", redirect: "/" },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
});

watchEffect(() => Locale.use(language.value, language.value === "en-US" ? enUS : zhCN));

void wordsReady().then(() => createApp(App).use(router).mount("#app"));
keepSending();

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  const url = `${import.meta.env.BASE_URL}sw.js`;
  // Private windows and some web views refuse a worker; the page then simply needs a network to start.
  addEventListener("load", () => void registerWorker(navigator.serviceWorker, url, () => location.reload()).catch(() => undefined));
}
