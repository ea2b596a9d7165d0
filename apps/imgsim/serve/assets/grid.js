// Thousands of photos in rows, of which only those in sight exist as elements. Arrow keys walk through them.
import {photoPage} from './collection.js';
import {element, oncePerFrame} from './dom.js';
import {tile} from './tile.js';

const kRowsBeyondSight = 2;

export class PhotoGrid {
  /**
   * @param host  the element it fills
   * @param options  cell: least width of a photo; captionHeight: below each; captionOf(position): elements;
   *     linkOf(row): where each leads, its own page where that is not told
   */
  constructor(host, {cell = 150, captionHeight = 0, captionOf = () => [], linkOf = photoPage, label}) {
    Object.assign(this, {cell, captionHeight, captionOf, linkOf});
    this.rows = [];
    this.active = 0;  // position that Tab leads to
    this.made = new Map();  // position -> li
    this.list = element('ul', {class: 'grid', 'aria-label': label, onkeydown: (event) => this.move(event), onfocusin: (event) => this.remember(event)});
    host.append(this.list);
    this.draw = oncePerFrame(() => this.render());
    this.resized = new ResizeObserver(() => this.layOut());
    this.resized.observe(this.list);
    addEventListener('scroll', this.draw, {passive: true});
  }

  destroy() {
    this.resized.disconnect();
    removeEventListener('scroll', this.draw);
    this.list.remove();
  }

  /** Shows these photos (rows of the index). */
  show(rows) {
    this.rows = rows;
    this.active = Math.min(this.active, Math.max(rows.length - 1, 0));
    for (const item of this.made.values()) item.remove();
    this.made.clear();
    this.layOut();
  }

  layOut() {
    const width = this.list.clientWidth;
    if (!width) return;
    this.gap = parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--gap')) || 8;
    const least = Math.min(this.cell, (width - 2 * this.gap) / 3);
    this.columns = Math.max(1, Math.floor((width + this.gap) / (least + this.gap)));
    this.side = (width - this.gap * (this.columns - 1)) / this.columns;
    this.pitch = this.side + this.captionHeight + this.gap;
    this.list.style.height = `${Math.max(0, Math.ceil(this.rows.length / this.columns) * this.pitch - this.gap)}px`;
    for (const [position, item] of this.made) this.place(item, position);
    this.render();
  }

  place(item, position) {
    item.style.width = `${this.side}px`;
    item.style.height = `${this.side + this.captionHeight}px`;
    const x = (position % this.columns) * (this.side + this.gap), y = Math.floor(position / this.columns) * this.pitch;
    item.style.transform = `translate(${x}px, ${y}px)`;
  }

  render() {
    if (!this.columns) return;
    const top = -this.list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / this.pitch) - kRowsBeyondSight) * this.columns;
    const end = Math.min(this.rows.length, (Math.ceil((top + innerHeight) / this.pitch) + kRowsBeyondSight) * this.columns);
    for (const [position, item] of this.made) {
      const isKept = position >= first && position < end;
      if (isKept || item.contains(document.activeElement)) continue;
      item.remove();
      this.made.delete(position);
    }
    for (let position = first; position < end; ++position) this.item(position);
  }

  item(position) {
    const known = this.made.get(position);
    if (known) return known;
    const link = tile(this.rows[position], this.captionOf(position), {href: this.linkOf(this.rows[position]), tabindex: position === this.active ? 0 : -1});
    const item = element('li', {'aria-setsize': this.rows.length, 'aria-posinset': position + 1, 'data-position': position}, link);
    this.place(item, position);
    this.made.set(position, item);
    // In the order of positions, which is that of reading aloud.
    let next = null;
    for (const other of this.list.children) {
      if (Number(other.dataset.position) > position) {
        next = other;
        break;
      }
    }
    this.list.insertBefore(item, next);
    return item;
  }

  remember(event) {
    const item = event.target.closest('li');
    if (item) this.activate(Number(item.dataset.position));
  }

  activate(position) {
    this.made.get(this.active)?.firstElementChild.setAttribute('tabindex', -1);
    this.active = position;
    this.item(position).firstElementChild.setAttribute('tabindex', 0);
  }

  /** Leads the focus to a photo, into sight where it is not. */
  focus(position) {
    if (!this.columns || !this.rows.length) return;
    const at = Math.max(0, Math.min(position, this.rows.length - 1));
    const top = this.list.getBoundingClientRect().top + Math.floor(at / this.columns) * this.pitch;
    const bar = document.querySelector('.bar').offsetHeight + this.gap;
    if (top < bar) scrollBy({top: top - bar});
    else if (top + this.side + this.captionHeight > innerHeight) scrollBy({top: top + this.side + this.captionHeight + this.gap - innerHeight});
    this.render();
    this.activate(at);
    this.item(at).firstElementChild.focus({preventScroll: true});
  }

  /** The same by its row, where it is one of those shown. */
  focusRow(row) {
    const at = this.rows.indexOf(row);
    if (at >= 0) this.focus(at);
  }

  move(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const page = this.columns * Math.max(1, Math.floor(innerHeight / this.pitch) - 1);
    const steps = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, PageUp: -page, PageDown: page,
      Home: -this.rows.length, End: this.rows.length};
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const target = this.active + step;
    // Up from the first line and down from the last stay where they are, sideways ends at the ends.
    if (Math.abs(step) === this.columns && (target < 0 || target >= this.rows.length)) return;
    this.focus(target);
  }
}
