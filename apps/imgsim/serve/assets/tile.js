// One photo as a link, with what stands in its place where it cannot be shown.
import {element} from './dom.js';
import {ask, collection, fileName, fileOf, groupColour, photoPage, Refused, shownName, thumbnailOf} from './collection.js';

/** An image; where it cannot be had, the reason. */
export function picture(address, description, properties = {}) {
  const image = element('img', {alt: description, decoding: 'async', ...properties});
  image.addEventListener('error', async () => {
    const missing = element('span', {class: 'missing', role: 'img', 'aria-label': `${description}: cannot be shown`}, 'cannot be shown');
    image.replaceWith(missing);
    try {
      await ask(address);
    } catch (failure) {
      if (failure instanceof Refused) missing.textContent = failure.message;
    }
  });
  image.src = address;
  return image;
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
