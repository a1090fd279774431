// What is sent, how much is done, what it takes: charts of the last ten minutes.
/* global uPlot */

import { $, h, bytes, color, short } from './dom.js';

const KEPT = 600;
const HEIGHT = 160;
const WINDOW = 30; // rows that a share is taken of

/** Charts: what they show of a row, as [label, column, colour]; rates are differences a second, shares of one column's growth in another's. */
const CHARTS = [
  { title: 'Bytes sent', note: 'a second, by what they are spent on', unit: (it) => `${bytes(it)}/s`, rate: true, sum: true,
    series: [['state', 'bytes_sent_state', 'c1'], ['broadcast', 'bytes_sent_broadcast', 'c2'], ['membership', 'bytes_sent_membership', 'c5'], ['sync', 'bytes_sent_sync', 'c4'], ['letters', 'bytes_sent_unicast', 'c3']] },
  { title: 'Updates', note: 'a second: made here, come from elsewhere, nothing new', unit: (it) => `${short(it)}/s`, rate: true,
    series: [['made here', 'updates', 'c1'], ['merged', 'merges', 'c2'], ['redundant', 'redundant', 'grey']] },
  { title: 'Divergence', note: 'nodes that hold something else than this one', unit: short, extra: 'divergence', series: [['nodes', null, 'orange']] },
  { title: 'Memory', note: 'resident, of this process', unit: bytes, series: [['memory', 'memory_bytes', 'c5']] },
  { title: 'Processor', note: 'of one processor', unit: (it) => `${it.toFixed(1)} %`, rate: true, scale: 0.1, series: [['load', 'cpu_ms', 'c4']] },
  { title: 'Redundancy', note: 'received over needed, of the last half minute', unit: (it) => `${it.toFixed(2)}×`, share: 1,
    series: [['bytes of state', ['state_received', 'state_needed'], 'c1'], ['messages', ['payloads_received', 'payloads_needed'], 'c2']] },
  { title: 'Digests that hit', note: 'comparisons that ended at once, as both had the same, of the last half minute', unit: (it) => `${it.toFixed(0)} %`, share: 100,
    series: [['equal', ['digests_equal', 'digests_received'], 'c6']] },
  { title: 'Queues', note: 'messages that wait for links, and the most ever', unit: short, series: [['waiting', 'waiting', 'c1'], ['peak', 'queue_peak', 'red']] },
  { title: 'Waiting entries', note: 'elements of deltas that wait for links; the most ever: for all, for one', unit: short,
    series: [['waiting', 'waiting_entries', 'c1'], ['peak, all', 'node_entries_peak', 'red'], ['peak, one', 'link_entries_peak', 'c4']] },
  { title: 'Longest backlog', note: 'most bytes that ever waited for one link or were under way on it', unit: bytes, series: [['peak', 'link_bytes_peak', 'red']] },
];

export function transmission(feed) {
  let columns = null, rows = [], divergence = new Map(), differ = null;
  const nodes = new Map();
  const plots = new Map();
  const cards = CHARTS.map((chart) => {
    const [now, box] = [h('span', { class: 'now' }), h('div', { class: 'plot' })];
    const card = h('section', { class: 'chart', 'aria-label': `${chart.title}, ${chart.note}` }, now, h('h2', {}, chart.title), h('p', {}, chart.note), box);
    new ResizeObserver(() => plots.get(chart)?.setSize({ width: box.clientWidth, height: HEIGHT })).observe(box);
    return { chart, now, box, card };
  });
  $('charts').append(...cards.map(({ card }) => card));

  feed.addEventListener('overlay', ({ detail: change }) => {
    if (change.reset) nodes.clear();
    for (const node of change.nodes) nodes.set(node.id, node);
    for (const id of change.removed) nodes.delete(id);
    const mark = nodes.get(change.me)?.fingerprint;
    differ = [...nodes.values()].filter((node) => node.fingerprint && ['up', 'isolated'].includes(node.state) && node.fingerprint !== mark).length;
  });
  feed.addEventListener('statistics', ({ detail }) => {
    if (detail.columns) { columns = detail.columns; rows = []; }
    rows.push(...detail.rows);
    if (differ !== null) divergence.set(rows.at(-1)[0], differ);
    rows = rows.slice(-KEPT);
    divergence = new Map([...divergence].slice(-KEPT));
    draw();
  });
  feed.addEventListener('theme', () => { for (const plot of plots.values()) plot.destroy(); plots.clear(); draw(); });

  function data(chart) {
    const times = rows.map((row) => row[0] / 1000);
    if (chart.extra) return [times, rows.map((row) => divergence.get(row[0]) ?? null)];
    return [times, ...chart.series.map(([, column]) => {
      if (chart.share) return share(column, chart.share);
      const at = columns.indexOf(column);
      if (!chart.rate) return rows.map((row) => row[at]);
      return rows.map((row, place) => place === 0 ? null
        : Math.max(0, (row[at] - rows[place - 1][at]) / Math.max(0.001, (row[0] - rows[place - 1][0]) / 1000)) * (chart.scale ?? 1));
    })];
  }

  /** How much one column grew for each unit of another, within the window; nothing where that did not grow. */
  function share(names, scale) {
    const [part, whole] = names.map((name) => columns.indexOf(name));
    return rows.map((row, place) => {
      const before = rows[Math.max(0, place - WINDOW)];
      const grown = row[whole] - before[whole];
      return grown > 0 ? Math.max(0, row[part] - before[part]) / grown * scale : null;
    });
  }

  function draw() {
    if (!columns || !$('charts').offsetParent) return;
    for (const { chart, now, box } of cards) {
      const all = data(chart);
      if (plots.has(chart)) plots.get(chart).setData(all);
      else plots.set(chart, plot(chart, all, box));
      const last = all.slice(1).map((series) => series.at(-1));
      const value = chart.sum ? last.reduce((a, b) => a + (b ?? 0), 0) : last[0] ?? (chart.share ? null : 0);
      now.textContent = rows.length > 1 && value !== null ? chart.unit(value) : '';
    }
  }

  function plot(chart, all, box) {
    const axis = { stroke: color('quiet'), grid: { stroke: color('line'), width: 1 }, ticks: { show: false }, font: '11px system-ui' };
    const time = (at, parts) => new Date(at * 1000).toLocaleTimeString([], { hour12: false, ...parts });
    const single = chart.series.length === 1;
    return new uPlot({
      width: box.clientWidth, height: HEIGHT, cursor: { points: { size: 6 } }, legend: { show: !single, live: false }, padding: [10, 24, 0, 0],
      scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.15)] } },
      axes: [{ ...axis, size: 28, space: 90, values: (_, splits) => splits.map((at) => time(at, all[0].at(-1) - all[0][0] > 180 ? { hour: '2-digit', minute: '2-digit' } : {})) },
        { ...axis, size: 72, space: 36, values: (_, splits) => splits.map(chart.unit) }],
      series: [{}, ...chart.series.map(([label, , name]) => ({ label, stroke: color(name), width: 2, points: { show: false },
        fill: single ? `${color(name)}22` : undefined, value: (_, it) => it == null ? '' : chart.unit(it) }))],
    }, all, box);
  }

  return { topics: ['statistics', 'overlay'], shown: () => requestAnimationFrame(draw) };
}
