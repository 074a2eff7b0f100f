// Work done a little at a time, so that the page responds and draws in between.

// How many rows a loop handles before it may pause; fewer are done in one go.
const AT_ONCE = 4096;

// Steps of a generator that go on while nobody waits, or to the end when somebody does.
class Work {
  constructor(steps) {
    this.steps = steps;
    this.value = undefined;
    this.done = false;
  }

  // Goes on until `until`, a time of performance.now(), but by at least one step.
  run(until = Infinity) {
    while (!this.done) {
      const { value, done } = this.steps.next();
      if (done) Object.assign(this, { value, done });
      else if (performance.now() >= until) break;
    }
    return this.value;
  }

  // As steps of other work.
  * within() {
    while (!this.done) {
      this.run(performance.now() + SLICE);
      if (!this.done) yield;
    }
    return this.value;
  }
}

// How long (ms) the page works before it pauses: while nobody waits, and while somebody does.
const SLICE = 8;
const PATIENCE = 32;

// One request at a time: the next one replaces it.
class Turn {
  // Runs `steps`, then `then` with their result.
  take(steps, then) {
    const work = new Work(steps);
    this.work = work;
    const go = () => {
      if (this.work !== work) return;
      work.run(performance.now() + PATIENCE);
      if (!work.done) setTimeout(go);
      else {
        this.work = null;
        then(work.value);
      }
    };
    go();
  }

  get busy() {
    return Boolean(this.work);
  }
}

// Goes on with the first of `works` whenever the page has nothing else to do.
function prepare(works) {
  const idle = globalThis.requestIdleCallback ?? ((then) => setTimeout(then, 20));
  const next = () => {
    const until = performance.now() + SLICE;
    while (works.length && performance.now() < until) {
      works[0].run(until);
      if (works[0].done) works.shift();
    }
    if (works.length) idle(next);
  };
  idle(next);
}

// Whether a loop has handled enough rows to pause for a moment.
const pauses = (at) => at % AT_ONCE === AT_ONCE - 1;
