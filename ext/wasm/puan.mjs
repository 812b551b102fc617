/*
 * The core for JavaScript: forms, rules and findings from puan.wasm, in a
 * browser or in node.  Never does I/O: the caller brings the bytes.
 */

export class PuanError extends Error {
  constructor(e) {
    super(e.text);
    this.name = 'PuanError';
    this.code = e.code;
    this.where = e.where;
    this.line = e.line;
    this.column = e.column;
  }
}

/** An instance from the bytes of puan.wasm. */
export async function load(bytes) {
  const { instance } = await WebAssembly.instantiate(bytes, {});
  const x = instance.exports;
  const utf8 = new TextEncoder();
  const text = new TextDecoder();

  function give(...parts) {
    const bytes = parts.map((p) => utf8.encode(p));
    const n = bytes.reduce((sum, b) => sum + b.length, 0);
    let at = x.puan_input(n);
    if (at === 0) throw new PuanError({ code: 'ENOMEM', text: 'out of memory' });
    for (const b of bytes) {
      new Uint8Array(x.memory.buffer).set(b, at);
      at += b.length;
    }
    return bytes;
  }

  function take() {
    const at = x.puan_output();
    return text.decode(new Uint8Array(x.memory.buffer, at, x.puan_output_length()));
  }

  function must(ok) {
    if (!ok) throw new PuanError(JSON.parse(take()).error);
    return ok;
  }

  return {
    /** Opens a form: its definition, the shared code lists, the month of facts. */
    form(form, codes, referenceMonth) {
      const input = { form };
      if (codes) input.codes = codes;
      if (referenceMonth) input.reference_month = referenceMonth;
      give(JSON.stringify(input));
      return must(x.puan_form_open());
    },
    /** The same from the JSON text of a form alone. */
    formText(json) {
      give(json);
      return must(x.puan_form_open());
    },
    /** Compiles texts [{file, text}] for a form, with the plan's settings. */
    rules(form, texts, settings = {}) {
      give(JSON.stringify({ settings, texts }));
      return must(x.puan_rules_open(form));
    },
    /**
     * Findings of a return's document (an object or its JSON text).  Without
     * `route` an absent answer stays not asked, whatever routing says.  With
     * `rows` also, for each row, the items asked, the answers that suit no
     * list or type, and the facts of identity items.
     */
    check(rules, document, route = true, rows = false) {
      give(typeof document === 'string' ? document : JSON.stringify(document));
      must(x.puan_check(rules, (route ? 1 : 0) | (rows ? 2 : 0)));
      return JSON.parse(take());
    },
    /** One case of test/vectors; only in puan_vectors.wasm. */
    vector(form, program, answers) {
      const [p] = give(program, answers);
      if (!x.puan_vector(form, p.length)) throw new Error('no such form');
      return take();
    },
    forget() {
      x.puan_forget();
    },
  };
}
