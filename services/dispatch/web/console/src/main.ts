import "@grid/webkit/style.css";
import "../../common/src/case-parts.css";
import "../../common/src/there.css";
import "../../common/src/told.css";
import "./style/element.css";
import "./style/shell.css";
import "./style/list.css";
import "./style/palette.css";
import "./style/panel.css";
import "./style/pages.css";
import "./style/told.css";
import { wordsReady } from "@grid/webkit";
import { createApp } from "vue";
import App from "./App.vue";
import { router } from "./router";

void wordsReady().then(() => createApp(App).use(router).mount("#app"));
