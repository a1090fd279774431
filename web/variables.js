// The variables: a table that follows them, and one in detail: its elements, and a form to change it.

import { $, h, ask, ago, bytes, calmly } from './dom.js';
import { TYPES, operation, operations } from './forms.js';

const PAGE = 100;

export const size = (variable) => variable.elements != null ? String(variable.elements) : variable.bytes != null ? bytes(variable.bytes) : '';

const who = (origin) => origin.node ? `node ${origin.node}` : `replica ${origin.replica}`;

/** When it changed; where that is forgotten, since when its value has been seen. */
const since = (variable) => variable.changed?.at_ms ?? variable.seen_since_ms;

/** How a variable came to be as it is, in words. */
export function lastChange({ changed }) {
  if (!changed) return null;
  const how = { here: 'here', received: `told by ${changed.from ?? 'a neighbour'}`, derived: 'by a derivation' }[changed.how];
  return `${ago(changed.at_ms)} ago, ${how}${changed.by ? `; made by ${who(changed.by)}, its event ${changed.by.event}` : ''}`;
}

/** An element; a click tells where it comes from. */
function element(name, text, place) {
  const origins = h('ul', { class: 'origins quiet', hidden: true });
  const toggle = async () => {
    origins.hidden = !origins.hidden;
    button.setAttribute('aria-expanded', String(!origins.hidden));
    if (origins.hidden) return;
    try {
      const part = await ask(`/api/v1/variables/${encodeURIComponent(name)}/origins?offset=${place}&limit=1`);
      const reasons = part.elements.find((it) => it.element === text)?.reasons ?? [];
      const words = reasons.map((reason) => !reason.length ? 'a set that does not tell who added to it' : reason.map((origin) => `${origin.variable ?? 'a variable not known here'}, ${who(origin)}, event ${origin.event}`).join(' and '));
      const nothing = part.known ? 'it is no longer there' : 'its type does not tell where elements come from';
      origins.replaceChildren(...(words.length ? words : [nothing]).map((word) => h('li', {}, word)));
    } catch (error) { origins.replaceChildren(h('li', {}, error.message)); }
  };
  const button = h('button', { class: 'link', title: 'Where it comes from', 'aria-expanded': 'false', onclick: toggle }, text);
  return h('li', {}, button, origins);
}

/** A part of a variable's value, as a list that can be continued. */
export function elements(name, total = h('span')) {
  const list = h('ul', { class: 'values' });
  const more = h('button', { class: 'link', hidden: true }, 'Show more');
  const load = async (offset) => {
    try {
      const part = await ask(`/api/v1/variables/${encodeURIComponent(name)}/value?offset=${offset}&limit=50`);
      const items = part.elements.map((text, place) => element(name, text, offset + place));
      offset ? list.append(...items) : list.replaceChildren(...(items.length ? items : [h('li', { class: 'quiet' }, 'nothing yet')]));
      total.textContent = part.total;
      more.hidden = part.next == null;
      more.onclick = () => load(part.next);
    } catch (error) { list.replaceChildren(h('li', { class: 'quiet' }, error.message)); }
  };
  load(0);
  return { list, more, again: () => load(0) };
}

export function variables(feed) {
  let page = null, query = '', from = 0, trail = [], chosen = null, open = null, openState = null, told = null;
  const digests = new Map();

  feed.addEventListener('variables', ({ detail }) => { page = detail; table(); });
  feed.addEventListener('reborn', () => { digests.clear(); from = 0; trail = []; });
  const look = () => feed.dispatchEvent(new CustomEvent('look'));

  function table() {
    const rows = page.variables.map((variable) => {
      const state = `${variable.digest} ${variable.value} ${variable.elements}`;
      const changed = digests.has(variable.name) && digests.get(variable.name) !== state;
      digests.set(variable.name, state);
      if (variable.name === chosen && told) told.textContent = lastChange(variable) ?? '';
      if (variable.name === chosen && state !== openState) {
        if (openState !== null) open?.again();
        openState = state;
      }
      return h('tr', { 'data-name': variable.name, class: [changed && 'changed', variable.name === chosen && 'chosen'].filter(Boolean).join(' '), onclick: () => choose(variable) },
        h('td', {}, h('button', { class: 'link' }, variable.name), variable.errors ? h('span', { class: 'tag bad', title: variable.recent.join('\n') }, `${variable.errors} failed`) : ''),
        h('td', {}, h('code', {}, variable.type)), h('td', { class: 'num' }, size(variable)),
        h('td', { class: 'value', title: variable.value ?? '' }, variable.value ?? '…'),
        h('td', { class: 'wide' }, h('span', { class: 'tag' }, variable.kind)), h('td', { class: 'wide mono quiet' }, variable.digest?.slice(0, 8) ?? ''),
        h('td', { class: 'wide quiet', 'data-since': since(variable), title: lastChange(variable) ?? '' }, since(variable) ? ago(since(variable)) : ''));
    });
    const active = document.activeElement?.closest?.('#variables tr')?.dataset.name;
    $('variables').tBodies[0].replaceChildren(...rows);
    if (active) [...$('variables').tBodies[0].rows].find((row) => row.dataset.name === active)?.querySelector('button').focus();
    $('variable-count').textContent = `${page.total} at this node${query ? `, ${page.variables.length}${page.next != null ? '+' : ''} found` : ''}`;
    $('variables-state').hidden = rows.length > 0;
    $('variables-state').textContent = query && page.next != null ? `Not found yet: “More” goes on looking.` : query ? `No variable is called ${query}.` : 'No variables yet. A program declares them, or “New variable” does.';
    $('variables-back').parentElement.hidden = !trail.length && page.next == null;
    $('variables-back').disabled = !trail.length;
    $('variables-next').disabled = page.next == null;
  }

  function choose(variable) {
    chosen = variable.name;
    openState = `${variable.digest} ${variable.value} ${variable.elements}`;
    const total = h('span', {}, size(variable));
    open = elements(variable.name, total);
    told = lastChange(variable) && h('span', {}, lastChange(variable));
    const facts = [['Type', h('code', {}, variable.type)], ['Kind', variable.kind], ['Size', total], ['Changed', told]];
    detail(h('h2', {}, variable.name), h('dl', {}, facts.filter(([, it]) => it).map(([name, it]) => [h('dt', {}, name), h('dd', {}, it)])),
      h('h3', {}, 'Value'), open.list, open.more,
      variable.recent.length ? [h('h3', {}, 'Derivations failed'), h('ul', { class: 'values' }, variable.recent.map((line) => h('li', {}, line)))] : '',
      variable.kind === 'view' ? h('p', { class: 'note', style: 'margin-top:14px' }, 'It follows from others: change those.') : [h('h3', {}, 'Change it'), form(variable.name, variable.type)]);
    if (page) table();
  }

  function detail(...content) {
    const close = () => { chosen = open = null; $('variable-detail').hidden = true; if (page) table(); };
    $('variable-detail').replaceChildren(h('button', { class: 'close', 'aria-label': 'Close', onclick: close }, '×'), ...content.flat(3));
    $('variable-detail').hidden = false;
  }

  /** A form for what the type can do. */
  function form(name, type, declare = false) {
    const choice = operations(type);
    const select = h('select', { 'aria-label': 'Operation', name: 'operation' }, choice.map(([, label], at) => h('option', { value: at }, label)));
    const first = h('input', { type: 'text', name: 'value', autocomplete: 'off' });
    const second = h('input', { type: 'text', name: 'second', autocomplete: 'off' });
    const as = h('select', { 'aria-label': 'Read it as' }, [['auto', 'number or text'], ['text', 'text'], ['expression', 'expression']].map(([value, label]) => h('option', { value }, label)));
    const note = h('p', { class: 'note', role: 'status', hidden: true });
    const dress = () => {
      const takes = choice[select.value][2];
      first.type = takes === 'count' ? 'number' : 'text';
      first.hidden = takes == null;
      second.hidden = takes !== 'pair' && takes !== 'entry';
      as.hidden = takes == null || takes === 'count' || takes === 'expression';
      const labels = { count: ['How much', ''], value: ['Value', ''], entry: ['Key', 'Value'], pair: ['From', 'To'], expression: ['An operation such as {apply, "k", {add, 1}}', ''] }[takes] ?? ['', ''];
      [first.placeholder, second.placeholder] = labels;
      first.setAttribute('aria-label', labels[0]);
      second.setAttribute('aria-label', labels[1]);
      if (takes === 'count') { first.value ||= 1; first.min = 0; }
    };
    select.addEventListener('change', () => { first.value = ''; dress(); });
    dress();
    const submit = async (event) => {
      event.preventDefault();
      const [op, , takes] = choice[select.value];
      const body = { operation: operation(op, takes, { first: first.value, second: second.value, as: as.value }) };
      if (declare) body.declare = type;
      try {
        await ask(`/api/v1/variables/${encodeURIComponent(name())}/update`, body);
        note.className = 'note';
        note.textContent = `Done: ${body.operation}`;
        if (declare) choose(await ask(`/api/v1/variables/${encodeURIComponent(name())}`));
        else { open?.again(); if (takes !== 'count') first.value = second.value = ''; first.focus(); }
      } catch (error) { note.className = 'note bad'; note.textContent = error.message; }
      note.hidden = false;
    };
    const fixed = name;
    name = typeof fixed === 'function' ? fixed : () => fixed;
    return h('form', { onsubmit: submit }, h('div', { class: 'row' }, select, first), second, as, h('button', { class: 'primary', type: 'submit' }, 'Apply'), note);
  }

  function invent() {
    chosen = open = null;
    const name = h('input', { type: 'text', 'aria-label': 'Name', placeholder: 'Name', autocomplete: 'off' });
    const type = h('select', { 'aria-label': 'Type' }, TYPES.map((it) => h('option', {}, it)));
    const place = h('div');
    const dress = () => place.replaceChildren(form(() => name.value, type.value, true));
    type.addEventListener('change', dress);
    dress();
    detail(h('h2', {}, 'New variable'), h('p', { class: 'quiet', style: 'margin-bottom:12px' }, 'It is declared with its first operation, and replicated to all who want to hear it.'), h('form', { onsubmit: (event) => event.preventDefault() }, h('div', { class: 'row' }, name, type)), h('h3', {}, 'First operation'), place);
    name.focus();
  }

  setInterval(() => {
    for (const cell of $('variables').querySelectorAll('td[data-since]')) cell.textContent = ago(Number(cell.dataset.since));
  }, 1000);
  $('variable-search').addEventListener('input', calmly((event) => { query = event.target.value.trim(); from = 0; trail = []; look(); }));
  $('variables-next').addEventListener('click', () => { trail.push(from); from = page.next; look(); });
  $('variables-back').addEventListener('click', () => { from = trail.pop(); look(); });
  $('variable-new').addEventListener('click', invent);
  $('variables-state').hidden = false;
  $('variables-state').textContent = 'Loading…';
  return { topics: ['variables'], params: () => ({ from, limit: PAGE, ...(query && { q: query }) }) };
}
