// Shows an explanation as the server writes it: the decision in words, every node and why, the patch as a difference.
import { el, ms, plural, quantity, unseen } from './dom.js';

const fewNodes = 12;

const outcomes = {
  Placed: ['placed', 'good'], NotAStep: ['left as it is', 'plain'], NoLocation: ['no location', 'warn'], UnknownLocation: ['unknown location', 'warn'],
  NoCandidate: ['no node can run it', 'warn'], TooComplex: ['too complex', 'warn'], AlreadyBound: ['has its node', 'plain'], AlreadyDecided: ['decided before', 'plain'],
  OptedOut: ['opted out', 'plain'], UnreadablePod: ['unreadable pod', 'bad'], Fault: ['failed', 'bad'], NoClusterView: ['nodes unknown', 'bad'],
};

export function outcomeChip(outcome) {
  const [text, kind] = outcomes[outcome] ?? [outcome, 'plain'];
  return el('span', { class: `chip ${kind}` }, text);
}

const stepWords = { Predict: 'prediction', Training: 'training' };

/** What a kind of step is called; one that has no word here goes by its name. */
export const stepWord = type => stepWords[type] ?? type.toLowerCase();

export function warningList(warnings) {
  return warnings?.length ? el('ul', { class: 'warnings' }, warnings.map(w => el('li', {}, w))) : null;
}

/** One step: heading level 3, since it stands under a view's or a dialog's heading. */
export function stepArticle(step, { heading = true } = {}) {
  if (!step.step) return el('article', { class: 'step' }, heading && el('h2', {}, step.name, ' ', outcomeChip('UnreadablePod')), el('p', { class: 'quiet' }, 'See the problem above.'));
  const isStep = step.step.type !== 'Other';
  return el('article', { class: 'step' },
    heading && el('h2', {}, step.name, ' ', outcomeChip(step.outcome)),
    heading && el('p', { class: 'quiet' }, [step.origin, step.namespace && `namespace ${step.namespace}`, step.line > 0 && `line ${step.line}`].filter(Boolean).join(' · ')),
    el('p', { class: 'decision' }, step.decision || sentence(step)),
    warningList(step.warnings),
    step.notes?.length ? el('ul', { class: 'notes' }, step.notes.map(n => el('li', {}, n))) : null,
    isStep && step.nodes.length > 0 && nodeTable(step),
    isStep && step.notWeighed?.length > 0 && el('p', { class: 'quiet' }, `The scheduler’s points as far as they can be known; not counted: ${step.notWeighed.join('; ')}.`),
    step.diff?.length ? el('details', { class: 'patch', open: true }, el('summary', {}, 'What would be changed in the pod'), diff(step.diff)) : null);
}

function sentence(step) {
  switch (step.outcome) {
    case 'NotAStep': return 'Neither a prediction nor a training step: the webhook leaves it as it is.';
    case 'OptedOut': return 'Its annotation, or the configuration, turns placement off: the webhook leaves it as it is.';
    case 'AlreadyBound': return 'It names its node already: the webhook leaves it as it is.';
    case 'AlreadyDecided': return 'It carries a decision already: the webhook leaves it as it is.';
    default: return step.outcome;
  }
}

function nodeTable(step) {
  const hasLatency = step.nodes.some(n => n.latencyMs !== null);
  const points = step.nodes.some(n => n.points);
  const most = Math.max(0, ...step.nodes.map(n => n.points?.total ?? 0));
  const body = el('tbody');
  const nodes = [...step.nodes].sort((a, b) => b.chosen - a.chosen);
  const row = n => el('tr', { class: n.chosen ? 'chosen' : n.canRunNow === false ? 'cannot' : null },
    el('th', { scope: 'row' }, n.name, n.chosen && el('span', { class: 'chip good' }, 'chosen')),
    hasLatency && el('td', { class: 'number' }, n.latencyMs === null ? el('span', { class: 'quiet' }, '–', unseen('not measured')) : `${ms(n.latencyMs)} ms`),
    el('td', {}, n.verdict, n.avoided && ', avoided for a taint'),
    el('td', { class: 'number' }, n.weight > 0 ? String(n.weight) : '–'),
    points && el('td', { class: 'number' }, n.points ? el(n.points.total === most ? 'b' : 'span', {}, String(n.points.total)) : '–'),
    el('td', { class: 'number' }, `${quantity(n.free.cpu)} of ${quantity(n.allocatable.cpu)}`),
    el('td', { class: 'number' }, `${quantity(n.free.memory, true)} of ${quantity(n.allocatable.memory, true)}`));
  body.append(...nodes.slice(0, fewNodes).map(row));
  const more = nodes.length > fewNodes && el('button', { type: 'button', class: 'secondary', on: { click: event => {
    body.append(...nodes.slice(fewNodes).map(row));
    event.target.closest('p').remove();
    body.rows[fewNodes].cells[0].tabIndex = -1;
    body.rows[fewNodes].cells[0].focus();
  } } }, `Show all ${plural(nodes.length, 'node')}`);
  const label = `Nodes for ${step.name || 'this step'}`;
  return el('div', {}, el('div', { class: 'scroll short', role: 'region', tabindex: '0', 'aria-label': label },
    el('table', { class: 'plain nodes' }, el('caption', { class: 'unseen' }, label),
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Node'), hasLatency && el('th', { scope: 'col', class: 'number' }, 'Latency'), el('th', { scope: 'col' }, 'Verdict'),
        el('th', { scope: 'col', class: 'number', title: 'What our preference adds, 1 to 100' }, 'Weight'),
        points && el('th', { scope: 'col', class: 'number', title: 'What the default scheduler would make of it' }, 'Points'),
        el('th', { scope: 'col', class: 'number' }, 'CPU free'), el('th', { scope: 'col', class: 'number' }, 'Memory free'))), body)),
  more && el('p', { class: 'more' }, more));
}

function diff(lines) {
  const kinds = { '+': 'added', '-': 'removed', '@': 'place' };
  return el('pre', { role: 'group', tabindex: '0', 'aria-label': 'The patch as a difference' }, lines.map(line => el('span', { class: line.startsWith('+++') || line.startsWith('---') ? 'place' : kinds[line[0]] ?? null }, `${line}\n`)));
}
