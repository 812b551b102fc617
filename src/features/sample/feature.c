/* The commands of sampling. */
#include <stdio.h>

#include "features/sample/register.h"
#include "features/sample/sample.h"
#include "features/host/args.h"

int puan_sample_fail(const struct puan_err *err)
{
    return puan_verb_fail("sample", err);
}

static const struct puan_command commands[] = {
    { "sample",
      "DATA… --seed TEXT (--take N | --take-each N | --rate R | --every K | "
      "--takes FILE) [--draw simple|systematic|every|pps] [--unit ENTITY] "
      "[--strata ITEM,…] [--allocate proportional|equal|root] [--least N] "
      "[--size ITEM|ENTITY] [--within ENTITY --then-take N|--then-every K "
      "[--then simple|systematic]] [--level NAME=ITEM,…]… [--entity NAME] "
      "[--columns ITEM,…] [-o FILE] [--record FILE] [--digest sm3|sha256] "
      "[--json] [--threads N] [--quiet]",
      "Draws a sample of the rows of an entity of a frame or CSV: simple, "
      "systematic with a random start, every Kth, or with probability "
      "proportional to size, in strata, in one stage or two. All chance comes "
      "from the seed: publish it before the draw, and anyone redoes it from "
      "the record. -o writes "
      "the rows taken with weight, probability and the numbers that estimates "
      "need; --record writes seed, digest of the frame, options, strata and "
      "digest of the selection. A tenth of the households: --unit household "
      "--rate 0.1. An area sample: --unit ea --draw pps --size household "
      "--take 400 --within household --then-take 20 --strata region. Over a "
      "campaign directory: puan help sample draw.",
      puan_sample_draw, "抽样：系统、分层、PPS、两阶段，种子可公开复核" },
    { "sample draw",
      "DIR --purpose long-form|inspection|post-enumeration [--area CODE] "
      "[--note TEXT] --seed TEXT (--take N | …) [-o FILE] [--record FILE] "
      "[--json] [--quiet] | DATA… (as puan sample)",
      "Draws a sample over the listing roll of a campaign, or of an area of "
      "it, and enters it in the campaign's register as an act of the ledger; "
      "options are those of puan sample, units are household and the plan's "
      "levels. Each draw stays: there is no taking back. The tenth of the long "
      "form: --purpose long-form --rate 0.1 --strata township. Enumeration "
      "areas for a post-enumeration survey: --purpose post-enumeration --unit "
      "ea --strata township --draw pps --size household --take-each 2.",
      puan_sample_draw, "按普查底册抽样并登记存证" },
    { "sample verify", "RECORD DATA… [--json] [--quiet] | DIR NUMBER",
      "Draws again by a record and compares: the frame's digest and the "
      "selection's. Of a campaign's register: the draw of that number, over "
      "the roll as it was then, and what has changed on the roll since. Exit "
      "code 1 when one differs.",
      puan_sample_verify, "按抽样记录重新抽取并核对" },
    { "sample list", "DIR [--json]",
      "Lists the draws of a campaign's register.", puan_register_list,
      "列出抽样登记" },
    { "sample export", "DIR NUMBER [--frame FILE] [--record FILE] [-o FILE]",
      "Writes what anybody needs to redo a draw of the register without the "
      "campaign: the frame as CSV and the record (puan sample verify RECORD "
      "FRAME), and the units drawn. \"-\" is standard output. Codes of areas "
      "and households, no names, no answers.",
      puan_register_export, "导出抽样框、记录和抽中名单" },
    { "sample results", "DIR NUMBER FILE.csv",
      "Keeps what was found in the units drawn, as an act of the ledger: one "
      "row a person, household or record, with the code of its unit in the "
      "column household (or ea …) and any columns besides; of a "
      "post-enumeration sample the matching result (columns sample, mover, "
      "result of puan evaluate coverage). A unit that was not drawn and a "
      "column of identities are refused. The newest file of a draw is in "
      "force; all stay.",
      puan_register_load, "载入抽中单位的调查或比对结果" },
    { "sample estimate",
      "SAMPLE… | DIR NUMBER [--weight ITEM] [--strata ITEM] [--cluster ITEM] "
      "[--stratum-units ITEM] [--second-units ITEM] [--p ITEM] [--by ITEM] "
      "(--total ITEM | --mean ITEM | --ratio ITEM/ITEM | --share ITEM)… "
      "[--drawn simple|systematic|pps] "
      "[--lonely fail|certainty|centre|average] [--level 0.95] [--csv] "
      "[--json]",
      "Estimates totals, means, ratios and shares from a sample, with standard "
      "errors of its design, confidence limits and design effects, for the "
      "whole and by the values of an item. --cluster names the primary units, "
      "--stratum-units the column with their number in the stratum (without it "
      "no finite population correction is made), --second-units that of the "
      "units in each primary unit, --p the probabilities of the primary units "
      "for --drawn pps. Of a draw of a campaign's register all of these are "
      "known. --lonely says what a stratum with one primary unit "
      "adds.",
      puan_sample_estimate, "由样本估计总体并给出抽样误差" },
    { "sample allocate",
      "STRATA (--take N | --budget B | --cv C --mean M) "
      "[--how proportional|equal|root|neyman|cost] [--least N]",
      "Numbers to take of each stratum. STRATA is a CSV with stratum, units "
      "and, "
      "for neyman and cost, sd and cost; what it writes serves --takes of puan "
      "sample.",
      puan_sample_allocate, "计算各层样本量" },
};

const struct puan_feature puan_feature_sample = {
    .name = "sample",
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
    .routes = puan_register_routes,
    .n_routes = 8,
    .schema = puan_register_schema,
    .n_schema = 1,
    .covered = puan_register_covered,
    .n_covered = 2,
};
