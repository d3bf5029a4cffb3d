/** Directed graphs with labelled edges, and the cycles in them. */

export interface Edge<N> {
  readonly from: N;
  readonly to: N;
  readonly label: string;
  readonly because: string;
}

/** Sets of more than one node that all reach each other. Tarjan's algorithm, without recursion: histories are long. */
export function componentsOf<N>(nodes: Iterable<N>, next: (node: N) => readonly N[]): N[][] {
  const indexes = new Map<N, number>();
  const lows = new Map<N, number>();
  const path: N[] = [];
  const onPath = new Set<N>();
  const found: N[][] = [];
  const open = (node: N): { node: N; rest: N[] } => {
    indexes.set(node, indexes.size);
    lows.set(node, indexes.get(node) ?? 0);
    path.push(node);
    onPath.add(node);
    return { node, rest: [...next(node)] };
  };
  const lower = (node: N, value: number): void => void lows.set(node, Math.min(lows.get(node) ?? value, value));
  for (const root of nodes) {
    if (indexes.has(root)) continue;
    const visits = [open(root)];
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
      const to = visit.rest.pop();
      if (to === undefined) {
        visits.pop();
        const parent = visits.at(-1);
        if (parent !== undefined) lower(parent.node, lows.get(visit.node) ?? 0);
        if (lows.get(visit.node) !== indexes.get(visit.node)) continue;
        const component = path.splice(path.lastIndexOf(visit.node));
        for (const node of component) onPath.delete(node);
        if (component.length > 1) found.push(component);
      } else if (!indexes.has(to)) visits.push(open(to));
      else if (onPath.has(to)) lower(visit.node, indexes.get(to) ?? 0);
    }
  }
  return found;
}

/** The shortest cycle through one of the nodes, edge by edge: one of each component. */
export function cyclesOf<N>(edges: readonly Edge<N>[]): Edge<N>[][] {
  const out = new Map<N, Edge<N>[]>();
  for (const edge of edges) {
    const list = out.get(edge.from);
    if (list === undefined) out.set(edge.from, [edge]);
    else list.push(edge);
  }
  const components = componentsOf(out.keys(), (node) => (out.get(node) ?? []).map(({ to }) => to));
  return components.map((component) => shortestIn(new Set(component), out));
}

function shortestIn<N>(component: ReadonlySet<N>, out: ReadonlyMap<N, readonly Edge<N>[]>): Edge<N>[] {
  let best: Edge<N>[] = [];
  for (const start of [...component].slice(0, 50)) {
    const cycle = wayBack(start, component, out);
    if (cycle.length > 0 && (best.length === 0 || cycle.length < best.length)) best = cycle;
  }
  return best;
}

function wayBack<N>(start: N, component: ReadonlySet<N>, out: ReadonlyMap<N, readonly Edge<N>[]>): Edge<N>[] {
  const cameBy = new Map<N, Edge<N>>();
  const waiting = [start];
  for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
    for (const edge of out.get(node) ?? []) {
      if (!component.has(edge.to) || cameBy.has(edge.to)) continue;
      cameBy.set(edge.to, edge);
      if (edge.to === start) return trail(start, cameBy);
      waiting.push(edge.to);
    }
  }
  return [];
}

function trail<N>(start: N, cameBy: ReadonlyMap<N, Edge<N>>): Edge<N>[] {
  const edges: Edge<N>[] = [];
  for (let edge = cameBy.get(start); edge !== undefined; edge = cameBy.get(edge.from)) {
    edges.unshift(edge);
    if (edge.from === start) break;
  }
  return edges;
}
