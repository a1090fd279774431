// The stream of changes: opened for the topics that are looked at, and opened again when it breaks.

const RETRY = [500, 1000, 2000, 4000];
const SILENCE = 10_000; // no word for so long: the node, or the way to it, is gone

export class Feed extends EventTarget {
  #source; #timer; #failures = 0; #topics = ''; #params = {}; #since = 0; #heard = 0;
  state = 'connecting';

  constructor() {
    super();
    setInterval(() => { if (this.state === 'live' && Date.now() - this.#heard > SILENCE) this.#lost(); }, 1000);
    document.addEventListener('visibilitychange', () => document.hidden ? this.#close() : this.#open());
  }

  /** Looks at these topics from now on. */
  show(topics, params = {}) {
    this.#topics = ['status', 'events', ...topics].join(',');
    this.#params = params;
    this.#open();
  }

  #close() { this.#source?.close(); this.#source = undefined; clearTimeout(this.#timer); }

  #open() {
    this.#close();
    if (document.hidden || !this.#topics) return;
    const query = new URLSearchParams({ topics: this.#topics, since: this.#since, ...this.#params });
    const source = this.#source = new EventSource(`/api/v1/stream?${query}`);
    source.onopen = () => { this.#heard = Date.now(); };
    source.onerror = () => { if (source === this.#source) this.#lost(); };
    for (const topic of ['status', 'statistics', 'events', 'overlay', 'variables', 'dataflow']) {
      source.addEventListener(topic, (message) => {
        if (source !== this.#source) return;
        const data = JSON.parse(message.data);
        this.#heard = Date.now();
        this.#failures = 0;
        if (topic === 'events') this.#since = data.at(-1)?.seq ?? this.#since;
        if (topic === 'status') this.#sameLife(data);
        this.#set('live');
        this.dispatchEvent(new CustomEvent(topic, { detail: data }));
      });
    }
  }

  /** A node that was started again counts its events from one. */
  #sameLife(status) {
    const life = `${status.me.id}/${status.me.incarnation}`;
    if (this.life && this.life !== life) {
      this.#since = 0;
      this.dispatchEvent(new CustomEvent('reborn'));
      this.life = life;
      this.#open();
    }
    this.life = life;
  }

  #lost() {
    this.#close();
    this.#set('lost');
    const pause = RETRY[Math.min(this.#failures++, RETRY.length - 1)];
    this.#timer = setTimeout(() => this.#open(), pause);
  }

  #set(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: state }));
  }
}
