// What every view needs: elements without markup in strings (the Content-Security-Policy forbids that), formats, tables that sort.

/** Makes an element. Strings become text; null and false are left out. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === 'on') for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (key === 'class') element.className = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat().filter(c => c !== null && c !== undefined && c !== false));
  return element;
}

export const unseen = text => el('span', { class: 'unseen' }, text);

/** Milliseconds with three figures that mean something. */
export function ms(value) {
  return value < 1 ? trim(value.toFixed(3)) : value < 10 ? trim(value.toFixed(2)) : value < 100 ? trim(value.toFixed(1)) : whole(value);
}

// A browser takes longer to get its own formats and collations ready than for all the rest of the page.
const whole = value => value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',');

/** What text sorts by: numbers in it by their value, letter case free. */
const sortKey = value => typeof value === 'string' ? value.toLowerCase().replace(/\d+/g, digits => digits.padStart(20, '0')) : value;

const trim = text => text.includes('.') ? text.replace(/\.?0+$/, '') : text;

export const cores = milli => trim((milli / 1000).toFixed(milli < 10000 ? 2 : 1));

/** Bytes in the largest binary unit that keeps the number above one. */
export function bytes(count) {
  const units = ['B', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) { count /= 1024; unit++; }
  return `${trim(count.toFixed(count < 10 ? 2 : count < 100 ? 1 : 0))} ${units[unit]}`;
}

/** A Kubernetes quantity of CPU or memory as a person would write it: 55320m is 55.3, 109951162780 is 102 Gi. */
export function quantity(text, isMemory) {
  const [, number, suffix] = /^([\d.]+)(\w*)$/.exec(text) ?? [null, '0', ''];
  const scale = { m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 }[suffix] ?? 1;
  return isMemory ? bytes(Number(number) * scale) : cores(Number(number) * scale * 1000);
}

export const plural = (count, noun) => `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;

/** Runs something when events have paused for a moment. */
export function debounced(action, milliseconds) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(action, milliseconds); };
}

/** The first letters of what was typed, letter case free. */
export const matches = (text, filter) => filter.toLowerCase().split(/\s+/).every(word => text.toLowerCase().includes(word));

/** When the browser has shown what there is now. The first of two frames begins before that, the second after it. */
export const shown = () => new Promise(done => document.hidden ? done() : requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));

// As many rows as the window has room for, and some more: none is less high.
const screenful = () => Math.ceil(innerHeight / 28);

/**
 * A table whose headings sort. A column has a key, a label, value(row) to sort by (null always comes last) and cell(row).
 * The headings stay while rows come and go, so the focus does too. A table that was empty shows a screenful at once and the others when that is seen.
 */
export class SortableTable {
  #table; #columns = []; #rows = []; #sort; #limit; #more; #drawings = 0;

  constructor(table, { sort, more, step = 500 }) {
    this.#table = table;
    this.#sort = sort;
    this.#limit = step;
    this.#more = more;
    table.append(el('thead'), el('tbody'));
    more?.addEventListener('click', () => { this.#limit = Infinity; this.#draw(); });
  }

  set columns(columns) {
    if (columns.map(c => c.key).join('\n') === this.#columns.map(c => c.key).join('\n')) { this.#columns = columns; return; }
    this.#columns = columns;
    if (!columns.some(c => c.key === this.#sort.key)) this.#sort = { key: columns[0].key, descending: false };
    this.#table.tHead.replaceChildren(el('tr', {}, columns.map(column => el('th', { scope: 'col', class: column.kind, 'data-key': column.key },
      el('button', { type: 'button', on: { click: () => this.#sortBy(column) } }, column.label, el('span', { class: 'arrow', 'aria-hidden': 'true' }))))));
    this.#mark();
  }

  set rows(rows) { this.#rows = rows; this.#draw(); }

  #sortBy(column) {
    const again = this.#sort.key === column.key;
    this.#sort = { key: column.key, descending: again ? !this.#sort.descending : column.descendingFirst === true };
    this.#mark();
    this.#draw();
  }

  #mark() {
    for (const heading of this.#table.tHead.rows[0].cells) {
      if (heading.dataset.key === this.#sort.key) heading.setAttribute('aria-sort', this.#sort.descending ? 'descending' : 'ascending');
      else heading.removeAttribute('aria-sort');
    }
  }

  #draw() {
    const column = this.#columns.find(c => c.key === this.#sort.key);
    if (!column) return;
    const sign = this.#sort.descending ? -1 : 1;
    const keyed = this.#rows.map(row => [sortKey(column.value(row)), row]);
    keyed.sort(([a], [b]) => a === null ? (b === null ? 0 : 1) : b === null ? -1 : a === b ? 0 : a < b ? -sign : sign);
    const wanted = keyed.slice(0, this.#limit);
    const body = this.#table.tBodies[0], now = body.rows.length === 0 ? screenful() : wanted.length;
    const rowOf = ([, row]) => el('tr', {}, this.#columns.map(c => c.cell(row)));
    body.replaceChildren(...wanted.slice(0, now).map(rowOf));
    const drawing = ++this.#drawings;
    if (now < wanted.length) shown().then(() => { if (drawing === this.#drawings) body.append(...wanted.slice(now).map(rowOf)); });
    if (this.#more) {
      this.#more.hidden = wanted.length === keyed.length;
      this.#more.textContent = `Show all ${plural(keyed.length, 'node')}`;
    }
  }
}
