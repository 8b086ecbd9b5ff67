// The inspector's first module: which screens there are.

import { App } from './app.js';
import { Alarms } from './screens/alarms.js';
import { Connections } from './screens/connections.js';
import { Cost } from './screens/cost.js';
import { Faults } from './screens/faults.js';
import { Posts, Routes } from './screens/foreign.js';
import { Frames } from './screens/frames.js';
import { Invocations } from './screens/invocations.js';
import { Overview } from './screens/overview.js';
import { Replay } from './screens/replay.js';
import { Stock } from './screens/stock.js';
import { Stream } from './screens/stream.js';
import { Topics } from './screens/topics.js';

const screen = (digit, name, title, Screen) => ({ digit, name, title, make: (app) => new Screen(app) });

/** screensOf are those of the hub, or of somebody's own API under localhub -template. */
const screensOf = (template) => [
  screen('1', 'overview', 'Overview', Overview),
  screen('2', 'frames', 'Frames', Frames),
  screen('3', 'connections', 'Connections', Connections),
  ...(template
    ? [
        screen('4', 'routes', 'Routes', Routes),
        screen('5', 'invocations', 'Invocations', Invocations),
        screen('6', 'posts', 'Posts', Posts),
      ]
    : [
        screen('4', 'topics', 'Topics', Topics),
        screen('5', 'stream', 'Stream', Stream),
        screen('6', 'stock', 'Stock & carts', Stock),
      ]),
  screen('7', 'faults', 'Faults & time', Faults),
  ...(template ? [] : [screen('8', 'replay', 'Record & replay', Replay)]), // recordings are the hub's
  screen('9', 'cost', 'Cost', Cost),
  ...(template ? [] : [screen('0', 'alarms', 'Alarms', Alarms)]), // they are the hub's
];

await new App(screensOf).start();
