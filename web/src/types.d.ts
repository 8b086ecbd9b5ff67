/** What a page may set. */
export interface Options {
  /** The socket's URL; https and relative ones work too. Default: /v1 */
  url?: string;
  /**
   * Where the REST API is, as the stack's output RestUrl says it. Without a socket the page polls
   * it. false: it does not. Default: the root of the socket's host
   */
  rest?: string | false;
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
}

/** The events of a Live, with what their "detail" has. */
export interface LiveEvents {
  /** These topics have a new value or freshness. */
  change: CustomEvent<{ topics: string[] }>;
  /** Whether values are proved. */
  live: CustomEvent<{ live: boolean }>;
  status: CustomEvent<{ status: Status }>;
  /** The cart, or what is pending in it, changed. */
  cart: CustomEvent<{ state: CartState }>;
  /** The user changed; "was" is null at first. */
  identity: CustomEvent<{ user: string; role: string; was: string | null }>;
  /** A token was refused; fromToken: the token option gave it. */
  notice: CustomEvent<{ code: string; fromToken: boolean }>;
  /** A checkout took the lines of this cart, here or on another device. */
  ordered: CustomEvent<{ topic: string }>;
  /** The shop lost its history; everything is read anew. */
  epoch: CustomEvent<{ epoch: string }>;
  /** A topic was refused. */
  refused: CustomEvent<{ topic: string; code: string }>;
  problem: CustomEvent<{ code: string; message: string }>;
  /** The server is about to close. */
  bye: CustomEvent<{ code: string; retry: boolean; after?: number }>;
}

/** The state of a connection; "polling": over HTTP, "waiting": to try again, "ended": by the server. */
export type Status = 'connecting' | 'live' | 'polling' | 'waiting' | 'offline' | 'ended' | 'closed';

/** An EventTarget whose events are LiveEvents. */
export interface LiveTarget extends EventTarget {
  addEventListener<Type extends keyof LiveEvents>(
    type: Type, listener: (event: LiveEvents[Type]) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof LiveEvents>(
    type: Type, listener: (event: LiveEvents[Type]) => void, options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions,
  ): void;
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

/** The value of cart and cart:ID: what the shop has. */
export interface CartValue {
  version: number;
  /** By SKU; the version is that of the cart in which the line last changed. */
  lines: Map<string, { quantity: number; version: number }>;
}

/** The value of vendor:ID. */
export interface VendorList {
  /** In the order of their bytes. */
  skus: string[];
  /** Whether there are others behind the last one. */
  more?: boolean;
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
