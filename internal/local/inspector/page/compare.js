// Two frames side by side, with the part that differs. Pure.

/** lines writes JSON with one member a line: [{path, text}], with paths as a replay names them. */
export function lines(value, path = '', indent = '', before = '', after = '') {
  if (value === null || typeof value !== 'object') {
    return [{ path, text: indent + before + JSON.stringify(value) + after }];
  }
  const isList = Array.isArray(value);
  const [open, close] = isList ? '[]' : '{}';
  const entries = Object.entries(value);
  if (entries.length === 0) return [{ path, text: indent + before + open + close + after }];
  const inner = entries.flatMap(([name, each], i) =>
    lines(
      each,
      isList ? `${path}[${name}]` : path + member(name, path === ''),
      `${indent}  `,
      isList ? '' : `${JSON.stringify(name)}: `,
      i < entries.length - 1 ? ',' : '',
    ),
  );
  return [{ path, text: indent + before + open }, ...inner, { path, text: indent + close + after }];
}

function member(name, first) {
  if (!/^[A-Za-z_]\w*$/.test(name)) return `[${JSON.stringify(name)}]`;
  return first ? name : `.${name}`;
}

const isIn = (path, whole) => path === whole || path.startsWith(`${whole}.`) || path.startsWith(`${whole}[`);

/**
 * sides returns the lines of two texts of frames: {recorded, got}, each a list of {text, differs}. A
 * part that only one of them has is marked there. Without a path all of both differs. A text that
 * is no JSON stays as it is.
 */
export function sides({ path = '', recordedFrame = '', gotFrame = '' }) {
  const side = (text) =>
    linesOf(text).map(({ path: at, text: line }) => ({ text: line, differs: path === '' || isIn(at, path) }));
  return { recorded: side(recordedFrame), got: side(gotFrame) };
}

function linesOf(text) {
  if (text === '') return [];
  try {
    return lines(JSON.parse(text));
  } catch {
    return text.split('\n').map((line) => ({ path: '', text: line }));
  }
}
