// A shop of somebody else's: an SDK as released, told another host and nothing else. `node segment.mjs SDK HOST KEY`.
import { Analytics } from "@segment/analytics-node";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const [sdk, host, key] = process.argv.slice(2);
const wrong = [];
const client =
  sdk === "segment"
    ? new Analytics({ writeKey: key, host })
    : new RudderAnalytics(key, { dataPlaneUrl: host, logLevel: "error", errorHandler: (error) => wrong.push(String(error)) });
if (sdk === "segment") client.on("error", (error) => wrong.push(JSON.stringify(error)));

client.identify({ userId: "u-1", traits: { email: "jo@example.com", name: "Jo Doe", role: "buyer" } });
client.group({ userId: "u-1", groupId: "acme", traits: { name: "Acme", plan: "pro" } });
client.page({ userId: "u-1", name: "Cart", properties: { path: "/cart" } });
client.track({
  userId: "u-1",
  event: "Order Completed",
  properties: { order_id: "o-1", revenue: 19.99, total: 25, currency: "EUR", session_id: "s-1", products: [{ name: "IPod Nano" }] },
});
client.track({ userId: "u-1", event: "Order Refunded", properties: { order_id: "o-1", total: 5, currency: "EUR" } });
if (sdk === "segment") await client.closeAndFlush();
else await client.flush();
if (wrong.length) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
process.exit(0);
