// Starts the views, keeps the picture of the cluster fresh and says how the connection is.
import { showCapacity, startCapacity } from './capacity.js';
import { el, shown } from './dom.js';
import { showLatency, startLatency } from './latency.js';

const $ = id => document.getElementById(id);
const views = { latency: showLatency, capacity: showCapacity, decisions: null, try: null };
// What the first picture does not need comes after it, or when somebody goes there.
const later = {
  decisions: once(async () => (await import('./decisions.js')).startDecisions(connection)),
  try: once(async () => {
    const { showTrial, startTrial } = await import('./trial.js');
    startTrial();
    views.try = showTrial;
  }),
};
const betweenLooks = 5000;
let view = 'latency', cluster, tag, unseen = 0, lostAt;

async function go(moveFocus) {
  const wanted = location.hash.slice(1) || 'latency';
  // The skip link leads to the content of the view that is shown.
  if (!(wanted in views)) return;
  view = wanted;
  try {
    await later[wanted]?.();
  } catch (fault) {
    noAnswer(fault);
    return;
  }
  if (view !== wanted) return;
  for (const name of Object.keys(views)) $(`view-${name}`).hidden = name !== view;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === `#${view}`) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
  }
  const title = $(`${view}-title`);
  document.title = `${title.textContent} – AdmissionLas`;
  if (view === 'decisions') { unseen = 0; showUnseen(); }
  draw();
  if (moveFocus) { scrollTo(0, 0); title.focus({ preventScroll: true }); }
}

function draw() {
  if (cluster) views[view]?.(cluster);
}

function show(next) {
  cluster = next;
  $('replica').textContent = `${cluster.version} on ${cluster.replica}`;
  draw();
}

const ask = () => fetch('/api/cluster', { cache: 'no-store', headers: tag ? { 'If-None-Match': tag } : {} });

async function look(asked = ask()) {
  try {
    const response = await asked;
    if (response.status === 200) {
      tag = response.headers.get('ETag');
      show(await response.json());
    } else if (response.status !== 304) {
      throw new Error(await response.text());
    }
    $('banner').hidden = true;
  } catch (fault) {
    noAnswer(fault);
  }
}

function noAnswer(fault) {
  $('banner').textContent = fault instanceof TypeError ? 'The server does not answer. What is shown may be out of date; trying again every few seconds. Does kubectl port-forward still run?' : fault.message;
  $('banner').hidden = false;
}

function once(action) {
  let begun;
  return () => begun ??= action().catch(fault => { begun = undefined; throw fault; });
}

function connection(state, viewAgeSeconds) {
  const text = $('connection');
  if (state === 'lost') {
    lostAt ??= new Date();
    say('lost', `Reconnecting… since ${lostAt.toLocaleTimeString([], { hour12: false })}`);
  } else {
    lostAt = undefined;
    const isOld = viewAgeSeconds > 180;
    say(isOld ? 'old' : 'live', isOld ? `Live, but the API server was last heard ${Math.round(viewAgeSeconds / 60)} min ago` : 'Live');
  }

  function say(kind, words) {
    text.dataset.state = kind;
    if (text.textContent !== words) text.textContent = words;
  }
}

function showUnseen() {
  $('unseen').hidden = unseen === 0;
  $('unseen').replaceChildren(unseen > 99 ? '99+' : String(unseen), el('span', { class: 'unseen' }, ' new'));
}

function begin() {
  for (const template of document.querySelectorAll('template')) template.replaceWith(template.content);
  startLatency();
  startCapacity();
  addEventListener('hashchange', () => go(true));
  addEventListener('decision', () => { if (view !== 'decisions') { unseen++; showUnseen(); } });
  go(false);
  setInterval(() => { if (!document.hidden) look(); }, betweenLooks);
  addEventListener('visibilitychange', () => { if (!document.hidden) look(); });
  look(first).then(shown).then(() => {
    // For scripts/page-cost.sh, which measures how long the page takes.
    performance.mark('cluster-shown');
    for (const start of Object.values(later)) start().catch(noAnswer);
  });
}

// Asked for at once. To draw it takes longer than all the rest, which is seen meanwhile; unless somebody wants to see another view.
const first = ask();
if (location.hash) begin(); else setTimeout(begin);
