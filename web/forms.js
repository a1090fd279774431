// Forms for operations: which a type has, and how what is typed becomes an operation in the language.

const add = ['add', 'Add', 'value'], remove = ['rmv', 'Remove', 'value'], set = ['set', 'Set to', 'value'];
const up = ['increment', 'Add', 'count'], down = ['decrement', 'Take off', 'count'];
const on = ['true', 'Enable'], off = ['false', 'Disable'];
const vertex = ['add_vertex', 'Add vertex', 'value'], noVertex = ['rmv_vertex', 'Remove vertex', 'value'];
const edge = ['add_edge', 'Add edge', 'pair'], noEdge = ['rmv_edge', 'Remove edge', 'pair'];

const OPERATIONS = {
  set: [add, remove], rwset: [add, remove], twopset: [add, remove], gset: [add],
  gcounter: [up], pncounter: [up, down], lexcounter: [up, down], bcounter: [up, down],
  max: [set], min: [set], lwwregister: [set], ivar: [set], mvregister: [set],
  boolean: [on], ewflag: [on, off], dwflag: [on, off],
  ggraph: [vertex, edge], twopgraph: [vertex, edge, noVertex, noEdge], awgraph: [vertex, edge, noVertex, noEdge],
  mvmap: [['set', 'Set key', 'entry'], ['rmv_key', 'Remove key', 'value']],
};

/** Types that a new variable can be of. */
export const TYPES = ['set', 'gset', 'rwset', 'gcounter', 'pncounter', 'lwwregister', 'mvregister', 'max', 'min', 'boolean', 'ewflag', 'mvmap', 'awgraph', 'awmap(set)', 'gmap(gcounter)'];

/** What can be done with a variable: [operation, label, what it takes]. Last, anything in the language. */
export const operations = (type) => [...(OPERATIONS[type] ?? []), ['', 'Other…', 'expression']];

const text = (typed) => `"${typed.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;

/** What was typed as a value: a number where it is one, the language where it looks like it, else a text. */
export function value(typed, as) {
  if (as === 'text') return text(typed);
  if (as === 'expression') return typed;
  if (/^-?\d+(\.\d+)?$/.test(typed.trim()) || /^(true|false)$/.test(typed.trim())) return typed.trim();
  return /^["[{#]/.test(typed.trim()) ? typed : text(typed);
}

/** The operation in the language. */
export function operation(name, takes, fields) {
  if (takes === 'expression') return fields.first;
  if (takes == null) return name;
  if (takes === 'count') return `{${name}, ${fields.first || 1}}`;
  const first = value(fields.first, fields.as);
  if (takes === 'value') return name === 'add' ? `{add_element, ${first}}` : `{${name}, ${first}}`;
  const second = value(fields.second, fields.as);
  return takes === 'entry' ? `{${name}, ${first}, ${second}}` : `{${name}, {${first}, ${second}}}`;
}
