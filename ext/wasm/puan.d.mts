/* Types of puan.mjs, for TypeScript. */
export interface Finding {
  rule: string;
  severity: 'hard' | 'soft';
  override: boolean;
  entity: string;
  row: number;
  zh: string;
  en: string;
  items: string[];
}
export interface Row {
  asked: string[];
  invalid: string[];
  facts: Record<string, string | number>;
}
export interface Checked {
  findings: Finding[];
  evaluated: number;
  not_evaluable: number;
  hard: boolean;
  rows?: Record<string, Row[]>;
}
export class PuanError extends Error {
  code: string;
  where: string;
  line: number;
  column: number;
}
export interface Puan {
  form(form: unknown, codes?: unknown, referenceMonth?: string): number;
  formText(json: string): number;
  rules(form: number, texts: { file: string; text: string }[], settings?: Record<string, number>): number;
  check(rules: number, document: unknown, route?: boolean, rows?: boolean): Checked;
  vector(form: number, program: string, answers: string): string;
  forget(): void;
}
export function load(bytes: BufferSource): Promise<Puan>;
