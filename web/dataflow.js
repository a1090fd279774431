// The dataflow: variables, and the operators between them, from left to right.

import { $, h, svg } from './dom.js';
import { elements, size } from './variables.js';

const [WIDTH, HEIGHT, GAP_X, GAP_Y, OPERATOR] = [186, 62, 36, 22, 112];

const cut = (text, length) => text.length > length ? `${text.slice(0, length - 1)}…` : text;

export function dataflow(feed) {
  let flow = null, chosen = null, open = null;
  const values = new Map();
  feed.addEventListener('dataflow', ({ detail }) => { flow = detail; draw(); });
  state('Loading…');

  function state(text) { $('flow').replaceChildren(h('div', { class: 'empty' }, text)); }

  /** How many derivations lie before a variable, at most. */
  function depths() {
    const depth = new Map(flow.variables.map((variable) => [variable.name, 0]));
    for (let round = 0, moved = true; moved && round < flow.derivations.length + 1; round++) {
      moved = false;
      for (const { inputs, output } of flow.derivations) {
        const least = 1 + Math.max(...inputs.map((input) => depth.get(input) ?? 0));
        if ((depth.get(output) ?? 0) < least) { depth.set(output, least); moved = true; }
      }
    }
    return depth;
  }

  /**
   * Places: columns by depth; in a column, near what they follow from. An edge that passes a column has a place of its own
   * there, so that it does not run behind others (after Sugiyama, Tagawa and Toda, 1981).
   */
  function places() {
    const depth = depths();
    const columns = [];
    for (const variable of flow.variables) (columns[depth.get(variable.name)] ??= []).push({ key: variable.name, from: [], height: HEIGHT });
    const find = (name) => columns[depth.get(name)].find((item) => item.key === name);
    for (const [at, { inputs, output }] of flow.derivations.entries()) {
      for (const input of inputs) {
        if (!depth.has(input) || !depth.has(output)) continue;
        let last = input;
        for (let x = depth.get(input) + 1; x < depth.get(output); x++) {
          const key = `${at} ${input} ${x}`;
          columns[x].push({ key, from: [last], height: 8, passes: true });
          last = key;
        }
        find(output).from.push(last);
      }
    }
    const place = new Map();
    let height = 0;
    columns.forEach((column, x) => {
      const middle = ({ from }) => from.length ? from.reduce((sum, key) => sum + (place.get(key)?.middle ?? 0), 0) / from.length : 0;
      if (x) column.sort((a, b) => middle(a) - middle(b));
      let y = 24;
      for (const item of column) {
        place.set(item.key, { x: 24 + x * (WIDTH + OPERATOR + 2 * GAP_X), y, middle: y + item.height / 2 });
        y += item.height + GAP_Y;
      }
      height = Math.max(height, y);
    });
    return { place, depth, width: columns.length * (WIDTH + OPERATOR + 2 * GAP_X) - OPERATOR - 2 * GAP_X + 48, height: height + 24 };
  }

  /** The way of an input to its operator, through the columns it passes. */
  function way(at, input, to, place, depth) {
    let [x, y] = [place.get(input).x + WIDTH, place.get(input).middle];
    let path = `M${x},${y}`;
    for (let column = depth.get(input) + 1; column < depth.get(flow.derivations[at].output); column++) {
      const next = place.get(`${at} ${input} ${column}`);
      path += ` C${x + 80},${y} ${next.x - 80},${next.middle} ${next.x},${next.middle} L${next.x + WIDTH},${next.middle}`;
      [x, y] = [next.x + WIDTH, next.middle];
    }
    return `${path} C${x + 22},${y} ${to[0] - 22},${to[1]} ${to[0]},${to[1]}`;
  }

  function draw() {
    if (!flow.derivations.length) return state('Nothing is derived at this node yet. A program’s  map, filter, join …  shows here.');
    const { place, depth, width, height } = places();
    const picture = svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': `Dataflow: ${flow.variables.length} variables, ${flow.total} derivations` });
    const operators = [];
    for (const [at, derivation] of flow.derivations.entries()) {
      const to = place.get(derivation.output);
      if (!to) continue;
      const [x, y] = [to.x - GAP_X - OPERATOR, to.middle];
      for (const input of derivation.inputs) {
        if (place.has(input)) picture.append(svg('path', { class: 'flow-edge', d: way(at, input, [x, y], place, depth) }));
      }
      picture.append(svg('path', { class: 'flow-edge', d: `M${x + OPERATOR},${y} L${to.x},${y}` }));
      const title = svg('title'); title.textContent = derivation.operator;
      const label = svg('text', { x: x + OPERATOR / 2, y: y + 4, 'text-anchor': 'middle' });
      label.textContent = cut(derivation.operator.replace(/\(fun.*|\s.*/s, ''), 14) + (derivation.members != null ? ` · ${derivation.members}` : '');
      operators.push(svg('g', { class: 'flow-op' }, title, svg('rect', { x, y: y - 13, width: OPERATOR, height: 26, rx: 13 }), label));
    }
    picture.append(...operators);
    for (const variable of flow.variables) picture.append(box(variable, place.get(variable.name)));
    $('flow').replaceChildren(picture, flow.total > flow.derivations.length ? h('p', { class: 'quiet', style: 'padding:12px 24px' }, `The first ${flow.derivations.length} of ${flow.total} derivations.`) : '');
  }

  function box(variable, { x, y }) {
    const now = `${variable.digest} ${variable.value} ${variable.elements}`;
    const changed = values.has(variable.name) && values.get(variable.name) !== now;
    values.set(variable.name, now);
    if (changed && variable.name === chosen) open?.again();
    const line = (kind, dy, text, length) => { const it = svg('text', { class: kind, x: x + 12, y: y + dy }); it.textContent = cut(text, length); return it; };
    const act = () => choose(variable);
    return svg('g', { class: `flow-var${changed ? ' changed' : ''}${variable.name === chosen ? ' chosen' : ''}`, tabindex: 0, role: 'button', 'aria-label': `${variable.name}, ${variable.type}, ${size(variable)}`, onclick: act, onkeydown: (event) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); act(); } } },
      svg('rect', { x, y, width: WIDTH, height: HEIGHT, rx: 10 }), line('name', 20, variable.name, 24),
      line('type', 36, `${variable.type}${size(variable) ? ` · ${size(variable)}` : ''}`, 30), line('val', 53, variable.value ?? '…', 24));
  }

  function choose(variable) {
    chosen = variable.name;
    open = elements(variable.name);
    const from = flow.derivations.filter((it) => it.output === variable.name);
    const to = flow.derivations.filter((it) => it.inputs.includes(variable.name));
    const say = (it, name) => h('li', {}, h('button', { class: 'link', onclick: () => choose(flow.variables.find((other) => other.name === name)) }, name), ` by ${it.operator}`);
    const close = () => { chosen = open = null; $('flow-detail').hidden = true; draw(); };
    $('flow-detail').replaceChildren(h('button', { class: 'close', 'aria-label': 'Close', onclick: close }, '×'), h('h2', {}, variable.name), h('p', { class: 'quiet' }, `${variable.type} · ${variable.kind}`),
      h('h3', {}, 'Value'), open.list, open.more,
      from.length ? h('h3', {}, 'Follows from') : '', h('ul', { class: 'values', hidden: !from.length }, from.flatMap((it) => it.inputs.map((name) => say(it, name)))),
      to.length ? h('h3', {}, 'What follows from it') : '', h('ul', { class: 'values', hidden: !to.length }, to.map((it) => say(it, it.output))),
      variable.recent.length ? h('h3', {}, `Failed on ${variable.errors}`) : '', h('ul', { class: 'values', hidden: !variable.recent.length }, variable.recent.map((text) => h('li', {}, text))));
    $('flow-detail').hidden = false;
    draw();
  }

  return { topics: ['dataflow'] };
}
