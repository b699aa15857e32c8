// The stream of decisions. Rows are added and hidden, never rebuilt: a row in focus keeps it.
import { debounced, el, matches, ms, plural } from './dom.js';
import { outcomeChip, stepArticle, stepWord, warningList } from './explanation.js';

const mostRows = 1000;
const $ = id => document.getElementById(id);
const shown = [];
const held = [];
const known = new Set();
let onState, isCaughtUp = false, isPaused = false, news = 0, lastNews, skipped = 0;

export function startDecisions(connectionChanged) {
  onState = connectionChanged;
  for (const id of ['decision-filter', 'decision-type', 'decision-outcome']) $(id).addEventListener('input', debounced(filterAll, 60));
  $('pause').addEventListener('click', pauseOrResume);
  $('detail-close').addEventListener('click', () => $('detail').close());
  // A click beside the dialog hits the dialog itself.
  $('detail').addEventListener('click', event => { if (event.target === $('detail')) $('detail').close(); });
  setInterval(tellNews, 5000);
  connect();
}

function connect() {
  const stream = new EventSource('/api/decisions');
  stream.addEventListener('open', () => onState('live'));
  stream.addEventListener('message', event => add(JSON.parse(event.data)));
  stream.addEventListener('pulse', event => onState('live', JSON.parse(event.data).viewAgeSeconds));
  stream.addEventListener('bound', event => bound(JSON.parse(event.data)));
  stream.addEventListener('skipped', event => { skipped += Number(event.data); count(); });
  stream.addEventListener('caughtUp', () => { isCaughtUp = true; count(); });
  stream.addEventListener('error', () => {
    onState('lost');
    // The browser tries again by itself unless the server refused.
    if (stream.readyState === EventSource.CLOSED) {
      stream.close();
      setTimeout(connect, 5000);
    }
    count();
  });
}

function add(decision) {
  if (known.has(decision.id)) return;
  known.add(decision.id);
  if (isPaused) {
    held.push(decision);
    if (held.length > mostRows) known.delete(held.shift().id);
    count();
    return;
  }
  show(decision);
  count();
}

function show(decision) {
  decision.text = [decision.namespace, decision.pod, decision.type, decision.location, decision.node, decision.outcome, decision.decision].join(' ');
  const row = rowOf(decision);
  row.hidden = !passes(decision);
  $('decisions').tBodies[0].prepend(row);
  shown.unshift({ decision, row });
  if (shown.length > mostRows) {
    const old = shown.pop();
    old.row.remove();
    known.delete(old.decision.id);
  }
  if (isCaughtUp) { row.classList.add('fresh'); news++; lastNews = decision; window.dispatchEvent(new CustomEvent('decision')); }
}

// The scheduler has bound the pod of a decision.
function bound(runsOn) {
  const at = shown.find(s => s.decision.id === runsOn.id);
  const decision = at?.decision ?? held.find(d => d.id === runsOn.id);
  if (!decision) return;
  decision.runsOn = runsOn;
  at?.row.querySelector('[data-label="Runs on"]').replaceChildren(...runsOnParts(decision));
}

const runsOnParts = ({ runsOn }) => runsOn ? [
  `${runsOn.node} `, el('span', { class: { 'as-decided': 'chip good', standby: 'chip plain' }[runsOn.result] ?? 'chip warn' }, runsOn.result.replace('-', ' ')),
] : ['–'];

function rowOf(decision) {
  const at = new Date(decision.at);
  const name = decision.pod || '(no name)';
  // On a narrow screen a row is laid out as a card, which takes a table's roles from it unless they are said.
  return el('tr', { role: 'row', on: { click: event => { if (!event.target.closest('button') && !String(getSelection())) open(decision); } } },
    el('td', { role: 'cell', 'data-label': 'Time' }, el('time', { datetime: decision.at, title: at.toLocaleString() }, at.toLocaleTimeString([], { hour12: false }))),
    el('td', { role: 'cell', 'data-label': 'Pod' }, el('button', { type: 'button', class: 'link', 'aria-haspopup': 'dialog', on: { click: () => open(decision) } },
      decision.namespace && el('span', { class: 'quiet' }, `${decision.namespace}/`), name), decision.dryRun && el('span', { class: 'chip plain' }, 'dry run')),
    el('td', { role: 'cell', 'data-label': 'Step' }, decision.type ? stepWord(decision.type) : '–'),
    el('td', { role: 'cell', 'data-label': 'Location' }, decision.location ?? '–'),
    el('td', { role: 'cell', 'data-label': 'Node' }, decision.node ?? '–'),
    el('td', { role: 'cell', 'data-label': 'Latency', class: 'number' }, decision.latencyMs === undefined ? '–' : `${ms(decision.latencyMs)} ms`),
    el('td', { role: 'cell', 'data-label': 'Runs on' }, runsOnParts(decision)),
    el('td', { role: 'cell', 'data-label': 'Outcome' }, outcomeChip(decision.outcome), decision.node && decision.hasRoom === false && el('span', { class: 'chip warn' }, 'full now'),
      decision.warnings?.length > 0 && decision.outcome === 'Placed' && el('span', { class: 'chip warn' }, 'warning')));
}

function passes(decision) {
  const outcome = $('decision-outcome').value;
  return (!$('decision-type').value || decision.type === $('decision-type').value) &&
    (!outcome || (outcome === 'placed' ? decision.outcome === 'Placed' : outcome === 'left' ? decision.outcome !== 'Placed' : decision.warnings?.length > 0)) &&
    matches(decision.text, $('decision-filter').value.trim());
}

function filterAll() {
  for (const { decision, row } of shown) row.hidden = !passes(decision);
  count();
}

function count() {
  const visible = shown.reduce((sum, s) => sum + !s.row.hidden, 0);
  $('decision-count').textContent = shown.length === 0 ? '' : [
    visible === shown.length ? plural(visible, 'decision') : `${visible} of ${plural(shown.length, 'decision')}`,
    held.length && `${held.length} more since you paused`,
    skipped && `${skipped} came too fast to be shown`,
  ].filter(Boolean).join(' · ');
  $('decisions-scroll').hidden = visible === 0;
  const why = visible > 0 ? '' : shown.length > 0 ? 'No decision passes the filter.'
    : isCaughtUp ? 'No decision yet. It shows here as soon as a step’s pod is created in a namespace with the label admissionlas.io/inject=enabled.' : 'Waiting for the stream…';
  $('decisions-empty').textContent = why;
  $('decisions-empty').hidden = why === '';
}

function pauseOrResume() {
  isPaused = !isPaused;
  $('pause').setAttribute('aria-pressed', String(isPaused));
  if (!isPaused) for (const decision of held.splice(0)) show(decision);
  count();
}

// A busy cluster decides many times a second; a screen reader cannot announce each.
function tellNews() {
  if (news > 0 && !isPaused && !$('view-decisions').hidden) {
    $('decision-news').textContent = `${plural(news, 'new decision')}, the last for ${lastNews.pod}${lastNews.node ? `: ${lastNews.node}` : ''}`;
  }
  news = 0;
}

async function open(decision) {
  const body = $('detail-body');
  $('detail-title').textContent = decision.pod ? `${decision.namespace}/${decision.pod}` : 'A pod that cannot be read';
  const facts = [
    ['Answered', new Date(decision.at).toLocaleString(), `in ${(decision.tookMicroseconds / 1000).toFixed(2)} ms`],
    decision.type && ['Step', stepWord(decision.type), decision.typeRule && `by ${decision.typeRule}`],
    decision.location && ['Location', decision.location, decision.locationRule && `by ${decision.locationRule}`],
    decision.node && ['Node', decision.node, decision.latencyMs === undefined ? '' : `${ms(decision.latencyMs)} ms${decision.hasRoom ? '' : ', full then'}`],
    decision.runsOn && ['Runs on', decision.runsOn.node, decision.runsOn.result.replace('-', ' ')],
    decision.requests?.length && ['Requests added', decision.requests.join(', '), ''],
    ['Review', el('code', {}, decision.uid), decision.dryRun ? 'a dry run' : ''],
  ].filter(Boolean);
  const now = el('div', { 'aria-live': 'polite', 'aria-busy': 'true' }, el('p', { class: 'empty' }, 'Asking how it stands now…'));
  body.replaceChildren(
    el('p', {}, outcomeChip(decision.outcome)),
    el('p', { class: 'decision' }, decision.decision || 'The webhook left it as it is.'),
    warningList(decision.warnings) ?? '',
    el('dl', { class: 'detail' }, facts.map(([name, value, more]) => el('div', {}, el('dt', {}, name), el('dd', {}, value, more && el('small', {}, more))))),
    el('h3', {}, 'The same pod now'),
    el('p', { class: 'quiet' }, 'Every node as it is at this moment, with what has been placed since, this pod included.'), now);
  $('detail').showModal();
  $('detail-title').focus();
  try {
    const response = await fetch(`/api/decisions/${encodeURIComponent(decision.id)}`);
    const answer = await response.json();
    now.replaceChildren(...answer.problems.map(p => el('p', { class: 'empty' }, `${p.message}: ${p.advice}`)), ...answer.steps.map(step => stepArticle(step.decision === decision.decision ? { ...step, decision: 'The same would be decided now.', warnings: [] } : step, { heading: false })));
  } catch {
    now.replaceChildren(el('p', { class: 'empty' }, 'The server did not answer. Close this and select the pod again.'));
  }
  now.removeAttribute('aria-busy');
}
