/* The commands of evaluation. */
#include <stdio.h>

#include "features/evaluate/evaluate.h"
#include "features/host/args.h"

int puan_evaluate_fail(const struct puan_err *err)
{
    return puan_verb_fail("evaluate", err);
}

static const struct puan_command commands[] = {
    { "evaluate",
      "DATA… [--age ITEM] [--sex ITEM] [--male TEXT] [--female TEXT] "
      "[--count ITEM] [--wide M,F] [--open AGE] [--five] [--by [NAME=]ITEM,…]… "
      "[--where ITEM=TEXT] [--score-ages 10-69] [--myers-ages 23-82] "
      "[--birth-month ITEM] [--digits ITEM] "
      "[--bands FILE] [--least N] [--csv FILE] [--json] [--list N] "
      "[--svg FILE|DIR] [--area LABEL] [--against DATA] [--title TEXT] "
      "[--five-year-bars] [--quantiles FILE] [--entity NAME] [--lang zh|en] "
      "[--threads N] [--quiet]",
      "Measures how good the ages and sexes of a count are, for the whole and "
      "for every area: Whipple, Myers, Bachi, Spoorenberg, the United Nations' "
      "age-sex index and its parts, Das Gupta, sex ratios, infants, age "
      "shares; each with the ages it used and what chance allows. DATA is a "
      "frame or CSV of persons, of counts (--count), or a published table with "
      "one row an area and columns by age (--wide m_,f_: m_0 m_1_4 m_5_9 … "
      "m_85p). --open 85 says that 85 stands for all above; --five that ages "
      "are lower limits of five-year groups. --by may be given several times. "
      "--bands judges by a file of limits; --quantiles writes such a file out "
      "of the areas at hand, so that the bands are those of real populations "
      "and not a textbook's. --svg draws the pyramid, --against another count "
      "as an outline over it. --quiet shows no progress and, where a file is "
      "written, nothing else. Exit code 1 when an area raises an alarm.",
      puan_evaluate_ages, "评估年龄性别数据质量：各指数、分地区、金字塔" },
    { "evaluate growth",
      "EARLIER LATER --years N [--by [NAME=]ITEM,…]… [--limits 0.93-1.02] "
      "[--deaths FILE] [--fit-ages 5-75] [--births N] [--migration N] "
      "[--csv FILE] [--json] [--age ITEM] [--sex ITEM] [--male TEXT] "
      "[--female TEXT] [--count ITEM] [--wide M,F] [--open AGE] [--five] "
      "[--where ITEM=TEXT] [--entity NAME] [--lang zh|en] [--quiet]",
      "Holds a census against an earlier one: growth, survival ratios of "
      "cohorts by sex and area, and, with the deaths between them by age and "
      "sex, the generalized growth balance: how well one census covered "
      "against the other, and how many deaths are registered. --births (with "
      "--deaths and --migration) gives the balancing equation and its error of "
      "closure. Files are read as puan evaluate reads them. --quiet shows no "
      "progress and, with --csv, nothing else. Exit code 1 when a "
      "cohort lies beyond --limits.",
      puan_evaluate_growth, "与上次普查比较：增长、队列存活、增长平衡" },
    { "evaluate coverage",
      "PES… | DIR NUMBER [--base resident|present|registered] [--result ITEM] [--sample ITEM] [--mover ITEM] [--weight ITEM] "
      "[--strata ITEM] [--cluster ITEM] [--stratum-units ITEM] "
      "[--second-units ITEM] [--p ITEM] [--drawn simple|systematic|pps] "
      "[--lonely fail|certainty|centre|average] [--by ITEM] [--census FILE] "
      "[--count N] [--imputed N] [--movers A|B|C] [--csv] [--json] "
      "[--lang zh|en] | --lists N1,N2,MATCHED",
      "Estimates who a census missed, counted twice or wrongly, from a "
      "post-enumeration survey matched to it. One row is a person found by the "
      "survey (sample P; mover stayed, out or in; result matched or missed) or "
      "a census record looked at again (sample E; result correct, duplicate or "
      "erroneous). --census FILE has the census's persons (and imputed) by "
      "the item of --by: then dual-system estimates with errors of the "
      "survey's design are given, for each domain and their sum. --movers C "
      "takes in-movers matched as well as out-movers, as Statistics South "
      "Africa does. --lists gives Petersen's and Chapman's estimates of two "
      "complete lists. DIR NUMBER is a post-enumeration sample of a campaign's "
      "register (puan sample draw, puan sample results): its design is known, "
      "and the census's persons by stratum are counted from the returns.",
      puan_evaluate_coverage, "由事后质量抽查估计漏登、重登与双系统估计" },
};

const struct puan_feature puan_feature_evaluate = {
    .name = "evaluate",
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
    .routes = puan_evaluate_routes,
    .n_routes = 2,
};
