// Random ids and the W3C trace context (https://www.w3.org/TR/trace-context/).

/** `bytes` random bytes in hex. `crypto.randomUUID` is not there on plain http, this is. */
export function hex(bytes: number): string {
  let text = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(bytes))) text += byte.toString(16).padStart(2, "0");
  return /[1-9a-f]/.test(text) ? text : hex(bytes);
}

export interface Context {
  trace: string;
  span: string;
}

/** The trace and span of a `traceparent`, if it is one. */
export function parseContext(text: string | null | undefined): Context | undefined {
  const found = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(text || "");
  return found && !/^0+$/.test(found[1]!) && !/^0+$/.test(found[2]!) ? { trace: found[1]!, span: found[2]! } : undefined;
}

/** A number in [0, 1) that is always the same for the same text (FNV-1a), so that a session is sampled whole. */
export function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // FNV's last steps mix the high bits little; this is the finaliser of MurmurHash3.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296;
}
