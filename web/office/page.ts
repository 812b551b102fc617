/*
 * What a page of the office says of itself in pages/NAME/page.ts.  The shell
 * finds all pages by itself: the rail, the router and the key sequences are
 * made from these.
 */
import type { Component } from 'vue';

export type Group = 'today' | 'progress' | 'review' | 'work' | 'duty' | 'release' | 'ledger' | 'system';

export interface OfficePage {
  /** Below /office, without slash at the start: "review", "households/:household". */
  path: string;
  name: string;
  group: Group;
  order: number;
  /** Key of the title, ≤ 8 characters; also the rail's word. */
  title: string;
  /** Capability, or a list of which one is enough. */
  needs: string | string[];
  component: () => Promise<Component>;
  /** Not in the rail: opened from another page. */
  hidden?: boolean;
  /** Roles that open the office on this page. */
  first?: string[];
  /** Fine on a phone: stands in its bottom bar. */
  phone?: boolean;
}
