// Small helpers for elements, numbers and times.

export const $ = (id) => document.getElementById(id);

/** An element with attributes (`on…` are listeners) and children; texts are never read as HTML. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false && child !== ''));
  return element;
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null));
  return element;
}

export const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const units = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']];
export function short(number) {
  const [by, unit] = units.find(([by]) => Math.abs(number) >= by) ?? [1, ''];
  const scaled = number / by;
  return `${scaled >= 100 || Number.isInteger(scaled) ? Math.round(scaled) : scaled.toFixed(1)}${unit}`;
}
export const bytes = (number) => short(number).replace(/([GMk]?)$/, ' $1B');
export const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour12: false });
export function ago(ms) {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}

/** Asks the API; an error has the problem's own words. */
export async function ask(path, body) {
  const options = body ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {};
  const response = await fetch(path, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error([answer.detail ?? response.statusText, answer.hint].filter(Boolean).join('\n'));
  return answer;
}

/** Calls `act` once the calls have stopped for a while. */
export function calmly(act, ms = 200) {
  let timer;
  return (...args) => { clearTimeout(timer); timer = setTimeout(() => act(...args), ms); };
}
