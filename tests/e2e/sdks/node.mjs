// Drives every call of @segment/analytics-node. Told by its environment where to report, and as whom; says what it saw as JSON.

import { Analytics } from "@segment/analytics-node";

const { TIDINGS_URL: host, TIDINGS_WRITE_KEY: writeKey, FLUSH_AT: flushAt } = process.env;
const analytics = new Analytics({ host, writeKey, flushAt: Number(flushAt), flushInterval: 200 });
const errors = [];
analytics.on("error", (error) => errors.push(String(error.reason ?? error)));

const browser = { locale: "pl-PL", timezone: "Europe/Warsaw", page: { url: "https://shop.example/pricing" } };
const traits = { email: "Ada@Example.com", firstName: "Ada", plan: "team", createdAt: new Date("2026-01-02T03:04:05Z") };
const order = { userId: "ada", event: "Order Placed", properties: { total: 12.5 }, messageId: "order-1" };

analytics.page({ anonymousId: "visitor-1", category: "Docs", name: "Pricing", properties: { path: "/pricing" } });
analytics.screen({ anonymousId: "visitor-1", name: "Home" });
analytics.track({ anonymousId: "visitor-2", event: "Downloaded" });
analytics.identify({ userId: "ada", anonymousId: "visitor-1", traits, context: browser });
// Sent one by one, calls overtake each other, and the time that one takes looks like an error of this clock.
await analytics.flush();
analytics.identify({ userId: "ada", traits: { plan: "scale", seats: 4 } });
analytics.group({ userId: "ada", groupId: "acme", traits: { name: "Acme", employees: 12 } });
analytics.alias({ previousId: "visitor-2", userId: "ada" });
analytics.track(order);
analytics.track(order);
await analytics.flush();

analytics.identify({ userId: "bob", traits: { name: "Bob" } });
analytics.track({ userId: "bob", event: "Order Placed", timestamp: new Date(Date.now() - 86_400_000) });
analytics.group({ userId: "bob", groupId: "acme", traits: { plan: "gold" } });
analytics.track({ anonymousId: "visitor-3", event: "Looked Around" });
await analytics.closeAndFlush();

console.log(JSON.stringify({ errors, version: analytics.VERSION }));
