// What each node can give, and what is spoken for. The bar is a picture of the text beside it.
import { SortableTable, bytes, cores, debounced, el, matches } from './dom.js';

const $ = id => document.getElementById(id);
let table, cluster, drawn = '';

const amounts = {
  cpuMilli: { label: 'CPU', text: (used, of) => `${cores(used)} of ${cores(of)}` },
  memoryBytes: { label: 'Memory', text: (used, of) => `${bytes(used)} of ${bytes(of)}` },
  pods: { label: 'Pods', text: (used, of) => `${used} of ${of}` },
};

export function startCapacity() {
  table = new SortableTable($('capacity'), { sort: { key: 'name', descending: false }, more: $('capacity-more') });
  $('capacity-filter').addEventListener('input', debounced(() => drawRows(), 80));
}

/** What keeps a node from taking pods, in a word or two. */
export function nodeState(node, onlyIfBad = false) {
  const [text, kind] = !node.isReady ? ['not ready', 'bad'] : node.isCordoned ? ['cordoned', 'warn'] : node.taints.length ? ['tainted', 'warn'] : ['ready', 'good'];
  if (onlyIfBad && kind === 'good') return null;
  return el('span', { class: `chip ${kind}`, title: node.taints.join('\n') || null }, text);
}

export function showCapacity(next) {
  cluster = next;
  $('usage-unknown').hidden = cluster.usageIsKnown || !cluster.isKnown;
  const now = JSON.stringify(cluster.nodes.map(n => ({ ...n, latencies: null })));
  if (now === drawn && $('capacity-empty').hidden) return;
  drawn = now;
  const devices = [...new Set(cluster.nodes.flatMap(n => Object.keys(n.devices)))].sort();
  table.columns = [
    { key: 'name', label: 'Node', value: n => n.name, cell: n => el('th', { scope: 'row' }, n.name) },
    { key: 'state', label: 'State', value: n => nodeState(n).textContent, cell: n => el('td', {}, nodeState(n), n.taints.length > 0 && el('small', { class: 'taints' }, n.taints.join(', '))) },
    ...Object.entries(amounts).map(([key, amount]) => shareColumn(key, amount.label, n => n[key], amount.text)),
    ...devices.map(name => shareColumn(name, name, n => n.devices[name] ?? null, (used, of) => `${used} of ${of}`)),
  ];
  drawRows();
}

function shareColumn(key, label, read, text) {
  return {
    key, label, kind: 'share', descendingFirst: true,
    value: n => { const share = read(n); return share && share[1] > 0 ? share[0] / share[1] : null; },
    cell: n => {
      const share = read(n);
      if (!share) return el('td', { class: 'quiet' }, '–');
      const part = share[1] > 0 ? share[0] / share[1] : 0;
      const bar = el('span', { class: `bar${part >= 0.9 ? ' full' : ''}`, 'aria-hidden': 'true' }, el('i'));
      bar.firstChild.style.width = `${Math.min(100, 100 * part)}%`;
      return el('td', { class: 'share' }, el('span', { class: 'amount' }, text(...share), el('span', { class: 'percent' }, `${Math.round(100 * part)} %`)), bar);
    },
  };
}

function drawRows() {
  if (!cluster) return;
  const filter = $('capacity-filter').value.trim();
  const rows = cluster.nodes.filter(n => matches(`${n.name} ${nodeState(n).textContent} ${n.taints.join(' ')}`, filter));
  table.rows = rows;
  const why = !cluster.isKnown ? 'Waiting for the first list of nodes…' : cluster.nodes.length === 0 ? 'The cluster has no nodes.' : rows.length === 0 ? `No node has “${filter}” in its name, state or taints.` : '';
  $('capacity-empty').textContent = why;
  $('capacity-empty').hidden = why === '';
  $('capacity').parentElement.hidden = rows.length === 0;
}
