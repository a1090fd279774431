// The overlay as a picture on a canvas: drawn from positions that a worker sends, zoomed, panned, dragged, clicked.

import { color } from './dom.js';

const FEW = 1500; // more lines than that are no wider than a pixel: those that are take several times as long without a GPU

const STATES = { up: 'up', isolated: 'amber', silent: 'orange', suspect: 'orange', gone: 'red', left: 'grey' };

export class Graph {
  nodes = []; links = []; passive = []; places = new Float32Array(0); shown = new Float32Array(0);
  view = { x: 0, y: 0, scale: 1 }; chosen = null; over = null; flow = 0; options = { tree: true, names: true, passive: false };
  frames = 0;
  #canvas; #context; #worker; #colors = {}; #dirty = true; #fitted = false; #onChoose; #moved = false; #settled = true; #sight = null;

  constructor(canvas, onChoose) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    this.#onChoose = onChoose;
    this.#worker = new Worker('/layout-worker.js');
    this.#worker.onmessage = ({ data }) => {
      if (data.ids !== this.nodes.length) return; // of the graph before
      this.places = data.places;
      if (this.shown.length !== data.places.length) this.shown = data.places.slice();
      this.#settled = data.settled;
      if (!this.#moved) this.fit(this.#fitted ? 0.12 : 1);
      this.#fitted = true;
      this.touch();
    };
    new ResizeObserver(() => { this.#resize(); if (!this.#moved) this.fit(); }).observe(canvas);
    this.recolor();
    this.#listen();
    const frame = () => { if (!canvas.hidden && canvas.offsetParent) this.#frame(); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  }

  recolor() {
    const names = ['up', 'amber', 'orange', 'red', 'grey', 'edge', 'passive', 'accent', 'text', 'quiet', 'halo', 'surface', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6'];
    this.#colors = Object.fromEntries(names.map((name) => [name, color(name)]));
    this.touch();
  }

  touch() { this.#dirty = true; }

  /** Nodes (id, name, state, role, component, me) and links ([from, to, tree, odd], by place); passive links likewise. */
  set(nodes, links, passive, near) {
    const places = new Map(this.nodes.map((node, at) => [node.id, at]));
    const old = this.shown;
    const ids = nodes.map((node) => node.id);
    const same = ids.length === this.nodes.length && ids.every((id, at) => id === this.nodes[at].id)
      && links.length === this.links.length && links.every((link, at) => link.every((it, part) => it === this.links[at][part]));
    this.nodes = nodes;
    this.links = links;
    this.passive = passive;
    this.touch();
    if (same) return;
    this.shown = new Float32Array(nodes.length * 2).fill(NaN);
    this.places = this.shown.slice();
    nodes.forEach((node, at) => {
      const before = places.get(node.id);
      if (before == null) return;
      this.shown[2 * at] = this.places[2 * at] = old[2 * before];
      this.shown[2 * at + 1] = this.places[2 * at + 1] = old[2 * before + 1];
    });
    this.#worker.postMessage({ ids, links, near });
  }

  choose(id, center) {
    this.chosen = id;
    const at = this.nodes.findIndex((node) => node.id === id);
    if (center && at >= 0) {
      this.#moved = true;
      this.view.scale = Math.max(this.view.scale, 1.1);
      this.view.x = -this.shown[2 * at] * this.view.scale;
      this.view.y = -this.shown[2 * at + 1] * this.view.scale;
    }
    this.touch();
  }

  /** Shows everything. */
  fit(part = 1) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let at = 0; at < this.places.length; at += 2) {
      if (Number.isNaN(this.places[at])) continue;
      left = Math.min(left, this.places[at]); right = Math.max(right, this.places[at]);
      top = Math.min(top, this.places[at + 1]); bottom = Math.max(bottom, this.places[at + 1]);
    }
    if (!(left <= right) || !width) return;
    const scale = Math.min(2.2, Math.max(0.05, Math.min((width - 90) / (right - left + 40), (height - 150) / (bottom - top + 40))));
    const goal = { scale, x: -scale * (left + right) / 2, y: -scale * (top + bottom) / 2 + 12 };
    for (const key of ['scale', 'x', 'y']) this.view[key] += (goal[key] - this.view[key]) * part;
    this.touch();
  }

  refit() { this.#moved = false; this.fit(); }

  zoom(by, x = 0, y = 0) {
    const scale = Math.min(6, Math.max(0.04, this.view.scale * by));
    const real = scale / this.view.scale;
    this.view = { scale, x: x + (this.view.x - x) * real, y: y + (this.view.y - y) * real };
    this.#moved = true;
    this.touch();
  }

  pan(x, y) { this.view.x += x; this.view.y += y; this.#moved = true; this.touch(); }

  #resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.#canvas.width = this.#canvas.clientWidth * ratio;
    this.#canvas.height = this.#canvas.clientHeight * ratio;
    this.touch();
  }

  #at(event) {
    const box = this.#canvas.getBoundingClientRect();
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
  }

  #hit({ x, y }) {
    const [wx, wy] = [(x - this.view.x) / this.view.scale, (y - this.view.y) / this.view.scale];
    const reach = Math.max(10, 14 / this.view.scale);
    let [best, distance] = [-1, reach * reach];
    for (let at = 0; at < this.nodes.length; at++) {
      const d = (this.shown[2 * at] - wx) ** 2 + (this.shown[2 * at + 1] - wy) ** 2;
      if (d < distance) [best, distance] = [at, d];
    }
    return best;
  }

  #listen() {
    const canvas = this.#canvas;
    const fingers = new Map();
    let drag = null;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, this.#at(event));
      const from = this.#at(event);
      drag = { from, last: from, node: this.#hit(from), far: false };
      canvas.classList.add('dragging');
    });
    canvas.addEventListener('pointermove', (event) => {
      const now = this.#at(event);
      if (fingers.size === 2 && fingers.has(event.pointerId)) {
        const [a, b] = [...fingers.values()];
        const before = Math.hypot(a.x - b.x, a.y - b.y);
        fingers.set(event.pointerId, now);
        const [c, d] = [...fingers.values()];
        this.zoom(Math.hypot(c.x - d.x, c.y - d.y) / (before || 1), (c.x + d.x) / 2, (c.y + d.y) / 2);
        drag = null;
      } else if (drag) {
        drag.far ||= Math.hypot(now.x - drag.from.x, now.y - drag.from.y) > 4;
        if (drag.far && drag.node >= 0) {
          const place = { x: (now.x - this.view.x) / this.view.scale, y: (now.y - this.view.y) / this.view.scale };
          this.#moved = true;
          this.#worker.postMessage({ drag: drag.node, ...place });
        } else if (drag.far) {
          this.pan(now.x - drag.last.x, now.y - drag.last.y);
        }
        drag.last = now;
      } else {
        const over = this.nodes[this.#hit(now)]?.id ?? null;
        if (over !== this.over) { this.over = over; canvas.classList.toggle('over', over !== null); this.touch(); }
      }
    });
    const end = (event) => {
      fingers.delete(event.pointerId);
      canvas.classList.remove('dragging');
      if (!drag) return;
      if (drag.far && drag.node >= 0) this.#worker.postMessage({ drag: drag.node, free: true });
      else if (!drag.far && event.type === 'pointerup') this.#onChoose(this.nodes[drag.node]?.id ?? null);
      drag = null;
    };
    canvas.addEventListener('pointerup', end);
    canvas.addEventListener('pointercancel', end);
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      const { x, y } = this.#at(event);
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), x, y);
    }, { passive: false });
    canvas.addEventListener('keydown', (event) => {
      const acts = { '+': () => this.zoom(1.25), '=': () => this.zoom(1.25), '-': () => this.zoom(0.8), 0: () => this.refit(),
        ArrowLeft: () => this.pan(40, 0), ArrowRight: () => this.pan(-40, 0), ArrowUp: () => this.pan(0, 40), ArrowDown: () => this.pan(0, -40),
        Escape: () => this.#onChoose(null), Enter: () => this.#next(event.shiftKey ? -1 : 1), n: () => this.#next(1), p: () => this.#next(-1) };
      const act = acts[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
  }

  /** Walks from node to node with the keyboard. */
  #next(step) {
    if (!this.nodes.length) return;
    const at = this.nodes.findIndex((node) => node.id === this.chosen);
    this.#onChoose(this.nodes[(at + step + this.nodes.length) % this.nodes.length].id);
  }

  #frame() {
    let moving = false;
    for (let at = 0; at < this.shown.length; at++) {
      const gap = this.places[at] - this.shown[at];
      if (Number.isNaN(this.shown[at]) && !Number.isNaN(this.places[at])) this.shown[at] = this.places[at];
      else if (Math.abs(gap) > 0.05) { this.shown[at] += gap * 0.3; moving = true; }
    }
    const flows = this.flow > 0 && this.options.tree && !matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (!this.#dirty && !moving && !flows && this.#settled) return;
    this.#dirty = false;
    this.frames++;
    this.#draw(flows);
  }

  #draw(flows) {
    const [context, colors, { scale }] = [this.#context, this.#colors, this.view];
    const ratio = this.#canvas.width / this.#canvas.clientWidth;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * (this.#canvas.clientWidth / 2 + this.view.x), ratio * (this.#canvas.clientHeight / 2 + this.view.y));
    const focus = this.over ?? this.chosen;
    const focused = focus === null ? -1 : this.nodes.findIndex((node) => node.id === focus);
    const pen = 1 / Math.max(scale, 0.35);
    const crowd = this.links.length > 400 ? 0.55 : 1; // many lines are thin, or they are all that is seen
    const [halfWidth, halfHeight] = [this.#canvas.clientWidth / 2 / scale, this.#canvas.clientHeight / 2 / scale];
    const [left, top] = [-this.view.x / scale - halfWidth, -this.view.y / scale - halfHeight];
    this.#sight = { left, top, right: left + 2 * halfWidth, bottom: top + 2 * halfHeight };
    const passive = this.options.passive ? this.passive : [];
    this.#lines(passive.filter(([from, to]) => (focused < 0 || from === focused) && this.#crosses(from, to)), colors.passive, 0.8 * pen, [3 * pen, 4 * pen], focused < 0 ? 0.6 : 1);
    const [farPlain, plain, farTree, tree, odd] = [[], [], [], [], []];
    for (const link of this.links) {
      const [from, to, pushes, oneSided] = link;
      if (!this.#crosses(from, to)) continue;
      const isNear = focused < 0 || from === focused || to === focused;
      if (oneSided) odd.push(link);
      if (this.options.tree && pushes) (isNear ? tree : farTree).push(link);
      else if (!oneSided) (isNear ? plain : farPlain).push(link);
    }
    this.#lines(farPlain, colors.edge, pen, [], 0.35);
    this.#lines(plain, colors.edge, 1.3 * pen * crowd, [], crowd);
    this.#lines(farTree, colors.accent, 1.6 * pen * crowd, [], 0.25);
    this.#lines(tree, colors.accent, 2.2 * pen * crowd, [], 0.4 + 0.45 * crowd);
    this.#lines(odd, colors.red, 1.6 * pen, [6 * pen, 4 * pen], 1);
    if (flows) this.#flow(pen);
    this.#dots(pen, focused);
    if (this.options.names) this.#names(pen, focused);
  }

  /** Whether a place is in sight, with so much around it. */
  #sees(x, y, around) {
    const { left, right, top, bottom } = this.#sight;
    return x > left - around && x < right + around && y > top - around && y < bottom + around;
  }

  /** Whether a link may be in sight: its ends do not both lie beyond the same side. */
  #crosses(from, to) {
    const [shown, { left, right, top, bottom }] = [this.shown, this.#sight];
    const [ax, ay, bx, by] = [shown[2 * from], shown[2 * from + 1], shown[2 * to], shown[2 * to + 1]];
    return !(ax < left && bx < left || ax > right && bx > right || ay < top && by < top || ay > bottom && by > bottom);
  }

  #lines(links, style, width, dash, alpha) {
    const [context, shown] = [this.#context, this.shown];
    if (!links.length) return;
    context.globalAlpha = alpha; context.strokeStyle = style; context.lineWidth = links.length > FEW ? Math.min(width, 1 / this.view.scale) : width; context.setLineDash(dash);
    context.beginPath();
    for (const [from, to] of links) {
      context.moveTo(shown[2 * from], shown[2 * from + 1]);
      context.lineTo(shown[2 * to], shown[2 * to + 1]);
    }
    context.stroke();
    context.setLineDash([]); context.globalAlpha = 1;
  }

  /** Drops along the tree: the more updates come, the more there are. */
  #flow(pen) {
    const context = this.#context;
    const time = performance.now() / 1400;
    context.fillStyle = this.#colors.accent;
    for (const [at, link] of this.links.entries()) {
      if (!link[2] || (at * 7919) % 100 >= 30 + this.flow * 20 || !this.#crosses(link[0], link[1])) continue;
      const part = (time + at * 0.618) % 1;
      const x = this.shown[2 * link[0]] + (this.shown[2 * link[1]] - this.shown[2 * link[0]]) * part;
      const y = this.shown[2 * link[0] + 1] + (this.shown[2 * link[1] + 1] - this.shown[2 * link[0] + 1]) * part;
      context.fillRect(x - 2 * pen, y - 2 * pen, 4 * pen, 4 * pen);
    }
  }

  #dots(pen, focused) {
    const [context, colors] = [this.#context, this.#colors];
    const large = this.nodes.length > 400;
    for (const [at, node] of this.nodes.entries()) {
      const [x, y] = [this.shown[2 * at], this.shown[2 * at + 1]];
      if (!this.#sees(x, y, 30 * pen)) continue; // nor one that has no place yet
      const radius = (node.me ? 10 : large ? 5 : 8) * Math.max(1, 0.6 * pen);
      const fill = node.state === 'up' && node.component > 0 ? colors[`c${1 + node.component % 6}`] : colors[STATES[node.state]];
      const hollow = node.state !== 'up' && node.state !== 'isolated';
      context.beginPath();
      if (node.role === 'server') context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
      else if (node.role) { context.moveTo(x, y - 1.3 * radius); context.lineTo(x + 1.3 * radius, y); context.lineTo(x, y + 1.3 * radius); context.lineTo(x - 1.3 * radius, y); context.closePath(); }
      else context.arc(x, y, radius, 0, 7);
      context.fillStyle = hollow ? colors.surface : fill;
      context.fill();
      context.strokeStyle = hollow ? fill : colors.surface;
      context.lineWidth = (hollow ? 2.4 : 1.8) * pen;
      context.stroke();
      if (node.state === 'gone') { const r = radius * 0.5; context.beginPath(); context.moveTo(x - r, y - r); context.lineTo(x + r, y + r); context.moveTo(x + r, y - r); context.lineTo(x - r, y + r); context.stroke(); }
      if (node.me || at === focused || node.id === this.chosen) {
        context.beginPath(); context.arc(x, y, radius + 4.5 * pen, 0, 7);
        context.strokeStyle = at === focused || node.id === this.chosen ? colors.text : colors.accent; context.lineWidth = 1.8 * pen; context.stroke();
      }
    }
  }

  #names(pen, focused) {
    const [context, colors, { scale }] = [this.#context, this.#colors, this.view];
    const all = this.nodes.length * 2600 < this.#canvas.clientWidth * this.#canvas.clientHeight * Math.max(1, scale * scale);
    context.font = `${12 * pen}px ${getComputedStyle(document.body).fontFamily}`;
    context.textAlign = 'center'; context.lineJoin = 'round'; context.lineWidth = 4 * pen; context.strokeStyle = colors.halo;
    for (const [at, node] of this.nodes.entries()) {
      if (!all && !node.me && at !== focused && node.id !== this.chosen) continue;
      const [x, y] = [this.shown[2 * at], this.shown[2 * at + 1]];
      if (!this.#sees(x, y, 100 * pen)) continue;
      const text = node.name || node.id.slice(0, 6);
      context.fillStyle = node.state === 'up' || at === focused ? colors.text : colors.quiet;
      const below = y + (node.me ? 16 : this.nodes.length > 400 ? 6 : 10) * Math.max(1, 0.6 * pen) + 11 * pen;
      context.strokeText(text, x, below);
      context.fillText(text, x, below);
    }
  }
}
