// What the server says of published results.
export interface ReleaseRow {
  id: number;
  area: string;
  area_zh: string;
  area_en: string;
  level: string;
  title: string;
  published: string;
  digest: string;
  corrects: number | null;
  corrected_by: number | null;
  tables: { id: string; zh: string; en: string }[];
}
export interface ReleaseList {
  as_of: string;
  expected: { zh: string; en: string; from: string; until: string } | null;
  items: ReleaseRow[];
}
export interface ClassRow {
  code: string;
  zh: string;
  en: string;
}
/** A table as it stands in the signed text; cells row by row, last dimension fastest. */
export interface PublishedTable {
  id: string;
  zh: string;
  en: string;
  entity: string;
  base: string;
  dims: { name: string; classes: ClassRow[] }[];
  cells: (number | null)[];
  total: number;
}
export interface Published {
  kind: string;
  release: number;
  title: string;
  area: number;
  campaign: string;
  published: string;
  document: {
    source: { plan: string; plan_digest: string; program: string; area: number; time: string; heads: { store: string; height: number; head: string }[] };
    tables: PublishedTable[];
  };
  proof: { digest_name: string; document: string; tables: string; version: string; signature: string; signer: string };
}
export interface DimName {
  name: string;
  kind: 'level' | 'variable' | 'item' | 'residents';
  zh: string;
  en: string;
}
export interface TableNames {
  id: string;
  zh: string;
  en: string;
  entity: string;
  base: string;
  base_cases: { case: number; zh: string; en: string }[];
  dims_of: DimName[];
}
export interface NamesOf {
  items: TableNames[];
}
