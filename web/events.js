// What happened around the node, newest first.

import { $, h, calmly, clock } from './dom.js';

const KINDS = { joined: 'joined', up: 'link up', down: 'link down', suspected: 'suspected', cleared: 'cleared', left: 'left', gone: 'gone', known: 'known', forgotten: 'forgotten', error: 'error' };
const QUIET = ['known', 'forgotten'];
const KEPT = 2000;

export function events(feed) {
  let all = [], text = '';
  const names = new Map();
  const chosen = new Set(Object.keys(KINDS).filter((kind) => !QUIET.includes(kind)));

  feed.addEventListener('events', ({ detail }) => { all = [...all, ...detail].slice(-KEPT); draw(); });
  feed.addEventListener('reborn', () => { all = []; draw(); });
  feed.addEventListener('overlay', ({ detail }) => { for (const node of detail.nodes) if (node.name) names.set(node.id, node.name); });

  const draw = calmly(() => {
    const wanted = all.filter((event) => chosen.has(event.kind) && (!text || `${event.node} ${names.get(event.node) ?? ''} ${event.kind} ${event.detail}`.toLowerCase().includes(text)));
    $('events').tBodies[0].replaceChildren(...wanted.slice(-500).reverse().map((event) => h('tr', {},
      h('td', { class: 'time quiet' }, clock(event.at_ms)), h('td', {}, h('span', { class: `tag k-${event.kind}` }, KINDS[event.kind] ?? event.kind)),
      h('td', {}, names.get(event.node) ? [names.get(event.node), ' '] : '', h('code', { class: 'quiet' }, event.node ?? '')), h('td', {}, event.detail))));
    $('events-state').hidden = wanted.length > 0;
    $('events-state').textContent = all.length ? 'Nothing that is wanted here has happened.' : 'Nothing has happened yet.';
  }, 60);

  $('event-kinds').append(...Object.entries(KINDS).map(([kind, label]) => h('button', { class: 'chip', 'aria-pressed': String(chosen.has(kind)), onclick: (event) => {
    chosen.has(kind) ? chosen.delete(kind) : chosen.add(kind);
    event.currentTarget.setAttribute('aria-pressed', chosen.has(kind));
    draw();
  } }, label)));
  $('event-search').addEventListener('input', calmly((event) => { text = event.target.value.trim().toLowerCase(); draw(); }));
  draw();
  return { topics: ['overlay'] };
}
