import type { Matter } from '@ui/help';

export interface Kinds {
  items: Matter[];
  limits: { text_bytes: number; contact_bytes: number };
  areas: { code: string; zh: string; en: string }[];
}
export interface State {
  state: string;
  state_zh: string;
  state_en: string;
  ended: boolean;
  received: string;
  since: string;
  due: string | null;
  receipt?: string;
  answer?: string;
}
