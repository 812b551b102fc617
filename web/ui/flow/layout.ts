/*
 * Boxes and arrows in layers from the top down: who leads to whom is read by
 * going down, what goes back is drawn upward.  Pure: the same graph always
 * gives the same picture, and nothing here knows of a page.
 *
 * An arrow's label is a box of its own in the layers between, so that no two
 * labels and no label and box ever lie on one another.
 */
export interface Box {
  id: string;
  w: number;
  h: number;
}
export interface Arrow {
  id: string;
  from: string;
  to: string;
  /** Of its label. */
  w: number;
  h: number;
}
export interface Point {
  x: number;
  y: number;
}
export interface Placed {
  width: number;
  height: number;
  /** Upper left corners. */
  box: Map<string, Point>;
  arrow: { id: string; from: string; to: string; path: string; label: Point; end: Point; down: boolean; back: boolean }[];
}
export interface Gaps {
  x: number;
  y: number;
  margin: number;
}

interface Node {
  rank: number;
  w: number;
  h: number;
  x: number;
  order: number;
  up: Node[];
  down: Node[];
  box?: string;
}
interface Chain {
  arrow: Arrow;
  back: boolean;
  nodes: Node[]; // from the upper box to the lower one
  label: Node;
}

/** Arrows that lead back to a box on the way to their source. */
function backward(boxes: Box[], arrows: Arrow[]): Set<Arrow> {
  const back = new Set<Arrow>();
  const state = new Map<string, 1 | 2>();
  const visit = (id: string): void => {
    state.set(id, 1);
    for (const a of arrows.filter((x) => x.from === id)) {
      if (state.get(a.to) === 1) back.add(a);
      else if (!state.has(a.to)) visit(a.to);
    }
    state.set(id, 2);
  };
  for (const b of boxes) if (!state.has(b.id)) visit(b.id);
  return back;
}

/** The longest way down to each box; what nothing leads to stands right above
 *  what it leads to. */
function ranks(boxes: Box[], ways: [string, string][]): Map<string, number> {
  const rank = new Map(boxes.map((b) => [b.id, 0]));
  for (let round = 0; round < boxes.length; round++) {
    let moved = false;
    for (const [a, b] of ways)
      if (rank.get(b)! < rank.get(a)! + 1) {
        rank.set(b, rank.get(a)! + 1);
        moved = true;
      }
    if (!moved) break;
  }
  boxes.forEach((b, i) => {
    if (i === 0 || ways.some(([, to]) => to === b.id)) return;
    const below = ways.filter(([from]) => from === b.id).map(([, to]) => rank.get(to)!);
    if (below.length) rank.set(b.id, Math.max(0, Math.min(...below) - 1));
  });
  return rank;
}

function crossings(layers: Node[][]): number {
  let n = 0;
  for (const layer of layers) {
    const ends: [number, number][] = [];
    for (const a of layer) for (const b of a.down) ends.push([a.order, b.order]);
    for (let i = 0; i < ends.length; i++)
      for (let k = i + 1; k < ends.length; k++) if ((ends[i]![0] - ends[k]![0]) * (ends[i]![1] - ends[k]![1]) < 0) n++;
  }
  return n;
}

/** Each layer in the order of its neighbours' middle, down and up in turn; the
 *  best of all rounds is kept. */
function untangle(layers: Node[][]): void {
  const number = (layer: Node[]) => layer.forEach((n, i) => (n.order = i));
  layers.forEach(number);
  let best = layers.map((l) => [...l]);
  let least = crossings(layers);
  for (let round = 0; round < 16 && least > 0; round++) {
    const down = round % 2 === 0;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[down ? i : layers.length - 1 - i]!;
      const middle = new Map(
        layer.map((n) => {
          const near = down ? n.up : n.down;
          return [n, near.length ? near.reduce((s, x) => s + x.order, 0) / near.length : n.order];
        }),
      );
      layer.sort((a, b) => middle.get(a)! - middle.get(b)! || a.order - b.order);
      number(layer);
    }
    const now = crossings(layers);
    if (now < least) {
      least = now;
      best = layers.map((l) => [...l]);
    }
  }
  best.forEach((l, i) => {
    layers[i] = l;
    number(l);
  });
}

/** As near to where each wants to be as order and distance allow (pool
 *  adjacent violators: least squares under x[i+1] ≥ x[i] + distance). */
function settle(layer: Node[], want: number[], gap: number): void {
  const shift: number[] = [0];
  for (let i = 1; i < layer.length; i++) shift.push(shift[i - 1]! + (layer[i - 1]!.w + layer[i]!.w) / 2 + gap);
  const pools: { sum: number; n: number }[] = [];
  want.forEach((w, i) => {
    pools.push({ sum: w - shift[i]!, n: 1 });
    while (pools.length > 1) {
      const b = pools[pools.length - 1]!;
      const a = pools[pools.length - 2]!;
      if (a.sum / a.n <= b.sum / b.n) break;
      pools.pop();
      a.sum += b.sum;
      a.n += b.n;
    }
  });
  let i = 0;
  for (const p of pools) for (let k = 0; k < p.n; k++, i++) layer[i]!.x = p.sum / p.n + shift[i]!;
}

export function layout(boxes: Box[], arrows: Arrow[], gaps: Gaps): Placed {
  const known = new Set(boxes.map((b) => b.id));
  const drawn = arrows.filter((a) => a.from !== a.to && known.has(a.from) && known.has(a.to));
  const back = backward(boxes, drawn);
  const rank = ranks(
    boxes,
    drawn.map((a) => (back.has(a) ? [a.to, a.from] : [a.from, a.to])),
  );
  const layers: Node[][] = [];
  const add = (r: number, w: number, h: number, box?: string): Node => {
    const n: Node = { rank: r, w, h, x: 0, order: 0, up: [], down: [], box };
    (layers[r] ??= []).push(n);
    return n;
  };
  const node = new Map(boxes.map((b) => [b.id, add(2 * rank.get(b.id)!, b.w, b.h, b.id)]));
  for (let i = 0; i < layers.length; i++) layers[i] ??= [];
  const chains: Chain[] = drawn.map((arrow) => {
    const isBack = back.has(arrow);
    const top = node.get(isBack ? arrow.to : arrow.from)!;
    const bottom = node.get(isBack ? arrow.from : arrow.to)!;
    const nodes = [top];
    // the label stands next to where the arrow starts
    const at = isBack ? bottom.rank - 1 : top.rank + 1;
    for (let r = top.rank + 1; r < bottom.rank; r++) nodes.push(r === at ? add(r, arrow.w, arrow.h) : add(r, 2, 0));
    nodes.push(bottom);
    for (let i = 1; i < nodes.length; i++) {
      nodes[i - 1]!.down.push(nodes[i]!);
      nodes[i]!.up.push(nodes[i - 1]!);
    }
    return { arrow, back: isBack, nodes, label: nodes[at - top.rank]! };
  });
  untangle(layers);
  // across: where the neighbours are, again and again
  for (const layer of layers) {
    let x = 0;
    for (const n of layer) {
      n.x = x + n.w / 2;
      x += n.w + gaps.x;
    }
    for (const n of layer) n.x -= x / 2;
  }
  for (let round = 0; round < 24; round++) {
    const down = round % 2 === 0;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[down ? i : layers.length - 1 - i]!;
      settle(
        layer,
        layer.map((n) => {
          const near = round > 19 ? [...n.up, ...n.down] : down ? n.up : n.down;
          return near.length ? near.reduce((s, x) => s + x.x, 0) / near.length : n.x;
        }),
        gaps.x,
      );
    }
  }
  const left = Math.min(...layers.flat().map((n) => n.x - n.w / 2));
  const right = Math.max(...layers.flat().map((n) => n.x + n.w / 2));
  for (const n of layers.flat()) n.x += gaps.margin - left;
  // down: each layer as high as its highest
  const top: number[] = [];
  const high: number[] = [];
  let y = gaps.margin;
  layers.forEach((layer, r) => {
    top[r] = y;
    high[r] = Math.max(0, ...layer.map((n) => n.h));
    y += high[r]! + gaps.y;
  });
  const height = y - gaps.y + gaps.margin;
  const middle = (n: Node) => top[n.rank]! + high[n.rank]! / 2;
  const boxTop = (n: Node) => top[n.rank]!;

  // where an arrow meets its box: side by side in the order of where they go
  const port = new Map<string, number>();
  for (const n of node.values())
    for (const side of ['down', 'up'] as const) {
      const ends = chains.filter((c) => (side === 'down' ? c.nodes[0] : c.nodes[c.nodes.length - 1]) === n);
      const next = (c: Chain) => (side === 'down' ? c.nodes[1]! : c.nodes[c.nodes.length - 2]!).x;
      ends.sort((a, b) => next(a) - next(b));
      const room = Math.min(n.w * 0.7, (ends.length - 1) * 26);
      ends.forEach((c, i) => port.set(`${side} ${chains.indexOf(c)}`, n.x + (ends.length > 1 ? room * (i / (ends.length - 1) - 0.5) : 0)));
    }
  const round1 = (x: number) => Math.round(x * 10) / 10;
  const arrow = chains.map((c, i) => {
    const first = c.nodes[0]!;
    const last = c.nodes[c.nodes.length - 1]!;
    const points: Point[] = [{ x: port.get(`down ${i}`)!, y: boxTop(first) + first.h }];
    for (const n of c.nodes.slice(1, -1)) {
      points.push({ x: n.x, y: top[n.rank]! }, { x: n.x, y: top[n.rank]! + high[n.rank]! });
    }
    points.push({ x: port.get(`up ${i}`)!, y: boxTop(last) });
    const way = c.back ? [...points].reverse() : points;
    let path = `M${round1(way[0]!.x)} ${round1(way[0]!.y)}`;
    for (let k = 1; k < way.length; k++) {
      const a = way[k - 1]!;
      const b = way[k]!;
      if (Math.abs(a.x - b.x) < 2) path += `L${round1(b.x)} ${round1(b.y)}`;
      else {
        const m = (a.y + b.y) / 2;
        path += `C${round1(a.x)} ${round1(m)} ${round1(b.x)} ${round1(m)} ${round1(b.x)} ${round1(b.y)}`;
      }
    }
    const end = way[way.length - 1]!;
    return {
      id: c.arrow.id,
      from: c.arrow.from,
      to: c.arrow.to,
      path,
      label: { x: c.label.x, y: middle(c.label) },
      end,
      down: !c.back,
      back: c.back,
    };
  });
  const box = new Map<string, Point>();
  for (const [id, n] of node) box.set(id, { x: n.x - n.w / 2, y: boxTop(n) });
  return { width: right - left + 2 * gaps.margin, height, box, arrow };
}
