// Draws the overlay as it was: d3-force finds places for all nodes that ever were, the slider chooses the moment.
/* global d3 */
(() => {
  const section = document.querySelector('.replay');
  const [canvas, button, slider, output] = ['canvas', 'button', 'input', 'output'].map((name) => section.querySelector(name));
  const { names, first, frames } = JSON.parse(document.getElementById('replay').textContent);
  const context = canvas.getContext('2d');
  let view = null, over = null, timer = 0;
  slider.max = frames.length - 1;
  const nodes = Object.keys(names).map((id, at) => {
    const radius = 24 * Math.sqrt(at + 1), angle = at * 2.399963;
    return { id: Number(id), x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));

  // Who is up and what ties there are after each frame: found again from the start, which is quick enough to drag through.
  let up = new Set(), ties = new Map(), shown = -1;
  function go(to) {
    if (to < shown) { up = new Set(); ties = new Map(); shown = -1; }
    for (; shown < to; shown++) {
      const frame = frames[shown + 1];
      for (const [id, is] of frame.nodes) { if (is) up.add(id); else up.delete(id); }
      for (const [a, b, tie] of frame.ties) { if (tie) ties.set(`${a} ${b}`, [byId.get(a), byId.get(b), tie]); else ties.delete(`${a} ${b}`); }
    }
    slider.value = to;
    say();
    draw();
  }

  // The places fit what there was at the moment that is shown first, and halfway there.
  const ends = new Map();
  for (const to of [Math.floor(first / 2), first]) {
    go(to);
    for (const [key, [source, target]] of ties) if (source && target) ends.set(key, { source, target });
  }
  const simulation = d3.forceSimulation(nodes)
    .force('link', d3.forceLink([...ends.values()]).distance(50).strength(0.15))
    .force('charge', d3.forceManyBody().strength(nodes.length > 300 ? -70 : -150).theta(1.1).distanceMax(600))
    .force('x', d3.forceX(0).strength(0.04)).force('y', d3.forceY(0).strength(0.06)).stop();

  function fit() {
    const ratio = devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const xs = nodes.map((node) => node.x), ys = nodes.map((node) => node.y);
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const scale = Math.min(width / (right - left + 60), height / (bottom - top + 60), 2);
    view = { ratio, scale, x: width / 2 - scale * (left + right) / 2, y: height / 2 - scale * (top + bottom) / 2 };
  }

  function draw() {
    if (!view) return;
    const style = getComputedStyle(section), color = (name) => style.getPropertyValue(name);
    const { ratio, scale, x, y } = view;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
    for (const [tie, stroke, width, dash] of [[1, '--line', 1, []], [3, '--bad', 1.5, [5, 4]], [2, '--first', 2, []]]) {
      context.beginPath();
      for (const [from, to, is] of ties.values()) {
        if (is !== tie || !from || !to) continue;
        context.moveTo(from.x, from.y);
        context.lineTo(to.x, to.y);
      }
      context.setLineDash(dash);
      context.lineWidth = width;
      context.strokeStyle = color(stroke);
      context.stroke();
    }
    context.setLineDash([]);
    const linked = new Set();
    for (const [from, to] of ties.values()) linked.add(from).add(to);
    for (const node of nodes) {
      context.beginPath();
      context.arc(node.x, node.y, node === over ? 9 : 6, 0, 7);
      context.fillStyle = color(!up.has(node.id) ? '--line' : linked.has(node) ? '--good' : '--second');
      context.fill();
    }
    if (over) {
      context.font = `${13 / scale}px system-ui, sans-serif`;
      context.fillStyle = color('--ink');
      context.fillText(`${names[over.id]}${up.has(over.id) ? '' : ', gone'}`, over.x + 10, over.y - 8);
    }
  }

  function parts() {
    const near = new Map([...up].map((id) => [id, []]));
    for (const [from, to] of ties.values()) {
      near.get(from?.id)?.push(to?.id);
      near.get(to?.id)?.push(from?.id);
    }
    let count = 0;
    const left = new Set(up);
    for (const id of up) {
      if (!left.delete(id)) continue;
      count++;
      const next = [id];
      while (next.length) for (const other of near.get(next.pop())) if (left.delete(other)) next.push(other);
    }
    return count;
  }

  function say() {
    const tree = [...ties.values()].filter(([, , tie]) => tie === 2).length;
    const text = `${(frames[shown].at / 1000).toFixed(1)} s: ${up.size} up, ${ties.size} links, ${tree} of the tree, ${parts()} in parts`
      .replace(/(\d+) in parts/, (_, count) => count === '1' ? 'one piece' : `${count} pieces`);
    output.textContent = text;
    canvas.setAttribute('aria-label', `The overlay after ${text}`);
  }

  function play(on) {
    clearInterval(timer);
    timer = 0;
    button.textContent = on ? '❚❚' : '▶';
    button.setAttribute('aria-label', on ? 'Pause' : 'Play');
    if (!on) return;
    if (shown === frames.length - 1) go(0);
    timer = setInterval(() => { if (shown === frames.length - 1) play(false); else go(shown + 1); }, Math.max(30, 12000 / frames.length));
  }

  slider.addEventListener('input', () => { play(false); go(Number(slider.value)); });
  button.addEventListener('click', () => play(!timer));
  canvas.addEventListener('pointermove', (event) => {
    const [px, py] = [(event.offsetX - view.x) / view.scale, (event.offsetY - view.y) / view.scale];
    const near = simulation.find(px, py, 14 / view.scale) ?? null;
    if (near !== over) { over = near; draw(); }
  });
  canvas.addEventListener('pointerleave', () => { over = null; draw(); });
  new ResizeObserver(() => { fit(); draw(); }).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);

  function settle() {
    const began = performance.now();
    while (simulation.alpha() > 0.01 && performance.now() - began < 20) simulation.tick();
    fit();
    draw();
    if (simulation.alpha() > 0.01) requestAnimationFrame(settle);
  }
  settle();
})();
