// Nodes by locations. The scale is logarithmic, in steps that people know (1, 2, 5, 10 …), and one hue from light to dark, so that it reads the
// same for every kind of sight; each cell has its number as well.
import { SortableTable, debounced, el, matches, ms, plural, unseen } from './dom.js';
import { nodeState } from './capacity.js';

const steps = 7;
const heats = Array.from({ length: steps }, (_, step) => `h${step}`);
const $ = id => document.getElementById(id);
let table, cluster, drawn = '';

export function startLatency() {
  table = new SortableTable($('heat'), { sort: { key: 'name', descending: false }, more: $('latency-more') });
  $('latency-filter').addEventListener('input', debounced(() => drawRows(), 80));
}

export function showLatency(next) {
  cluster = next;
  drawFacts();
  // Usage changes all the time and none of it shows here.
  const now = JSON.stringify([cluster.isKnown, cluster.locations, cluster.nodes.map(n => [n.name, n.latencies, n.isReady, n.isCordoned, n.taints])]);
  if (now === drawn) return;
  drawn = now;
  const { locations, nodes } = cluster;
  const bounds = scale(nodes.flatMap(n => n.latencies.filter(l => typeof l === 'number')));
  drawLegend(bounds);
  const nearest = locations.map((_, i) => Math.min(...nodes.map(n => typeof n.latencies[i] === 'number' ? n.latencies[i] : Infinity)));
  table.columns = [
    { key: 'name', label: 'Node', value: n => n.name, cell: n => el('th', { scope: 'row' }, n.name, nodeState(n, true)) },
    ...locations.map((location, i) => ({
      key: `at ${location}`, label: location, kind: 'number',
      value: n => typeof n.latencies[i] === 'number' ? n.latencies[i] : null,
      cell: n => latencyCell(n.latencies[i], nearest[i], bounds),
    })),
  ];
  drawRows();
}

function drawRows() {
  if (!cluster) return;
  const filter = $('latency-filter').value.trim();
  const rows = cluster.nodes.filter(n => matches(n.name, filter));
  table.rows = rows;
  const empty = $('latency-empty');
  const why = !cluster.isKnown ? 'Waiting for the first list of nodes…'
    : cluster.nodes.length === 0 ? 'The cluster has no nodes.'
    : rows.length === 0 ? `No node’s name has “${filter}” in it.`
    : cluster.locations.length === 0 ? 'No node has a latency yet. Label one: kubectl label node <node> latency.admissionlas.io/<LOCATION>=9.8'
    : '';
  empty.textContent = why;
  empty.hidden = why === '';
  $('latency-scroll').hidden = rows.length === 0 || cluster.locations.length === 0;
  $('legend').hidden = cluster.locations.length === 0;
}

function latencyCell(latency, nearest, bounds) {
  if (latency === null) return el('td', { class: 'missing' }, el('span', { 'aria-hidden': 'true' }, '–'), unseen('not measured'));
  if (typeof latency === 'string') {
    return el('td', { class: 'unreadable', title: `The label says “${latency}”, which is no latency` }, el('span', { 'aria-hidden': 'true' }, '?'), unseen(`the label says ${latency}, which is no latency`));
  }
  let step = 0;
  while (step < bounds.length && latency > bounds[step]) step++;
  // There are thousands of these, and by el they take three times as long.
  const cell = document.createElement('td');
  cell.className = heats[step];
  cell.textContent = ms(latency);
  cell.title = `${latency} ms`;
  if (latency === nearest) {
    cell.className += ' nearest';
    cell.append(unseen(', nearest'));
  }
  return cell;
}

/** The upper bounds of all steps but the last: of the round numbers, those that tell most of the latencies apart. */
export function scale(latencies) {
  const sorted = latencies.filter(l => l > 0).sort((a, b) => a - b);
  if (sorted.length === 0) return [];
  const [low, high] = [sorted[0], sorted.at(-1)];
  const candidates = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
    for (const digit of [1, 2, 5]) candidates.push(Number(`${digit}e${power}`));
  }
  // How many latencies are at or below each candidate; the ends of a bucket are such counts, too.
  const upTo = new Map();
  let count = 0;
  for (const candidate of candidates.filter(c => c > low && c < high)) {
    while (sorted[count] <= candidate) count++;
    upTo.set(candidate, count);
  }
  const bounds = [];
  while (bounds.length < steps - 1 && upTo.size > 0) {
    const cuts = [0, ...bounds.map(b => b[1]), sorted.length].sort((a, b) => a - b);
    const gain = count => Math.min(count - cuts.findLast(c => c <= count), cuts.find(c => c >= count) - count);
    const best = [...upTo].reduce((a, b) => gain(b[1]) > gain(a[1]) ? b : a);
    bounds.push(best);
    upTo.delete(best[0]);
  }
  return bounds.map(b => b[0]).sort((a, b) => a - b);
}

function drawLegend(bounds) {
  const texts = [...bounds.map(b => `≤ ${ms(b)}`), bounds.length ? `> ${ms(bounds.at(-1))}` : 'ms'];
  $('legend').setAttribute('aria-label', `Scale of the heat map in milliseconds: ${texts.join(', ')}. Ringed: the nearest node of a location. Hatched: not measured.`);
  $('legend').replaceChildren(
    ...texts.map((text, i) => el('span', { class: `key h${i}` }, text)), el('span', { class: 'unit' }, 'ms'),
    el('span', { class: 'key nearest' }, 'nearest'), el('span', { class: 'key missing' }, '– not measured'),
    cluster.nodes.some(n => n.latencies.some(l => typeof l === 'string')) && el('span', { class: 'key unreadable' }, '? unreadable') || '');
}

function drawFacts() {
  const { nodes, locations } = cluster;
  const ready = nodes.filter(n => n.isReady && !n.isCordoned).length;
  const cells = nodes.length * locations.length;
  const measured = nodes.reduce((sum, n) => sum + n.latencies.filter(l => typeof l === 'number').length, 0);
  const facts = [
    ['Nodes', ready === nodes.length ? String(nodes.length) : `${ready} of ${nodes.length}`, ready === nodes.length ? 'all take pods' : 'take pods'],
    ['Locations', String(locations.length), ''],
    ['Measured', cells ? `${measured === cells ? 100 : Math.min(99, Math.floor(100 * measured / cells))} %` : '–', cells - measured ? `${plural(cells - measured, 'value')} missing` : ''],
  ];
  $('facts').replaceChildren(...facts.map(([name, value, more]) => el('div', {}, el('dt', {}, name), el('dd', {}, el('b', {}, value), more && el('small', {}, more)))));
}
