/** What a page may set. */
export interface Options {
  /** The socket's URL; https and relative ones work too. Default: /v1 */
  url?: string;
  /**
   * Returns the token of the person who is signed in, null for a guest, or a promise of them.
   * "refused" is the code with which the last token was refused. After 10 s without an answer
   * the page goes on with badges only.
   */
  token?: (asked: { refused?: string }) => string | null | Promise<string | null>;
  /** Returns a product's name, for announcements and <cart-view>. Default: the SKU. */
  names?: (sku: string) => string;
  /** Whether all tabs of a person share one socket. Default: true */
  tabs?: boolean;
  /** Whether elements tell people who hear the page what changed. Default: true */
  announce?: boolean;
  /** Ends the connection. */
  signal?: AbortSignal;
  [forTests: string]: unknown;
}

/** What is known of a topic. */
export interface News {
  topic: string;
  /** See Badge, CartValue and VendorList; undefined if nothing is known. */
  value: any;
  /** Whether there is proof that the value is up to date. */
  live: boolean;
  /** When that was last so, in ms since 1970. */
  provenAt: number | null;
  /** The code with which the topic was refused. */
  refusal: string | undefined;
}

/** The value of sku:ID. */
export interface Badge {
  version: number;
  /** "in", "low", "out", "back", or one that a later version adds. */
  state: string;
  quantity?: number;
  /** The date when an item on back order is expected: "2026-12-24". */
  until?: string;
}

export interface CartLine {
  /** With the person's own changes on top. */
  quantity: number;
  /** What the shop has; 0: nothing yet. */
  confirmed: number;
  /** "waiting": not sent. "sent": not answered. "uncertain": the answer was lost; it is asked for again. */
  pending: null | 'waiting' | 'sent' | 'uncertain';
  /** Why the line is not as the person wanted it: "clamped" (got of wanted), or a code of the protocol. */
  error: null | { code: string; wanted?: number; got?: number };
}

export interface CartState {
  /** Whether the cart was read at all. */
  known: boolean;
  live: boolean;
  provenAt: number | null;
  /** Of the confirmed cart. */
  version: number;
  /** Number of changes without an answer. */
  pending: number;
  /** Whether all changes survive a reload, should it come now. */
  kept: boolean;
  lines: Map<string, CartLine>;
}

/** The server's answer to a change. */
export interface Ok {
  type: 'ok';
  from?: number;
  version?: number;
  lines: Record<string, { quantity: number; version: number } | null>;
  /** Lines that were not granted in full. */
  clamped?: Record<string, { wanted: number; got: number }>;
  /** Lines that a merge did not take over, and why: removed, unknown, no_stock, limit. */
  skipped?: Record<string, string>;
  /** What a checkout took. */
  ordered?: Record<string, number>;
  duplicate?: boolean;
}
