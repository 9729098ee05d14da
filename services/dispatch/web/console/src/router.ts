/** Addresses of the console. The list and the open case stand in the address, so that both can be handed on. */
import { createRouter, createWebHistory } from "vue-router";
import QueuePage from "./pages/QueuePage.vue";

declare module "vue-router" {
  interface RouteMeta {
    /** The page of the menu; none: the queues. */
    page?: string;
  }
}

export const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes: [
    { path: "/", component: QueuePage },
    { path: "/queues/:queue/:caseNo?", component: QueuePage, name: "queue" },
    { path: "/search/:caseNo?", component: QueuePage, name: "search" },
    { path: "/cases/:caseNo", component: QueuePage, name: "case" },
    { path: "/register", component: () => import("./pages/RegisterPage.vue"), name: "register", meta: { page: "register" } },
    { path: "/deliveries", component: () => import("./pages/DeliveriesPage.vue"), name: "deliveries", meta: { page: "deliveries" } },
    { path: "/receipts", component: () => import("./pages/ReceiptsPage.vue"), name: "receipts", meta: { page: "webhooks" } },
    { path: "/webhooks", component: () => import("./pages/WebhooksPage.vue"), name: "webhooks", meta: { page: "webhooks" } },
    { path: "/dead-letters", component: () => import("./pages/DeadPage.vue"), name: "dead", meta: { page: "webhooks" } },
    { path: "/allowed-addresses", component: () => import("./pages/AllowedPage.vue"), name: "allowed", meta: { page: "webhooks" } },
    { path: "/notices", component: () => import("./pages/NoticesPage.vue"), name: "notices", meta: { page: "notices" } },
    { path: "/robots", component: () => import("./pages/RobotsPage.vue"), name: "robots", meta: { page: "webhooks" } },
    { path: "/sent-notices", component: () => import("./pages/SentPage.vue"), name: "sent", meta: { page: "webhooks" } },
    { path: "/delegations", component: () => import("./pages/DelegationsPage.vue"), name: "delegations", meta: { page: "delegations" } },
    { path: "/accounts", component: () => import("./pages/AccountsPage.vue"), name: "accounts", meta: { page: "accounts" } },
    { path: "/audit", component: () => import("./pages/AuditPage.vue"), name: "audit", meta: { page: "audit" } },
    { path: "/overdue", component: () => import("./pages/OverduePage.vue"), name: "overdue", meta: { page: "overdue" } },
    { path: "/:rest(.*)*", redirect: "/" },
  ],
});
