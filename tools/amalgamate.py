#!/usr/bin/env python3
"""Makes the single-file core: base and core in one C file, for embedders, PGXS
and WebAssembly.

    tools/amalgamate.py SOURCE_ROOT OUT.c FILE.c...

Headers of the project are put in once, where first included.  Names private to
a file (static functions and data, tags, typedefs, enumerators, macros) that
occur in more than one file get the file's number, so that no source needs to
know of the others.  Fails when a file is missing; never looks outside SOURCE_ROOT.
"""
import os
import re
import sys

TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    r'|(?:->|\.)\s*[A-Za-z_]\w*|[A-Za-z_]\w*|.', re.S)
INCLUDE = re.compile(r'^#include "([^"]+)"[^\n]*$', re.M)


def private_names(text):
    """Names with file scope in a .c file that no header declares."""
    code = re.sub(r'/\*.*?\*/', ' ', text, flags=re.S)
    names = set(re.findall(r'^#define\s+([A-Za-z_]\w*)', code, re.M))
    names |= set(re.findall(r'^(?:struct|enum|union)\s+([A-Za-z_]\w*)\s*\{',
                            code, re.M))
    names |= set(re.findall(r'^typedef\s[^;{]*?([A-Za-z_]\w*)\s*;', code, re.M))
    # static functions and data: the name before ( [ = or ;
    names |= set(re.findall(
        r'^static\s[^;{}()=\[]*?([A-Za-z_]\w*)\s*(?:\(|\[|=|;)', code, re.M))
    names |= set(re.findall(r'^\}\s*([A-Za-z_]\w*)\s*(?:\[[^\]]*\])?\s*(?:=|;)',
                            code, re.M))
    # a return type on its own line
    names |= set(re.findall(r'^static\s[^;{}()=]*\n([A-Za-z_]\w*)\(', code,
                            re.M))
    for body in re.findall(r'^enum(?:\s+\w+)?\s*\{([^}]*)\}', code, re.M):
        for part in body.split(','):
            found = re.match(r'\s*([A-Za-z_]\w*)', part)
            if found:
                names.add(found.group(1))
    return names - {'struct', 'enum', 'union', 'static', 'const'}


def rename(text, names, suffix):
    if not names:
        return text

    def one(match):
        word = match.group(0)
        return word + suffix if word in names else word

    return TOKEN.sub(one, text)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    root, out = sys.argv[1], sys.argv[2]
    files = sorted(sys.argv[3:], key=lambda f: (0 if '/base/' in f else 1, f))
    texts, seen, count, headers = {}, set(), {}, []
    for f in files:
        with open(f, encoding='utf-8') as h:
            texts[f] = h.read()
        for name in private_names(texts[f]):
            count[name] = count.get(name, 0) + 1

    def inline(path):
        """The header's text with those it includes, once."""
        path = os.path.normpath(path)
        if path in seen:
            return ''
        seen.add(path)
        with open(path, encoding='utf-8') as h:
            return expand(h.read(), os.path.dirname(path))

    def expand(text, folder):
        def put(match):
            name = match.group(1)
            near = os.path.join(folder, name)
            return inline(near if os.path.exists(near)
                          else os.path.join(root, 'src', name))

        return INCLUDE.sub(put, text)

    # headers private to a folder hold names too (ops.h, run.h): they are seen
    # by every later file, so their names count as taken
    for f in files:
        for name in INCLUDE.findall(texts[f]):
            path = os.path.normpath(os.path.join(root, 'src', name))
            if path in headers or not os.path.exists(path):
                continue
            headers.append(path)
            with open(path, encoding='utf-8') as h:
                for taken in private_names(
                        h.read().replace('static inline', 'static')):
                    if taken in count:
                        count[taken] += 1
    with open(out + '.tmp', 'w', encoding='utf-8') as h:
        h.write('/*\n * Puan: base and core in one file, made by '
                'tools/amalgamate.py; do not edit.\n'
                ' * Apache-2.0.\n */\n')
        for i, f in enumerate(files):
            mine = private_names(texts[f])
            shared = {n for n in mine if count[n] > 1}
            body = texts[f]
            includes = ''.join(
                expand(m.group(0), os.path.dirname(f)) + '\n'
                for m in INCLUDE.finditer(body))
            body = INCLUDE.sub('', body)
            h.write('\n/* ---- %s ---- */\n' % os.path.relpath(f, root))
            h.write(includes)
            h.write(rename(body, shared, '_f%d' % i))
            for macro in sorted(set(re.findall(r'^#define\s+([A-Za-z_]\w*)',
                                               body, re.M))):
                name = macro + '_f%d' % i if macro in shared else macro
                h.write('\n#undef %s' % name)
            h.write('\n')
    os.replace(out + '.tmp', out)


main()
