// An application of somebody else's: OpenTelemetry's SDK as released, told where to send by its usual environment variables. Prints its trace's id.
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { logs, SeverityNumber } from "@opentelemetry/api-logs";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK();
sdk.start();
const tracer = trace.getTracer("their.shop", "4.5.6");
const order = tracer.startSpan("POST /orders", { attributes: { "cart.items": 3, "cart.tags": ["a", "b"], "their.own.key": "their value" } });
const inside = trace.setSpan(context.active(), order);
const charge = tracer.startSpan("charge", {}, inside);
charge.recordException(new Error("card refused"));
charge.setStatus({ code: SpanStatusCode.ERROR, message: "card refused" });
logs.getLogger("their.shop").emit({ body: "card refused", severityNumber: SeverityNumber.ERROR, context: trace.setSpan(context.active(), charge) });
charge.end();
order.end();
await sdk.shutdown();
console.log(order.spanContext().traceId);
