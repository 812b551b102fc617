// Pages of the public face: pages/NAME/page.ts says what each is.
import type { Component } from 'vue';

export interface PublicPage {
  path: string;
  name: string;
  order: number;
  /** Key of the title, ≤ 8 characters. */
  title: string;
  component: () => Promise<Component>;
  hidden?: boolean;
}

const found = import.meta.glob<PublicPage>('./pages/*/page.ts', { eager: true, import: 'default' });
export const pages: PublicPage[] = Object.values(found).sort((a, b) => a.order - b.order);
