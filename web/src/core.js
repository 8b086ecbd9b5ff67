// @securecart/live/core: without elements.

export { connect, Live } from './live.js';
export { WriteError } from './changes.js';
