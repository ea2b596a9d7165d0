// One photo as a link, with what stands in its place where it cannot be shown.
import {element} from './dom.js';
import {ask, collection, fileName, fileOf, groupColour, photoPage, Refused, shownName, thumbnailOf} from './collection.js';

const kTries = 6;

/** An image; where it cannot be had, the reason, until it can: a server that is busy or away is asked again. */
export function picture(address, description, properties = {}) {
  const image = element('img', {alt: description, decoding: 'async', ...properties});
  const missing = element('span', {class: 'missing', role: 'img'});
  let tries = 0;
  const again = (seconds) => setTimeout(() => {
    if (!missing.isConnected) return;
    image.loading = 'eager';  // it is on no page, where a lazy one is never in sight
    image.src = address;
  }, 1000 * seconds);
  image.addEventListener('error', async () => {
    const reason = await whyMissing(address);
    missing.textContent = reason?.message ?? 'cannot be shown';
    missing.setAttribute('aria-label', `${description}: ${missing.textContent}`);
    image.replaceWith(missing);
    const isPassing = !reason || reason.status === 0 || reason.status === 503;
    if (isPassing && ++tries < kTries) again(2 ** tries);
  });
  image.addEventListener('load', () => missing.replaceWith(image));
  image.setAttribute('src', address);
  return image;
}

/** Why a picture cannot be had; null where it can be, now. */
async function whyMissing(address) {
  try {
    if ((await fetch(address, {method: 'HEAD'})).ok) return null;
    await ask(address);
  } catch (failure) {
    if (failure instanceof Refused) return failure;
  }
  return new Refused(0, 'cannot be shown');
}

/** A thumbnail without a link. */
export function thumbnail(row) {
  return element('span', {class: 'frame'}, picture(thumbnailOf(row), shownName(collection.paths[row]), {loading: 'lazy'}));
}

/** `caption`: elements below the photo. */
export function tile(row, caption = [], properties = {}) {
  const frame = thumbnail(row);
  frame.append(element('bdi', {class: 'name', 'aria-hidden': 'true'}, fileName(row)));
  const link = element('a', {class: 'tile', href: photoPage(row), 'data-row': row, ...properties}, frame);
  if (caption.length) link.append(element('span', {class: 'caption'}, ...caption));
  return link;
}

export function fullPicture(row) {
  const image = picture(fileOf(row), shownName(collection.paths[row]));
  image.addEventListener('load', () => image.classList.toggle('small', image.naturalWidth < 320));
  return element('figure', {class: 'shown'}, image);
}

export function groupDot(group) {
  const dot = element('span', {class: 'dot', 'aria-hidden': 'true'});
  dot.style.setProperty('--dot', groupColour(group));
  return dot;
}
