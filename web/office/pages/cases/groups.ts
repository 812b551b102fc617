// Kinds of matters under the headings people look for them by, in this order.
const order = ['event', 'secrecy', 'conduct', 'work', 'approval', 'register'] as const;
export type Under = (typeof order)[number];

/** The flows of each group that has some, as the server lists them. */
export function grouped<T extends { group: Under }>(flows: readonly T[]): { group: Under; flows: T[] }[] {
  return order.map((group) => ({ group, flows: flows.filter((f) => f.group === group) })).filter((g) => g.flows.length);
}
