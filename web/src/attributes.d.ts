/** The attributes of <stock-badge>. */
export interface StockBadgeAttributes {
  sku: string;
  /** What the server knew: all of them are for the time before the page is live. */
  state?: 'in' | 'low' | 'out' | 'back';
  quantity?: number | string;
  version?: number | string;
  until?: string;
  /** The product's name, for people who hear the page. */
  label?: string;
  /** Changes are announced to people who hear the page. */
  announce?: boolean | '';
}
