#!/usr/bin/env python3
"""Makes the list of counties that a household chooses from by name when a form
asks for the code of a county: nested by province and prefecture.

    tools/places.py data/census2020_areas.csv > web/form/places/cn-population-2020.json
"""
import csv
import json
import sys


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tree = {}
    with open(sys.argv[1], encoding='utf-8', newline='') as f:
        for row in csv.DictReader(f):
            code = row['code']
            # provinces end in 0000, prefectures in 00
            if len(code) != 6 or code.endswith('00'):
                continue
            tree.setdefault(row['province'], {}).setdefault(
                row['prefecture'], []).append([code, row['county']])
    json.dump([[p, [[q, c] for q, c in qs.items()]] for p, qs in tree.items()],
              sys.stdout, ensure_ascii=False, separators=(',', ':'))
    sys.stdout.write('\n')


if __name__ == '__main__':
    main()
