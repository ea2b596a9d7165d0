// A list of matches with their scores, asked for again when its settings change.
import {element, say, counted} from './dom.js';
import {collection, fileName, photoPage, shownName} from './collection.js';
import {addressOf, controls, scoreText} from './settings.js';
import {PhotoGrid} from './grid.js';

export class Matches {
  /**
   * @param ask  (settings, signal) => promise of the server's answer
   * @param changed  called with the settings after a change, before asking
   */
  constructor(host, {heading, settings, ask, changed}) {
    Object.assign(this, {settings, askFor: ask});
    this.matches = [];
    this.trouble = element('p', {class: 'fault', hidden: true});
    host.append(element('h2', {id: 'matches-heading'}, heading), controls(settings, () => {
      changed(settings);
      this.load();
    }), this.trouble);
    this.grid = new PhotoGrid(host, {cell: 165, captionHeight: 50, label: heading, linkOf: (row) => photoPage(row) + addressOf(settings), captionOf: (at) => [
      element('bdi', {class: 'label', 'aria-hidden': 'true', title: shownName(collection.paths[this.matches[at].row])}, fileName(this.matches[at].row)),
      element('span', {class: 'score'}, scoreText(this.matches[at], settings)),
      element('span', {class: 'place', 'aria-hidden': 'true'}, String(at + 1)),
    ]});
    this.grid.list.classList.add('named');
  }

  async load() {
    this.pending?.abort();
    const pending = this.pending = new AbortController();
    try {
      const answer = await this.askFor(this.settings, pending.signal);
      if (pending.signal.aborted) return null;
      this.trouble.hidden = true;
      this.matches = answer.matches;
      this.grid.show(answer.matches.map((match) => match.row));
      say(`${counted(answer.matches.length, 'photo')} found`);
      return answer;
    } catch (failure) {
      if (pending.signal.aborted || failure.name === 'AbortError') return null;
      this.trouble.textContent = failure.message;
      this.trouble.hidden = false;
      return null;
    }
  }

  destroy() {
    this.pending?.abort();
    this.grid.destroy();
  }
}
