// What the server holds: asked for once, and again when the index was replaced.

export const collection = {version: '', info: null, paths: [], contents: [], groups: null};
const rowOfPath = new Map();
const listeners = [];

export class Refused extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

/** The JSON answer to a request, of whichever version of the index; throws Refused with a sentence (status 0: none came). */
export async function fetched(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (failure) {
    if (failure.name === 'AbortError') throw failure;
    throw new Refused(0, 'imgsim no longer answers; is it still running in its terminal?');
  }
  let answer;
  try {
    answer = await response.json();
  } catch (failure) {
    if (failure.name === 'AbortError') throw failure;
    throw new Refused(response.status, 'The answer was cut, or is not of imgsim: is a proxy, or another program, at this address?');
  }
  if (!response.ok) throw new Refused(response.status, answer.reason);
  return answer;
}

let reloading = null;

/** The JSON answer to a request, its rows those of `collection`; throws Refused with a sentence. */
export async function ask(path, options = {}) {
  for (;;) {
    await reloading;
    let answer = null, refusal = null;
    try {
      answer = await fetched(path, options);
    } catch (failure) {
      if (!(failure instanceof Refused) || failure.status === 0) throw failure;
      refusal = failure;
    }
    // What was refused may have been asked of a version that is gone.
    const {version} = answer ?? await fetched('api/index');
    if (version === undefined || version === collection.version) {
      if (refusal) throw refusal;
      return answer;
    }
    await reload();
    options.signal?.throwIfAborted();  // the page that asked has been replaced
  }
}

export function reload() {
  return reloading ??= readCollection().finally(() => reloading = null);
}

async function readCollection() {
  let info, photos;
  do {  // until both are of one version
    [info, photos] = await Promise.all([fetched('api/index'), fetched('api/photos')]);
  } while (info.version !== photos.version);
  const known = collection.version;
  Object.assign(collection, {info, version: photos.version, paths: photos.paths, contents: photos.contents, groups: photos.groups});
  rowOfPath.clear();
  collection.paths.forEach((path, row) => rowOfPath.set(path, row));
  for (const tell of listeners) tell(known !== '' && known !== collection.version);
}

/** tell(isAnother): the collection was read; whether in place of another version. */
export function onReload(tell) {
  listeners.push(tell);
}

export function rowOf(path) {
  return rowOfPath.get(path);
}

/** A path fit to show: bytes that are no text, and characters that reorder others, become a mark. */
export function shownName(path) {
  return path.replace(/\u0000../g, '\uFFFD').replace(/[\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\uFFFD');
}

export function fileName(row) {
  const path = collection.paths[row];
  return shownName(path.slice(path.lastIndexOf('/') + 1));
}

export const photoPage = (row) => `#/photo/${encodeURIComponent(collection.paths[row])}`;
export const groupPage = (group) => `#/groups/${group}`;
export const thumbnailOf = (row) => `thumbnail/${row}?content=${collection.contents[row]}`;
export const fileOf = (row) => `photo/${row}?content=${collection.contents[row]}`;

/** A colour for a group: neighbours in number are far apart in hue. */
export function groupColour(group, isDark = matchMedia('(prefers-color-scheme: dark)').matches) {
  const hue = (group * 137.508 + 215) % 360;
  const layer = Math.floor(group / 12) % 3;
  return `hsl(${hue.toFixed(0)} ${62 - 8 * layer}% ${isDark ? 66 - 6 * layer : 46 - 6 * layer}%)`;
}
