// The alarms of docs/operations.md, by the same rules, from the metrics of localhub. Pure.

import { count } from './format.js';

const minute = 60_000;

/** figuresOf reads the counters that rates and alarms need. */
export function figuresOf(metrics) {
  const of = (name, result) => metrics.sum(name, { result });
  return {
    in: metrics.sum('gateway_messages_total'),
    posts: metrics.sum('gateway_posts_total'),
    sent: metrics.sum('gateway_sent_bytes_total'),
    posted: of('hub_deliveries_total', 'posted'),
    stale: of('hub_deliveries_total', 'stale'),
    errors:
      metrics.sum('gateway_errors_total', { kind: 'integration' }) +
      metrics.sum('gateway_errors_total', { kind: 'execution' }),
    refused:
      metrics.sum('hub_handshakes_refused_total', { reason: 'internal' }) +
      metrics.sum('hub_handshakes_refused_total', { reason: 'unchecked' }),
    failed: of('hub_changes_total', 'failed') + of('hub_heals_total', 'failed'),
    unreadable: of('hub_changes_total', 'unreadable'),
    notRaised: of('hub_changes_total', 'version_not_raised'),
    healClosed: of('hub_heals_total', 'closed'),
  };
}

/** counter is an alarm on a counter that grew within a time. */
const counter = (name, figure, within, goesOff, metric, help, also, fault) => ({
  name,
  goesOff,
  metric,
  help,
  also,
  fault,
  limit: 0,
  within,
  now: (history) => {
    const value = history.grown(figure, within);
    return { value, text: count(value) };
  },
  series: (history) => history.rates(figure),
});

/**
 * alarms are {name, limit, goesOff, metric, help, also, now, series}. now(history, changes)
 * is {value, text}, or undefined without data. also is where the same is in /metrics.
 */
export const alarms = [
  {
    name: 'Throttled',
    limit: 5,
    within: minute,
    goesOff: 'over 5 %',
    metric: 'Throttled / (Posts + Throttled), 1 min',
    help: "The account's 10 000 requests a second are used up: lower PostsPerSecond, or get a higher quota.",
    also: 'hub_deliveries_total',
    fault: 'throttle',
    now: (history) => {
      const [posts, stale] = [history.grown('posted', minute), history.grown('stale', minute)];
      const value = posts + stale === 0 ? 0 : (100 * stale) / (posts + stale);
      return {
        value,
        text:
          posts + stale === 0 ? '0 %' : `${count(stale)} / (${count(posts)} + ${count(stale)}) = ${value.toFixed(1)} %`,
      };
    },
    series: (history) => history.rates('stale'),
  },
  {
    name: 'Latency p99',
    limit: 3000,
    within: minute,
    goesOff: 'over 3 s',
    metric: 'Latency p99, 1 min',
    help: 'Screens are late. It is commit → last accepted post, of the changes in the log of this page; crowds are not in it.',
    also: 'hub_latency_seconds',
    fault: 'slow',
    now: (history, changes, at) => {
      const sorted = changes
        .filter((c) => c.last > 0 && at - c.last / 1000 <= minute)
        .map((c) => (c.last - c.at) / 1000)
        .sort((a, b) => a - b);
      if (sorted.length === 0) return undefined;
      const value = sorted[Math.ceil(sorted.length * 0.99) - 1];
      return { value, text: `${count(value)} ms` };
    },
    series: () => [],
  },
  counter(
    'Function errors',
    'errors',
    minute,
    'over 0',
    'Errors of AWS/Lambda, 1 min',
    'A function failed; refusals are no errors. The log of localhub names it.',
    'gateway_errors_total',
    'late',
  ),
  counter(
    'Failed',
    'failed',
    5 * minute,
    'over 0 for 5 min',
    'Failed, 5 min',
    "The hub's table is not available, or posts are refused. Records are read again.",
    'hub_changes_total',
    'error',
  ),
  counter(
    'HealClosed',
    'healClosed',
    5 * minute,
    'over 0 for 5 min',
    'HealClosed, 5 min',
    'Posts to some connections failed for a minute. They were closed, and reconnect.',
    'hub_heals_total',
    'throttle',
  ),
  counter(
    'Handshakes refused',
    'refused',
    minute,
    'over 0 by internal, unchecked',
    'HandshakesRefused by Reason, 1 min',
    'The hub or the issuer of tokens fails.',
    'hub_handshakes_refused_total',
  ),
  counter(
    'Unreadable rows',
    'unreadable',
    minute,
    'over 0',
    'UnreadableRows, 1 min',
    'The shop writes rows that cannot be read. Clients get denied for them.',
    'hub_changes_total',
  ),
  counter(
    'Version not raised',
    'notRaised',
    5 * minute,
    'over 0 for 5 min',
    'VersionNotRaised, 5 min',
    'A writer of rows does not count versions. Screens end right, but may flicker.',
    'hub_changes_total',
  ),
];

/** statesOf evaluates the alarms: {alarm, value, text, state}. state is good, bad or none. */
export function statesOf(history, changes, at) {
  return alarms.map((alarm) => {
    const now = alarm.now(history, changes, at);
    if (!now) return { alarm, text: 'no change yet', state: 'none' };
    return { alarm, ...now, state: now.value > alarm.limit ? 'bad' : 'good' };
  });
}
