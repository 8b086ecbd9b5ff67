// A hub and a browser for the scripts beside this file.

import { Hub, launch } from '../browser/world.mjs';

export { root } from '../browser/world.mjs';

/** withHub runs work with a hub, which has more flags, and a browser, and stops both. */
export async function withHub(work, ...flags) {
  const hub = await Hub.start('-keys', 'none', ...flags);
  try {
    const browser = await launch();
    try {
      await work(hub, browser);
    } finally {
      await browser.close();
    }
  } finally {
    await hub.stop();
  }
}
