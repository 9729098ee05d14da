import "@grid/webkit/style.css";
import "vant/es/toast/style/index.mjs";
import "@grid/webkit/vant.css";
import "../../common/src/case-parts.css";
import "../../common/src/there.css";
import "../../common/src/told.css";
import "./style.css";
import { language, wordsReady } from "@grid/webkit";
import { Locale } from "vant";
import enUS from "vant/es/locale/lang/en-US";
import zhCN from "vant/es/locale/lang/zh-CN";
import { createApp, watchEffect } from "vue";
import { createRouter, createWebHistory } from "vue-router";
import App from "./App.vue";
import CasePage from "./pages/CasePage.vue";
import ListPage from "./pages/ListPage.vue";
import MinePage from "./pages/MinePage.vue";
import NoticesPage from "./pages/NoticesPage.vue";

const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes: [
    { path: "/", component: ListPage },
    { path: "/lists/:queue", component: ListPage },
    { path: "/cases/:caseNo", component: CasePage, props: true },
    { path: "/mine", component: MinePage },
    { path: "/notices", component: NoticesPage },
    { path: "/:rest(.*)*", redirect: "/" },
  ],
  scrollBehavior: (to, from, saved) => (to.path === from.path ? false : (saved ?? { top: 0 })),
});

watchEffect(() => Locale.use(language.value, language.value === "en-US" ? enUS : zhCN));

void wordsReady().then(() => createApp(App).use(router).mount("#app"));
