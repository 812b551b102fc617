/*
 * Transfer: contact, sealed returns in pieces, receipts, the list.  By itself
 * whenever there is a network; each step can be cut anywhere and is taken up
 * where the office says it stopped.
 */
import { reactive, ref } from 'vue';
import { ApiProblem, campaign as askCampaign } from '@ui/api';
import { hex, join, sha256, short, u16, u32, unbase64, utf8, type Bytes } from './bytes';
import { now } from './clock';
import { append, device, draftKey, record, renewed, secret, serial, stage, wipe, wipeNote, wipeTold, type Device } from './device';
import { takeHelp } from './help';
import * as office from './office';
import { sign, signedBy } from './seal';
import { act, fact, opened, setFact, type Kept, type Outgoing } from './store';
import { wakeListing } from './listing';
import { dossier, loadWork, outbox, receipts, takeDossier, takeForms } from './work';

const PIECE = 16 * 1024;
const LINKS = 1000; // a contact

export const transfer = reactive({
  running: false,
  /** What goes wrong, as a code of words.json (fd.sync.why.CODE); '' nothing. */
  trouble: '',
  tried: 0, // office time of the last attempt
  reached: 0, // of the last that reached the office
  sent: 0, // bytes of this attempt
});
export const bundled = ref(0);

const net = (e: unknown): string => {
  if (!(e instanceof ApiProblem)) return 'other';
  if (['offline', 'unreachable', 'timeout', 'left'].includes(e.code) || e.status >= 500) return 'network';
  if (e.status === 429) return 'busy';
  if (e.status === 404) return 'closed';
  return ['revoked', 'chain-broken', 'other-office', 'receipt'].includes(e.code) ? e.code : 'refused';
};

/** Signs in; the lease is renewed, or the device is taken back. */
async function session(): Promise<boolean> {
  const d = device.value!;
  try {
    const s = await office.signIn(d.device, await secret());
    const about = await askCampaign();
    await renewed(s, Date.parse(about.now));
    return true;
  } catch (e) {
    if (e instanceof ApiProblem && e.code === 'revoked') {
      await wipe(String(e.body.order ?? '1'));
      stage.value = 'bare';
      await loadWork();
      return false;
    }
    throw e;
  }
}

async function tellWipe(): Promise<void> {
  const note = await wipeNote();
  if (!note) return;
  await office.wiped({ device: device.value!.device, ...note, order: Number(note.order) });
  await wipeTold();
}

async function tellChain(): Promise<void> {
  const db = await opened();
  for (;;) {
    const d = device.value!;
    const links = await db.getAll('chain', IDBKeyRange.lowerBound(d.known, true), LINKS);
    const last = links[links.length - 1];
    const n = last?.n ?? d.n;
    const head = last?.hash ?? d.head;
    const signature = await sign(d.pair.privateKey, `puan-contact-1|${d.campaign}|${d.device}|${n}|${head}`);
    try {
      const c = await office.contact({ time: Math.floor(now()), from: d.known + 1, links: links.map((l) => l.text), head, signature });
      await renewed(c);
      await serial(() => record({ ...device.value!, known: c.known }));
    } catch (e) {
      if (!(e instanceof ApiProblem) || e.code !== 'chain-gap') throw e;
      await serial(() => record({ ...device.value!, known: Math.min(d.known - 1, Number(e.body.known ?? 0)) }));
      continue;
    }
    if (device.value!.known >= device.value!.n) return;
  }
}

/** The office's words about one return, if they are the office's and about this one. */
async function verified(d: Device, row: Outgoing, r: office.Receipt): Promise<Kept | null> {
  const [kind, campaign, dev, household, counter, digest, outcome, store, seq, , time] = r.text.split('|');
  const right =
    kind === 'puan-receipt-1' && campaign === d.campaign && dev === row.device && household === row.household &&
    Number(counter) === row.counter && digest === row.digest && (await signedBy(d.receipt.public, r.text, r.signature));
  if (!right) return null;
  return {
    key: row.key, device: row.device, household: row.household, counter: row.counter, digest: row.digest, outcome: outcome!, store: store!,
    seq: Number(seq), at: Number(time) || now(), text: r.text, signature: r.signature,
    findings: Array.isArray(r.findings) ? r.findings.length : 0, persons: row.persons, bytes: row.bytes.length,
    ...(row.form ? { form: row.form } : {}),
  };
}

async function settle(row: Outgoing, r: office.Receipt): Promise<void> {
  const kept = await verified(device.value!, row, r);
  if (!kept) throw new ApiProblem(0, 'receipt');
  await append([{ act: 'receipt', household: row.household, counter: row.counter, digest: row.digest }], {}, (tx) => {
    void tx.objectStore('receipts').put(kept);
    void tx.objectStore('outbox').delete(row.key);
  });
  outbox.value = outbox.value.filter((o) => o.key !== row.key);
  receipts.value = [...receipts.value.filter((o) => o.key !== kept.key), kept];
}

async function keepRow(row: Outgoing): Promise<void> {
  await act((tx) => void tx.objectStore('outbox').put(row));
  outbox.value = outbox.value.map((o) => (o.key === row.key ? row : o));
}

async function sendOne(first: Outgoing): Promise<void> {
  let row = first;
  const digest = hex(await sha256(row.bytes));
  if (!row.upload) await append([{ act: 'sent', household: row.household, counter: row.counter, digest: row.digest }]);
  try {
    let t = await office.beginTransfer(digest, row.bytes.length);
    row = { ...row, upload: t.id, have: t.have };
    await keepRow(row);
    while (!t.receipt) {
      const from = t.have;
      const part = row.bytes.slice(from, from + PIECE);
      try {
        t = await office.piece(t.id, from, part);
      } catch (e) {
        if (!(e instanceof ApiProblem) || e.code !== 'wrong-place') throw e;
        t = { id: t.id, have: Number(e.body.have ?? 0) };
      }
      transfer.sent += part.length;
      if (!t.receipt && t.have >= row.bytes.length && t.have === from) throw new ApiProblem(0, 'unreadable');
    }
    await settle(row, t.receipt);
  } catch (e) {
    if (e instanceof ApiProblem && e.code === 'unsealable') await keepRow({ ...row, refused: e.code });
    else throw e;
  }
}

// ---- all of it -------------------------------------------------------------------

let wait = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const QUIET = 10 * 60000;

function again(ms: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void syncNow(), ms);
}

async function round(): Promise<void> {
  await tellWipe();
  if (!(await session())) {
    // taken back: what is sealed can still be handed in, signed by this device
    await tellWipe();
    if (outbox.value.length) await handIn(await bundle());
    throw new ApiProblem(403, 'revoked');
  }
  transfer.reached = now();
  await tellChain();
  for (const row of [...outbox.value]) if (!row.refused && row.device === device.value!.device) await sendOne(row);
  if (device.value!.known < device.value!.n) await tellChain();
  if (draftKey()) {
    await takeForms(await askCampaign(), office.planForm);
    await wakeListing();
    const d = await office.dossier(device.value!.area);
    if (!dossier.value) await loadWork();
    await takeDossier(d);
    if (device.value!.known < device.value!.n) await tellChain();
    await takeHelp();
  }
}

export async function syncNow(): Promise<void> {
  if (transfer.running || !device.value || !['open', 'bare'].includes(stage.value)) return;
  clearTimeout(timer);
  transfer.running = true;
  transfer.sent = 0;
  transfer.tried = now();
  const before = { known: device.value.known, waiting: outbox.value.length };
  try {
    await round();
    transfer.trouble = '';
    wait = 0;
    await setFact('reached', transfer.reached);
    again(QUIET);
  } catch (e) {
    transfer.trouble = net(e);
    // a line that drops while something gets through is worth trying again at once
    const moved = transfer.sent > 0 || outbox.value.length < before.waiting || device.value.known > before.known;
    wait = moved ? 1000 : Math.min(60000, wait ? wait * 2 : 4000);
    again(transfer.trouble === 'network' || transfer.trouble === 'busy' ? wait : QUIET);
  } finally {
    transfer.running = false;
  }
}

/** From unlocking on, whenever there may be a network. */
export async function keepSending(): Promise<void> {
  transfer.reached = (await fact<number>('reached')) ?? 0;
  void syncNow();
}
addEventListener('online', () => void syncNow());
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && outbox.value.length) void syncNow();
});

// ---- by another way ----------------------------------------------------------------

/** All that is sealed here, and the chain the office may not know, in one file. */
export async function bundle(): Promise<Bytes> {
  const d = device.value!;
  const rows = outbox.value.filter((o) => o.device === d.device);
  const links = await (await opened()).getAll('chain', IDBKeyRange.lowerBound(d.known, true));
  const parts: Uint8Array[] = [utf8('PUANB1\n'), short(d.campaign), short(d.device), u32(rows.length)];
  for (const r of rows) parts.push(u32(r.bytes.length), r.bytes);
  parts.push(u32(links.length), u32(d.known + 1));
  for (const l of links) {
    const text = utf8(l.text);
    parts.push(u16(text.length), text);
  }
  const all = join(...parts);
  const signature = await sign(d.pair.privateKey, `puan-bundle-1|${d.campaign}|${d.device}|${hex(await sha256(all))}`);
  return join(all, unbase64(signature));
}
export async function handIn(bytes: Bytes): Promise<void> {
  const a = await office.sendBundle(bytes);
  for (const r of a.receipts) {
    const [, , dev, household, counter] = r.text.split('|');
    const row = outbox.value.find((o) => o.key === `${dev}|${household}|${counter}`);
    if (row) await settle(row, r);
  }
}
