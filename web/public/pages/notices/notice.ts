import { lang } from '@ui/words';

/** What an office says to everybody, as the server has it. */
export interface Notice {
  id: number;
  area_zh: string;
  area_en: string;
  kind: string;
  kind_zh: string;
  kind_en: string;
  title: string;
  title_en: string;
  text: string;
  text_en: string;
  about: string;
  about_en: string;
  at: string;
  withdrawn: string | null;
}

/** A text of it: in English where there is one. */
export function words(n: Notice, key: 'title' | 'text' | 'about'): string {
  return (lang.value === 'en' && n[`${key}_en`]) || n[key];
}
