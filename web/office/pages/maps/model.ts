/*
 * What the server says of boundaries: GET boundaries/faults, map/{level},
 * buildings, progress/map.
 */
export type Kind = 'undrawn' | 'groundless' | 'misnumbered' | 'crossed' | 'overlap' | 'gap' | 'beyond' | 'astray' | 'orphan';
export const kinds: Kind[] = ['overlap', 'gap', 'undrawn', 'beyond', 'crossed', 'astray', 'orphan', 'groundless', 'misnumbered'];

export interface Place {
  code: string;
  level: string;
  zh: string;
  en: string;
}
export interface Fault {
  kind: Kind;
  level: string;
  area?: Place;
  other?: Place;
  building?: string;
  m2?: number;
  at?: [number, number];
  shape?: GeoJSON.Polygon | GeoJSON.MultiPolygon;
}
export interface Faults {
  levels: { level: string; zh: string; en: string; areas: number; drawn: number }[];
  points: number;
  buildings: number;
  of: Record<Kind, number>;
  virtual: { code: string; zh: string; en: string }[];
  items: Fault[];
  more: number;
}

export interface AreaFeature {
  type: 'Feature';
  properties: { code: string; zh: string; en: string; kind: string };
  geometry: GeoJSON.Geometry | null;
}
export interface Shapes {
  drawn: boolean;
  features: AreaFeature[];
}
export interface Buildings {
  total: number;
  whole: boolean;
  features: { properties: { ea: string; building: string; kind: string; units: number }; geometry: GeoJSON.Point }[];
}
export interface Progress {
  items: { code: string; state: string; part: number; whole: number }[];
}

/** Darkness of the ramp, 0 none to 5; -1 not loaded. */
export function step(p: { state: string; part: number; whole: number } | undefined): number {
  if (!p || p.state === 'not-loaded') return -1;
  if (p.state === 'nothing-due' || p.state === 'not-begun' || p.whole === 0) return 0;
  const x = p.part / p.whole;
  return x < 0.5 ? 1 : x < 0.7 ? 2 : x < 0.85 ? 3 : x < 0.95 ? 4 : 5;
}
export const limits = ['<50%', '50–70%', '70–85%', '85–95%', '≥95%'];
