// How many matches, by which metric, told as what: the controls beside every list of matches.
import {element, whenQuiet} from './dom.js';
import {collection} from './collection.js';

const kMost = 200;
const kLeastPrior = 1e-9;  // as the server has it
const mostMatches = () => Math.min(kMost, Math.max(collection.paths.length - 1, 1));

/** What the address says, within what the controls allow; what it cannot mean is as by itself. */
export function settingsOf(parameters) {
  const given = parameters.get('n') ?? '';
  const n = /^\d+$/.test(given) ? Number(given) : 0;
  const metric = parameters.get('metric');
  const score = parameters.get('score');
  const prior = Number(parameters.get('prior') ?? NaN);
  return {
    n: Math.min(n >= 1 ? n : 24, mostMatches()),
    metric: collection.info.metrics.includes(metric) ? metric : collection.info.metrics[0],
    score: score === 'probability' && collection.info.calibrated ? 'probability' : 'similarity',
    prior: prior >= kLeastPrior && prior <= 1 - kLeastPrior ? prior : 0.5,
  };
}

/** "?n=48&metric=euclidean", without what is as by itself. */
export function addressOf(settings) {
  const usual = settingsOf(new URLSearchParams());
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(settings)) if (value !== usual[name]) given.set(name, value);
  const text = given.toString();
  return text ? `?${text}` : '';
}

/** For the server. */
export function queryOf({n, metric, prior}) {
  return new URLSearchParams({n, metric, prior}).toString();
}

function choice(id, name, options, value, changed, title) {
  const select = element('select', {id, title, onchange: () => changed(select.value)},
    ...options.map(([key, text]) => element('option', {value: key, selected: String(key) === String(value)}, text)));
  return element('div', {}, element('label', {for: id}, name), select);
}

/** Controls that change `settings` in place and then call changed(). */
export function controls(settings, changed) {
  const told = () => settings.n < mostMatches() ? String(settings.n) : `${settings.n}, the most`;
  const shown = element('output', {for: 'matches'}, told());
  const apply = whenQuiet(120, changed);
  const range = element('input', {type: 'range', id: 'matches', min: 1, max: mostMatches(), value: settings.n,
    oninput: () => {
      settings.n = Number(range.value);
      shown.textContent = told();
      apply();
    }});
  const host = element('div', {class: 'controls', role: 'group', 'aria-label': 'What is shown'},
    element('div', {class: 'wide-control'}, element('label', {for: 'matches'}, 'Photos ', shown), range),
    choice('metric', 'Compared by', collection.info.metrics.map((name) => [name, name]), settings.metric, (value) => {
      settings.metric = value;
      refresh();
      changed();
    }));
  const score = collection.info.calibrated ? choice('score', 'Told as', [['similarity', 'similarity'], ['probability', 'probability']],
    settings.score, (value) => {
      settings.score = value;
      refresh();
      changed();
    }, 'The probability that two photos this similar are views of one photo (cropped, mirrored, brighter or darker), rather than two photos drawn at random') : null;
  const kPriors = [[0.5, 'every other pair'], [0.1, 'one pair in 10'], [0.01, 'one pair in 100'], [0.001, 'one pair in 1000']];
  if (!kPriors.some(([value]) => value === settings.prior)) kPriors.push([settings.prior, `one pair in ${Math.round(1 / settings.prior)}`]);
  const prior = score ? choice('prior', 'If views of one photo are', kPriors, settings.prior, (value) => {
    settings.prior = Number(value);
    changed();
  }) : null;
  if (score) host.append(score, prior);
  const refresh = () => {
    if (!score) return;
    const canTell = settings.metric === 'cosine';
    score.hidden = !canTell;
    prior.hidden = !canTell || settings.score !== 'probability';
  };
  refresh();
  return host;
}

/** "0.934", "97 %". */
export function scoreText(match, settings) {
  if (settings.score === 'probability' && match.percent !== undefined) return match.percent;
  if (match.similarity === null) return 'none';
  const text = match.similarity.toFixed(3);
  return text === '-0.000' ? '0.000' : text;
}
