// The overlay: who is there and who is linked with whom.

import { $, h, ago, calmly } from './dom.js';
import { Graph } from './graph.js';

export function overlay(feed) {
  const known = new Map();
  const graph = new Graph($('graph'), choose);
  window.overlay = graph; // for those who look from outside: tests, the console
  let me = null, seen = null, edges = new Map(), parts = 0, updates = null, due = 0, took = 0;

  feed.addEventListener('overlay', ({ detail: change }) => {
    if (change.reset) known.clear();
    me = change.me;
    for (const node of change.nodes) known.set(node.id, node);
    for (const id of change.removed) known.delete(id);
    seen = change;
    if (change.nodes.length || change.removed.length || change.reset) soon();
    else if (!due) figures();
  });
  feed.addEventListener('theme', () => graph.recolor());
  feed.addEventListener('state', figures);
  feed.addEventListener('status', ({ detail: status }) => {
    const now = status.counters.updates + status.counters.merges;
    if (updates !== null) graph.flow = Math.min(3.5, Math.log2(1 + Math.max(0, now - updates)));
    updates = now;
  });

  /** Puts what is known together anew, with a rest of four times what that takes: of thousands of nodes, something changes always. */
  function soon() {
    due ||= setTimeout(() => {
      const began = performance.now();
      due = 0;
      redraw();
      figures();
      took = performance.now() - began;
    }, Math.min(1000, 4 * took));
  }

  function redraw() {
    const ids = [...known.keys()];
    const place = new Map(ids.map((id, at) => [id, at]));
    edges = new Map();
    const passive = [];
    for (const node of known.values()) {
      const from = place.get(node.id);
      for (const [list, eager] of [[node.eager, true], [node.lazy, false]]) {
        for (const other of list) {
          const to = place.get(other);
          if (to == null) continue;
          const key = Math.min(from, to) * ids.length + Math.max(from, to);
          const edge = edges.get(key) ?? { from: Math.min(from, to), to: Math.max(from, to), said: 0, eager: 0 };
          edge.said++;
          edge.eager += eager;
          edges.set(key, edge);
        }
      }
      for (const other of node.others) if (place.has(other)) passive.push([from, place.get(other)]);
    }
    const answers = (at) => ['up', 'isolated'].includes(known.get(ids[at]).state);
    for (const edge of edges.values()) {
      edge.odd = edge.said < 2 && answers(edge.from) && answers(edge.to) && whole(known.get(ids[edge.from])) && whole(known.get(ids[edge.to]));
      edge.tree = edge.eager > 0 && !edge.odd;
    }
    const component = components(ids.length, [...edges.values()].filter((edge) => answers(edge.from) && answers(edge.to)), place.get(me));
    parts = new Set(component.filter((_, at) => answers(at))).size;
    const nodes = ids.map((id, at) => {
      const { name, state, role } = known.get(id);
      return { id, name, state, role, me: id === me, component: component[at] };
    });
    const links = [...edges.values()].map((edge) => [edge.from, edge.to, edge.tree, edge.odd]);
    const near = ids.map((id) => known.get(id).eager[0] ?? known.get(id).lazy[0]);
    graph.set(nodes, links, passive, near);
    if (graph.chosen !== null) detail();
  }

  /** Whether a node named all its neighbours. */
  const whole = (node) => node.eager.length + node.lazy.length >= node.degree;

  /** Numbers connected parts by size: 0 is that of this node. */
  function components(count, links, mine) {
    const root = Array.from({ length: count }, (_, at) => at);
    const find = (at) => { while (root[at] !== at) at = root[at] = root[root[at]]; return at; };
    for (const { from, to } of links) root[find(from)] = find(to);
    const order = new Map();
    if (mine != null) order.set(find(mine), 0);
    return root.map((_, at) => {
      const part = find(at);
      if (!order.has(part)) order.set(part, order.size);
      return order.get(part);
    });
  }

  function figures() {
    const nodes = [...known.values()];
    const up = nodes.filter((node) => node.state === 'up' || node.state === 'isolated');
    const mark = known.get(me)?.fingerprint;
    const differ = up.filter((node) => node.fingerprint !== mark).length;
    const odd = [...edges.values()].filter((edge) => edge.odd).length;
    const trouble = nodes.filter((node) => node.state === 'silent' || node.state === 'suspect' || node.state === 'gone').length;
    const isolated = up.filter((node) => node.state === 'isolated').length;
    const rows = [['nodes', up.length], ['links', edges.size], ['parts', parts, parts > 1], ['differ from here', differ, false]];
    if (trouble) rows.push(['missing', trouble, true]);
    if (isolated) rows.push(['isolated', isolated, true]);
    if (odd) rows.push(['one-sided', odd, true]);
    $('overlay-figures').replaceChildren(...rows.map(([name, value, warn]) => h('div', { class: warn ? 'warn' : '' }, h('dt', {}, name), h('dd', {}, value))));
    $('graph').setAttribute('aria-label', `The overlay: ${rows.map(([name, value]) => `${value} ${name}`).join(', ')}. Enter walks through the nodes, plus and minus zoom, arrows move, 0 shows everything.`);
    $('overlay-state').hidden = seen !== null && nodes.length > 1;
    $('overlay-state').textContent = seen === null
      ? (feed.state === 'lost' ? 'The node does not answer.' : 'Asking all nodes who their neighbours are…')
      : 'This node is alone. It is joined with  lasp node --join ADDRESS  where ADDRESS is where it listens.';
    if (seen) $('overlay-figures').title = `Asked at ${new Date(seen.at_ms).toLocaleTimeString()}, answered within ${seen.took_ms} ms`;
  }

  function choose(id, center) {
    graph.choose(id, center);
    $('node-hits').hidden = true;
    detail();
  }

  function detail() {
    const box = $('node-detail');
    const node = known.get(graph.chosen);
    box.hidden = !node;
    if (!node) return;
    const mark = known.get(me)?.fingerprint;
    const chip = (id) => h('button', { class: 'chip', onclick: () => choose(id, true) }, known.get(id)?.name || id.slice(0, 8));
    const rows = [['State', node.state + (node.since_ms ? ` for ${ago(node.since_ms)}` : '')], ['Role', node.role || null], ['Id', h('code', {}, node.id)],
      ['Address', h('code', {}, node.addr)], ['Neighbours', node.degree], ['Knows besides', node.known],
      ['Variables', !node.fingerprint ? null : node.id === me ? h('code', {}, node.fingerprint.slice(0, 8)) : node.fingerprint === mark ? 'as here' : 'differ from here']];
    box.replaceChildren(
      h('button', { class: 'close', 'aria-label': 'Close', onclick: () => choose(null) }, '×'),
      h('h2', {}, node.name || node.id), node.id === me ? h('p', { class: 'quiet' }, 'the node that serves this page') : '',
      h('dl', {}, rows.filter(([, value]) => value != null && value !== '').map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
      feed.world && node.id !== me && node.state === 'up' ? h('p', { style: 'margin-top:14px' }, h('button', { onclick: () => feed.act({ action: 'kill', node: node.id }) }, 'Crash this node')) : '',
      node.eager.length ? h('h3', {}, 'Sends broadcasts to') : '', h('div', { class: 'chips' }, node.eager.map(chip)),
      node.lazy.length ? h('h3', {}, 'Announces broadcasts to') : '', h('div', { class: 'chips' }, node.lazy.map(chip)));
  }

  function search(text) {
    const hits = $('node-hits');
    text = text.trim().toLowerCase();
    const found = !text ? [] : [...known.values()].filter((node) => [node.name, node.id, node.addr, node.role].some((it) => it.toLowerCase().includes(text))).slice(0, 40);
    hits.hidden = !text;
    hits.replaceChildren(...(found.length ? found.map((node) => h('button', { role: 'option', onclick: () => choose(node.id, true) }, h('span', {}, node.name || node.id), h('span', {}, node.addr)))
      : [h('p', { class: 'empty', style: 'position:static;padding:12px' }, 'No such node is known here.')]));
  }

  $('node-search').addEventListener('input', calmly((event) => search(event.target.value), 120));
  $('node-search').addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { event.target.value = ''; search(''); }
    if (event.key === 'Enter') { search(event.target.value); $('node-hits').querySelector('button')?.click(); }
  });
  $('show-tree').addEventListener('change', (event) => { graph.options.tree = event.target.checked; graph.touch(); });
  $('show-names').addEventListener('change', (event) => { graph.options.names = event.target.checked; graph.touch(); });
  $('show-passive').addEventListener('change', (event) => {
    graph.options.passive = event.target.checked;
    graph.touch();
    feed.dispatchEvent(new CustomEvent('look'));
  });
  $('zoom-in').addEventListener('click', () => graph.zoom(1.25));
  $('zoom-out').addEventListener('click', () => graph.zoom(0.8));
  $('zoom-fit').addEventListener('click', () => graph.refit());
  figures();
  return { topics: ['overlay'], params: () => graph.options.passive ? { wide: true } : {} };
}
