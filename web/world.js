// Buttons for a simulated world: its time, and what is done to it.

import { $, ask, h } from './dom.js';

export function world(feed) {
  let state = null;
  const act = (action) => feed.act(action);
  const button = (label, action, title) => h('button', { title, onclick: () => act(typeof action === 'function' ? action() : action) }, label);

  feed.act = async (action) => {
    try { show(await ask('/api/v1/world', action)); } catch (error) { alert(error.message); }
  };

  const play = h('button', { onclick: () => act({ action: state.running ? 'pause' : 'play' }) });
  const speed = h('select', { 'aria-label': 'Speed', onchange: () => act({ action: 'speed', factor: Number(speed.value) }) },
    [0.1, 0.25, 0.5, 1, 2, 5, 10, 20].map((factor) => h('option', { value: factor }, `${factor}×`)));
  const nodes = h('input', { type: 'number', min: 1, max: 5000, 'aria-label': 'Nodes' });
  const seed = h('input', { type: 'number', min: 0, 'aria-label': 'Seed' });
  const churn = h('button', { title: 'A fifth of the nodes crash each minute, each replaced by a new one', onclick: () => act({ action: 'churn', percent: state.churn ? 0 : 20 }) }, 'Churn');
  const updates = h('button', { title: 'Twenty updates a second, at random nodes', onclick: () => act({ action: 'updates', rate: state.updates ? 0 : 20 }) }, 'Updates');
  const heal = button('Heal', { action: 'heal' }, 'Mends all that was cut');
  const reached = h('span', { class: 'quiet', role: 'status' });
  const again = h('form', { onsubmit: (event) => { event.preventDefault(); act({ action: 'restart', seed: Number(seed.value), nodes: Number(nodes.value) }); } },
    h('label', {}, 'Nodes', nodes), h('label', {}, 'Seed', seed), h('button', { type: 'submit' }, 'Begin again'));
  $('world').append(play, speed, reached, h('span', { class: 'sep' }),
    button('Split in two', { action: 'split', parts: 2 }, 'The network falls into two halves of random nodes'),
    button('Cut 20 % of links', { action: 'links', percent: 20 }), heal, h('span', { class: 'sep' }),
    button('Crash 10 %', { action: 'crash', percent: 10 }), button('Crash 50 %', { action: 'crash', percent: 50 }), button('Revive all', { action: 'revive' }),
    h('span', { class: 'sep' }), churn, updates, h('span', { class: 'grow' }), again);

  function show(now) {
    const first = state === null;
    state = feed.world = now;
    $('world').hidden = false;
    play.textContent = now.running ? 'Pause' : 'Play';
    play.classList.toggle('primary', !now.running);
    if (document.activeElement !== speed) speed.value = now.speed;
    if (first || state.seed !== Number(seed.value) && document.activeElement !== seed && document.activeElement !== nodes) { seed.value = now.seed; nodes.value = now.nodes; }
    churn.classList.toggle('on', now.churn > 0);
    churn.setAttribute('aria-pressed', String(now.churn > 0));
    updates.classList.toggle('on', now.updates > 0);
    updates.setAttribute('aria-pressed', String(now.updates > 0));
    heal.classList.toggle('on', now.cut);
    reached.textContent = now.running && now.reached < now.speed * 0.9 ? `${now.reached.toFixed(1)}× reached` : '';
  }

  feed.addEventListener('status', ({ detail }) => { if (detail.world) show(detail.world); });
}
