/*
 * What the office is asked (contract 18).  Never retries; the caller decides.
 */
import { address, ApiProblem, patience, post, put } from '@ui/api';
import type { Help, Matter } from '@ui/help';
import type { PlanForm } from '../form/core';
import type { Bytes } from './bytes';
import type { OfficeKey } from './seal';

export interface OfficeKeys {
  campaign: string;
  key: OfficeKey;
  receipt: OfficeKey;
  text: string;
  alg: string;
  signature: string;
  ledger_key: string;
}
export interface Enrolled {
  device: string;
  secret: string;
  account: string;
  role: string;
  area: string;
  campaign: string;
  office: OfficeKeys;
  lease_until: number;
  server_time: number;
}
export interface Session {
  token: string;
  name: string;
  role: string;
  area: string;
  idle_ms: number;
  lease_until: number;
  lease_key: string;
  server_time: number;
}
export interface Contact {
  known: number;
  head: string;
  lease_until: number;
  lease_key: string;
  server_time: number;
}
export interface Receipt {
  text: string;
  signature: string;
  findings: unknown;
}
export interface Transfer {
  id: string;
  have: number;
  receipt?: Receipt;
}
/** A household as the office listed it, and what the office has of it. */
export interface Listed {
  household: string;
  building: string;
  unit: string;
  status: string;
  mode: string;
  handed?: boolean; // filled in by nobody when self-enumeration closed
  head?: string;
  phone?: string;
  address?: string;
  cells?: Record<string, number | string>;
  version: number; // of the office's return; 0: none
  queries: { id: number; version: number; reason: string; asked: string }[];
}
export interface Dossier {
  area: string;
  area_zh: string;
  area_en: string;
  households: Listed[];
}

let token = '';
export const signedIn = (): boolean => token !== '';
export function forgetSession(): void {
  token = '';
}
const own = (): Record<string, string> => ({ Authorization: `Bearer ${token}` });

async function read<T>(path: string, signed = true): Promise<T> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience());
  try {
    const a = await fetch(await address(path), { credentials: 'omit', signal: stop.signal, headers: { Accept: 'application/json', ...(signed ? own() : {}) } });
    if (!a.ok) {
      const body = (await a.json().catch(() => ({}))) as Record<string, unknown>;
      throw new ApiProblem(a.status, String(body.code ?? body.type ?? a.status).split(/[/:#]/).pop()!, String(body.detail ?? ''), body);
    }
    return (await a.json()) as T;
  } catch (e) {
    throw e instanceof ApiProblem ? e : new ApiProblem(0, stop.signal.aborted ? 'timeout' : 'unreachable');
  } finally {
    clearTimeout(timer);
  }
}

export const officeKeys = (): Promise<OfficeKeys> => read('/field/key', false);
export const enrol = (code: string, name: string, signKey: string): Promise<Enrolled> => post('/field/enrol', { code, name, sign_key: signKey });
export async function signIn(device: string, secret: string): Promise<Session> {
  const s = await post<Session>('/field/session', { device, secret });
  token = s.token;
  return s;
}
export const contact = (body: unknown): Promise<Contact> => post('/field/contact', body, own());
export const wiped = (body: unknown): Promise<unknown> => post('/field/wipe', body);
export const beginTransfer = (digest: string, size: number): Promise<Transfer> => post('/field/uploads', { digest, size }, own());
export const piece = (id: string, at: number, bytes: Bytes): Promise<Transfer> =>
  put(`/field/uploads/${id}?at=${at}`, bytes.slice().buffer, { ...own(), 'Content-Type': 'application/octet-stream' });
export const sendBundle = (bytes: Bytes): Promise<{ receipts: Receipt[]; known?: number }> =>
  post('/field/bundles', bytes.slice().buffer, { 'Content-Type': 'application/octet-stream' });
export const dossier = (area: string): Promise<Dossier> => read(`/field/dossier?area=${area}`);
export const planForm = (form: string): Promise<PlanForm> => read(`/public/plan/forms/${form}`, false);
export interface Became {
  state_zh: string;
  state_en: string;
  ended: boolean;
  receipt?: string;
  answer?: string;
}
export const helpTexts = (): Promise<Help> => read('/help');
export const helpKinds = (): Promise<{ items: Matter[] }> => read('/help/kinds');
export const question = (body: unknown, key: string): Promise<Became> => post('/help/questions', body, { ...own(), 'Idempotency-Key': key });
export const whatBecame = (receipt: string): Promise<Became> => read(`/public/questions/${receipt}`, false);
