// Where nodes are: a force-directed layout (d3-force), away from the thread that draws.
/* global d3 */
importScripts('/vendor/d3-dispatch.min.js', '/vendor/d3-quadtree.min.js', '/vendor/d3-timer.min.js', '/vendor/d3-force.min.js');

let nodes = [];
let byId = new Map();
const links = d3.forceLink([]).distance(58).strength((link) => link.tree ? 0.32 : 0.1);
const charge = d3.forceManyBody().strength(-150).theta(1.1).distanceMax(620);
const simulation = d3.forceSimulation([])
  .force('link', links).force('charge', charge)
  .force('x', d3.forceX(0).strength(0.035)).force('y', d3.forceY(0).strength(0.05))
  .force('collide', d3.forceCollide(13).strength(0.6))
  .alphaDecay(0.035).velocityDecay(0.42).stop();
let timer;

function step() {
  const began = performance.now();
  do simulation.tick(); while (performance.now() - began < 12 && simulation.alpha() > 0.4);
  const places = new Float32Array(nodes.length * 2);
  nodes.forEach((node, at) => { places[2 * at] = node.x; places[2 * at + 1] = node.y; });
  const settled = simulation.alpha() < 0.006;
  postMessage({ places, ids: nodes.length, settled }, [places.buffer]);
  timer = settled ? undefined : setTimeout(step, Math.max(4, 24 - (performance.now() - began)));
}

function stir(alpha) {
  simulation.alpha(Math.max(simulation.alpha(), alpha));
  timer ??= setTimeout(step, 0);
}

onmessage = ({ data }) => {
  if (data.ids) {
    const before = byId;
    const first = before.size === 0;
    const radius = 26 * Math.sqrt(data.ids.length);
    nodes = data.ids.map((id, at) => {
      const known = before.get(id);
      if (known) return known;
      // A newcomer begins beside one of its neighbours.
      const near = data.near[at] != null ? before.get(data.near[at]) : undefined;
      const angle = at * 2.399963;
      return { id, x: near ? near.x + 20 * Math.cos(angle) : radius * Math.sqrt((at + 1) / data.ids.length) * Math.cos(angle),
        y: near ? near.y + 20 * Math.sin(angle) : radius * Math.sqrt((at + 1) / data.ids.length) * Math.sin(angle) };
    });
    byId = new Map(nodes.map((node) => [node.id, node]));
    charge.strength(data.ids.length > 300 ? -70 : -150);
    simulation.nodes(nodes);
    links.links(data.links.map(([source, target, tree]) => ({ source, target, tree })));
    stir(first ? 1 : 0.25);
  } else if (data.drag != null) {
    const node = nodes[data.drag];
    if (!node) return;
    if (data.free) { node.fx = node.fy = null; } else { node.fx = data.x; node.fy = data.y; }
    stir(0.3);
  }
};
