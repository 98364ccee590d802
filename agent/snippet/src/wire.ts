// The beacon as it goes over the wire; docs/beacons.md describes it.

export interface Page {
  id: string;
  url: string;
}

export interface Cart {
  value: number;
  currency: string;
}

export interface Item {
  type: string;
  at: number;
  page?: Page;
  [key: string]: unknown;
}

/** The address without query and fragment, which hold what nobody should collect. */
export function bare(url: string | URL): string {
  try {
    const { origin, pathname } = new URL(url, location.href);
    return origin === "null" ? "" : origin + pathname;
  } catch {
    return "";
  }
}

export const cut = (text: unknown, length: number): string => String(text ?? "").slice(0, length);
