/*
 * Requests to the server this page came from, and to no other.
 *
 * Paths are those below /api/v1/c/{campaign}; the campaign is asked once.
 * What the server refuses is an ApiProblem with its stable code; what does not
 * answer in time, or not at all, is one with code "timeout", "unreachable" (no
 * server) or "offline" (no network here).
 * Never shows anything; never retries a write.
 */
import { ref, shallowRef } from 'vue';

export interface Campaign {
  campaign: string;
  zh: string;
  en: string;
  birth: 'live' | 'drill' | 'demo';
  now: string;
  offset_minutes: number;
  plan_digest: string;
  reference: string;
  area: string;
  area_zh: string;
  area_en: string;
  levels: { level: string; zh: string; en: string; office_zh?: string; office_en?: string; digits?: number; external?: boolean }[];
  windows: { id: string; zh: string; en: string; from: string; until: string; open: boolean; modes: string[] }[];
  [more: string]: unknown;
}

export class ApiProblem extends Error {
  status: number;
  code: string;
  detail: string;
  where: string;
  body: Record<string, unknown>;
  /** Seconds after which it is worth trying again (Retry-After); 0 not said. */
  retry: number;
  constructor(status: number, code: string, detail = '', body: Record<string, unknown> = {}, retry = 0) {
    super(detail || code);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.where = String(body.where ?? '');
    this.body = body;
    this.retry = retry;
  }
}

/*
 * Use of the session.  A request within a minute of a key, a tap or a turn of
 * the wheel is a person's; what the page asks by itself later (a live refetch,
 * a timer) says so and keeps nobody signed in.
 */
const ATTENDED = 60000;
export const use = { input: Date.now(), answered: Date.now() };
for (const kind of ['keydown', 'pointerdown', 'wheel', 'touchstart', 'input'])
  addEventListener(kind, () => (use.input = Date.now()), { capture: true, passive: true });

/** How long an answer may take before it counts as not loaded; tests shorten it. */
export function patience(): number {
  return Number((globalThis as Record<string, unknown>).PUAN_PATIENCE ?? 10000);
}

/** The device has a network, as far as the last request could tell. */
export const online = ref(true);
/** Set when a request needed a session and there was none: the shell shows the sign-in. */
export const signedOut = ref(false);
/**
 * Asks for a fresh second factor; the shell puts the panel here.  Resolves to
 * true when the code was taken, and the request is sent once more.
 */
export const factorAsker = shallowRef<(() => Promise<boolean>) | null>(null);

let known: Promise<Campaign> | null = null;

/** The campaign this server holds. */
export function campaign(): Promise<Campaign> {
  known ??= fetchJson<Campaign>('GET', '/api/v1/campaign').catch((e: unknown) => {
    known = null;
    throw e;
  });
  return known;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export function withQuery(path: string, query?: Query): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query ?? {})) if (v !== null && v !== undefined && v !== '') q.set(k, String(v));
  const text = q.toString();
  return text ? `${path}${path.includes('?') ? '&' : '?'}${text}` : path;
}

/** The whole address of a path below the campaign. */
export async function address(path: string, query?: Query): Promise<string> {
  const c = await campaign();
  return withQuery(`/api/v1/c/${c.campaign}${path}`, query);
}

interface Sending {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  raw?: boolean;
}

async function send(method: string, url: string, how: Sending = {}): Promise<Response> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort('timeout'), patience());
  const cut = () => stop.abort('left');
  how.signal?.addEventListener('abort', cut);
  const began = Date.now();
  const unattended = began - use.input > ATTENDED;
  try {
    const bytes = how.body instanceof Blob || how.body instanceof ArrayBuffer;
    const answer = await fetch(url, {
      method,
      signal: stop.signal,
      credentials: 'same-origin',
      headers: {
        Accept: 'application/json',
        ...(unattended ? { 'Puan-Unattended': '1' } : {}),
        ...(how.body === undefined || bytes ? {} : { 'Content-Type': 'application/json' }),
        ...how.headers,
      },
      body: how.body === undefined ? undefined : bytes ? (how.body as BodyInit) : JSON.stringify(how.body),
    });
    // the body belongs to the answer: it too must come in time
    const text = how.raw ? null : await answer.text();
    online.value = true;
    if (!unattended && answer.status !== 401 && !url.includes('peek=')) use.answered = began;
    return how.raw ? answer : new Response(text && answer.status !== 204 && answer.status !== 304 ? text : null, answer);
  } catch {
    if (how.signal?.aborted) throw new ApiProblem(0, 'left');
    if (stop.signal.aborted) throw new ApiProblem(0, 'timeout');
    online.value = navigator.onLine;
    throw new ApiProblem(0, navigator.onLine ? 'unreachable' : 'offline');
  } finally {
    clearTimeout(timer);
    how.signal?.removeEventListener('abort', cut);
  }
}

async function problem(answer: Response): Promise<ApiProblem> {
  let body: Record<string, unknown> = {};
  try {
    body = (await answer.json()) as Record<string, unknown>;
  } catch {
    // no problem document: the status must do
  }
  const type = String(body.code ?? body.type ?? `http-${answer.status}`);
  const retry = Number(answer.headers.get('Retry-After') ?? 0) || 0;
  return new ApiProblem(answer.status, type.split(/[/:#]/).pop() || type, String(body.detail ?? ''), body, retry);
}

async function fetchJson<T>(method: string, url: string, how: Sending = {}): Promise<T> {
  let answer = await send(method, url, how);
  if (answer.status === 403 && factorAsker.value) {
    const p = await problem(answer);
    if (p.code !== 'second-factor') throw p;
    if (!(await factorAsker.value())) throw p;
    answer = await send(method, url, how);
  }
  if (!answer.ok) {
    const p = await problem(answer);
    if (p.status === 401 && p.code !== 'sign-in-failed') signedOut.value = true;
    throw p;
  }
  const text = await answer.text();
  return (text ? JSON.parse(text) : null) as T;
}

/** An answer remembered by its ETag, for pages that ask again and again. */
const remembered = new Map<string, { etag: string; body: unknown }>();

export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  const url = await address(path, query);
  const old = remembered.get(url);
  const answer = await send('GET', url, { signal, headers: old ? { 'If-None-Match': old.etag } : {} });
  if (answer.status === 304 && old) return old.body as T;
  if (!answer.ok) {
    const p = await problem(answer);
    if (p.status === 401) signedOut.value = true;
    throw p;
  }
  const body = (await answer.json()) as T;
  const etag = answer.headers.get('ETag');
  if (etag) {
    if (remembered.size > 200) remembered.clear();
    remembered.set(url, { etag, body });
  }
  return body;
}

/** Forgets every remembered answer: after signing out or changing the seat. */
export function forget(): void {
  remembered.clear();
}

export async function post<T = unknown>(path: string, body: unknown = {}, headers?: Record<string, string>): Promise<T> {
  return fetchJson<T>('POST', await address(path), { body, headers });
}

export async function put<T = unknown>(path: string, body: unknown = {}, headers?: Record<string, string>): Promise<T> {
  return fetchJson<T>('PUT', await address(path), { body, headers });
}

export async function remove(path: string): Promise<void> {
  await fetchJson('DELETE', await address(path));
}

/** Any bytes: a file, a diagram. */
export async function bytes(path: string, query?: Query): Promise<Blob> {
  const answer = await send('GET', await address(path, query), { raw: true });
  if (!answer.ok) throw await problem(answer);
  return answer.blob();
}

/** A copy to take away: asked for by an act of its own, which is entered. */
export async function copyOf(path: string, body: unknown): Promise<Blob> {
  const answer = await send('POST', await address(path), { body, raw: true });
  if (!answer.ok) throw await problem(answer);
  return answer.blob();
}

/** A file made on asking: its bytes and the name the server gave it. */
export async function made(path: string, body: unknown): Promise<{ blob: Blob; name: string }> {
  const answer = await send('POST', await address(path), { body, raw: true });
  if (!answer.ok) throw await problem(answer);
  const name = /filename\*=UTF-8''([^;]+)/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1];
  return { blob: await answer.blob(), name: name ? decodeURIComponent(name) : 'paper' };
}
