// Writes a small country of plan zz-test: areas, listing and staff as CSV,
// returns as JSON documents, one a line.  usage: node make_city.mjs OUT_DIR
import { writeFileSync } from 'node:fs';

const out = process.argv[2];
const areas = ['code,parent,level,name_zh,name_en'];
const listing = ['household,ea,building,unit,status,mode,head_name'];
const staff = ['staff,role,name,phone,area,device'];
const docs = [];
for (const canton of ['11', '12']) {
  areas.push(`${canton},,canton,州${canton},Canton ${canton}`);
  for (let p = 1; p <= 2; p++) {
    const parish = canton + String(p).padStart(3, '0');
    areas.push(`${parish},${canton},parish,区${parish},Parish ${parish}`);
    for (let r = 1; r <= 3; r++) {
      const ea = parish + String(r).padStart(3, '0');
      areas.push(`${ea},${parish},round,段${ea},Round ${ea}`);
      staff.push(`e-${ea},enumerator,Ann ${r},555${r},${ea},d-${ea}`);
      for (let h = 1; h <= 20; h++) {
        const household = ea + String(h).padStart(4, '0');
        listing.push(`${household},${ea},1,${h},ordinary,enumerator,Head ${h}`);
        docs.push(JSON.stringify({
          form: 'household', household, base: 0, device: `d-${ea}`, counter: h,
          mode: 'enumerator', started: '2026-01-01T10:00:00Z',
          finished: '2026-01-01T10:05:00Z', signed: true,
          answers: { members: 1, dwelling: '3', rooms: 2 },
          member: [{ full_name: `Name ${h}`, place: '1', sex: 'F',
            born: '1980-03', card: `ZZ${household}`, usual: '1',
            tongue: '01', school: '2', job: 'clerk' }],
        }));
      }
    }
  }
}
writeFileSync(`${out}/areas.csv`, areas.join('\n') + '\n');
writeFileSync(`${out}/listing.csv`, listing.join('\n') + '\n');
writeFileSync(`${out}/staff.csv`, staff.join('\n') + '\n');
writeFileSync(`${out}/returns.jsonl`, docs.join('\n') + '\n');
// a sender that had read a version that never was: goes to quarantine
writeFileSync(`${out}/stale.jsonl`,
  docs.at(-1).replace('"base":0', '"base":7')
    .replace('"counter":20', '"counter":999') + '\n');
