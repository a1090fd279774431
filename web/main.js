// The page: which view is shown, how the node is, light or dark.

import { $, ago } from './dom.js';
import { Feed } from './feed.js';
import { overlay } from './overlay.js';
import { world } from './world.js';
import { variables } from './variables.js';
import { dataflow } from './dataflow.js';
import { transmission } from './transmission.js';
import { events } from './events.js';

const feed = new Feed();
const views = { overlay: overlay(feed), dataflow: dataflow(feed), variables: variables(feed), transmission: transmission(feed), events: events(feed) };
const tabs = [...document.querySelectorAll('[role=tab]')];
let shown;
world(feed);

function show(name) {
  if (!(name in views)) name = 'overlay';
  shown = name;
  for (const tab of tabs) {
    const chosen = tab.dataset.view === name;
    tab.setAttribute('aria-selected', chosen);
    tab.tabIndex = chosen ? 0 : -1;
    $(tab.getAttribute('aria-controls')).hidden = !chosen;
  }
  const view = views[name];
  view.shown?.();
  feed.show(view.topics, view.params?.() ?? {});
}

/** A view wants to look at something else. */
feed.addEventListener('look', () => feed.show(views[shown].topics, views[shown].params?.() ?? {}));

for (const [at, tab] of tabs.entries()) {
  tab.addEventListener('click', () => { location.hash = tab.dataset.view; });
  tab.addEventListener('keydown', (key) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key.key];
    if (!step) return;
    const next = tabs[(at + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
}
addEventListener('hashchange', () => show(location.hash.slice(1)));

feed.addEventListener('status', ({ detail: status }) => {
  $('node-name').textContent = status.name;
  $('node-line').textContent = status.world ? `simulated · ${status.membership} · seed ${status.world.seed} · ${(status.world.time_ms / 1000).toFixed(1)} s` : `${status.cluster} · ${status.membership} · up ${ago(Date.now() - status.uptime_ms)} · ${status.version}`;
  document.title = `${status.name} · Lasp`;
});
feed.addEventListener('state', ({ detail: state }) => {
  $('link-state').dataset.state = state;
  $('link-state').textContent = state;
  $('banner').hidden = state !== 'lost';
  $('banner').textContent = 'The node does not answer. What is shown is how it was; this page goes on trying.';
});

const stored = localStorage.getItem('theme');
if (stored) document.documentElement.dataset.theme = stored;
$('theme').addEventListener('click', () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  localStorage.setItem('theme', document.documentElement.dataset.theme);
  feed.dispatchEvent(new CustomEvent('theme'));
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => feed.dispatchEvent(new CustomEvent('theme')));

show(location.hash.slice(1) || 'overlay');
