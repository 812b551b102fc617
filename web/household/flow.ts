/*
 * Which page comes when: after signing in to where one stopped, after the last
 * question to the page that checks, after closing to the state.
 */
import { reactive } from 'vue';
import type { Router } from 'vue-router';
import { begin, draft, firstUndone, manner, stepById } from '../form/model';
import { elsewhere, start, sync } from './keep';
import { about, loadMe, mayFill, me, mustSet, openDraft } from './me';

/** Said on the first page when a session ran out. */
export const resume = reactive({ again: false });

/** Signed in: the page this household has to see now. */
export async function goOn(router: Router): Promise<void> {
  const m = me.value;
  if (!m) {
    await router.replace('/');
    return;
  }
  if (!m.return && mayFill.value) {
    await openDraft();
    if (mustSet.value || !m.password_set || !draft.who) await router.replace('/home');
    else await router.replace(whereToGo());
  } else {
    await router.replace('/sent');
  }
}

export function whereToGo(): string {
  if (manner.sheet) return '/form';
  const id = /^\/q\/(.+)$/.exec(draft.at)?.[1];
  if (id && stepById(id)) return draft.at;
  if (draft.at === '/check' || draft.at === '/form') return draft.at;
  return firstUndone.value ? `/q/${firstUndone.value.id}` : '/check';
}

/** Two phones went on: the household has chosen one. */
export async function takeOther(there: boolean): Promise<void> {
  const other = elsewhere.value;
  const m = me.value;
  if (!other || !m?.form) return;
  if (there) begin(about.value!.campaign, m.form, other.draft);
  draft.rev = other.rev;
  draft.dirty = !there;
  elsewhere.value = null;
  start();
  if (!there) await sync();
  await loadMe();
}
