// What a shop's page does with @segment/analytics-next, which the page loads as AnalyticsNext. The tests call these.

let analytics;

const shop = {
  /** Load the SDK as a page does: its settings come from the address that its calls go to. */
  async open({ url, key, batching }) {
    const deliveryStrategy = { strategy: "batching", config: { size: 100, timeout: 300 } };
    const integrations = batching ? { "Segment.io": { deliveryStrategy } } : {};
    analytics = AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: url }, { integrations });
    await analytics.ready();
    return (await analytics.user()).anonymousId();
  },

  /** Somebody looks around and signs up; as pages do, no call waits for the one before. */
  async signUp() {
    await Promise.all([
      analytics.page("Docs", "Pricing", { seen: "plans" }),
      analytics.track("Plans Compared", { plans: 3 }),
      analytics.identify("ada", { email: "Ada@Example.com", firstName: "Ada", plan: "team" }),
      analytics.screen("Home"),
      analytics.group("acme", { name: "Acme", employees: 12 }),
      analytics.alias("ada"),
      analytics.track("Signed Up", { plan: "team" }),
    ]);
  },

  /** Somebody looks around. */
  async lookAround() {
    await Promise.all([analytics.page(), analytics.track("Looked Around")]);
  },

  /** Who looked around says who they are by an alias alone. */
  async becomes(user) {
    await analytics.alias(user);
  },

  /** Somebody tries to be another. */
  async pretend() {
    await analytics.identify("ada", { email: "evil@example.com", plan: "free" });
    await analytics.alias("bob", "ada");
  },
};
