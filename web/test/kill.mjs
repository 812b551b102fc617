// Kills a browser as a dying phone does: SIGKILL, found by its own profile
// directory, so that no other browser is touched.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

function pidsOf(profile) {
  const out = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').includes(`--user-data-dir=${profile}`)) out.push(Number(name));
    } catch { /* it has just ended */ }
  }
  return out;
}

export async function killProfile(profile) {
  for (const pid of pidsOf(profile)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch { /* it has just ended */ }
  }
  for (let i = 0; i < 100 && pidsOf(profile).length; i++) await new Promise((r) => setTimeout(r, 20));
  for (const lock of ['SingletonLock', 'SingletonCookie', 'SingletonSocket']) rmSync(join(profile, lock), { force: true });
}
