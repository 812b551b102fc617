/*
 * What a refused or failed act says to the person: fact and remedy, in the
 * page's language.  A page that knows better says its own words first.
 */
import { ApiProblem, patience } from './api';
import { t } from './words';

export function errorText(e: unknown): string {
  if (!(e instanceof ApiProblem)) return t('error.server');
  if (e.code === 'offline') return t('error.offline');
  if (e.code === 'unreachable') return t('error.unreachable');
  if (e.code === 'timeout') return t('error.timeout', { n: Math.round(patience() / 1000) });
  if (e.status === 409 || e.status === 412) return t('error.conflict');
  if (e.status === 429) return t('error.limit');
  if (e.status === 401 || e.status === 403 || e.status === 404) return t('error.refused');
  if (e.status === 400 || e.status === 413 || e.status === 422)
    return t('error.input', { where: e.where || '—', detail: e.detail });
  return t('error.server');
}
