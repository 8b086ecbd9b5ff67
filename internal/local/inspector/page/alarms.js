// The alarms of docs/operations.md, as localhub evaluates them. Pure.

import { count } from './format.js';

/** figuresOf reads the counters that rates need. */
export function figuresOf(metrics) {
  return {
    in: metrics.sum('gateway_messages_total'),
    posts: metrics.sum('gateway_posts_total'),
    sent: metrics.sum('gateway_sent_bytes_total'),
  };
}

/** The fault that explains an alarm, by its name. */
const faults = {
  ThrottledAlarm: 'throttle',
  FailedAlarm: 'error',
  HealClosedAlarm: 'error',
  LatencyAlarm: 'slow',
  IteratorAgeAlarm: 'slow',
};

/** valuesOf are the values of alarms by name, for a History; none without data. */
export function valuesOf(alarms) {
  return Object.fromEntries(alarms.map(({ name, value }) => [name, value ?? 0]));
}

/**
 * statesOf adds to the alarms of GET /admin/alarms what people read: title, text, goesOff and
 * metric, state as bad, good or none, and the fault that explains it.
 */
export function statesOf(alarms = []) {
  return alarms.map((alarm) => {
    const { name, value, threshold, period, periods, metrics, expression } = alarm;
    return {
      ...alarm,
      title: name.replace(/Alarm$/, ''),
      text: value === null ? 'no data' : Number.isInteger(value) ? count(value) : value.toFixed(1),
      goesOff: `over ${count(threshold)} ${periods > 1 ? 'for' : 'in'} ${(period * periods) / 60} min`,
      metric: metrics.map((each, i) => (metrics.length > 1 ? `m${i + 1} ${each}` : each)).join(', '),
      rule: expression || 'm1',
      state: alarm.state === 'ALARM' ? 'bad' : value === null ? 'none' : 'good',
      fault: faults[name],
    };
  });
}
