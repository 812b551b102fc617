/*
 * The status page: one table, a few figures, no script.  Reads through the
 * metric registry only; never shows anything of a person.
 */
#include "base/calendar.h"
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/host/host.h"
#include "features/host/request.h"
#include "kit/http/http.h"

#define MANY_ROWS 64 /* more areas than this: one level up */

static const char css[] =
    ":root{--ink:#1b2430;--dim:#5d6b7a;--line:#dfe5ec;--ground:#f5f7fa;"
    "--card:#fff;--accent:#1f5fa8;--bad:#b3261e;--warn:#8a5a00;"
    "color-scheme:light dark}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e3e8ee;--dim:#93a1b0;"
    "--line:#2b3644;--ground:#12181f;--card:#1a222c;--accent:#6aa5e8;"
    "--bad:#ff8a80;--warn:#e0b050}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 "
    "\"Noto Sans CJK SC\",\"Source Han Sans SC\",\"PingFang SC\","
    "\"Microsoft YaHei\",system-ui,sans-serif}"
    "header,main,footer{max-width:1120px;margin:0 auto;padding:0 20px}"
    "header{padding-top:28px;padding-bottom:8px}"
    "h1{font-size:22px;line-height:1.3;margin:0;font-weight:650}"
    "h1 small{display:block;font-size:14px;font-weight:400;color:var(--dim)}"
    "h2{font-size:16px;margin:28px 0 8px;font-weight:650}"
    "h2 span,th span,dt span{font-weight:400;color:var(--dim);font-size:12px;"
    "display:block}"
    "h2 span{display:inline;margin-left:8px}"
    ".meta{color:var(--dim);font-size:13px;margin:8px 0 0;padding:0;"
    "list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px}"
    ".badge{display:inline-block;border:1px solid var(--accent);"
    "color:var(--accent);border-radius:3px;padding:0 7px;font-size:12px;"
    "line-height:20px;margin-left:8px;vertical-align:3px;font-weight:400}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,"
    "1fr));gap:10px;margin:16px 0 0}"
    ".tiles div{background:var(--card);border:1px solid var(--line);"
    "border-radius:6px;padding:10px 14px}"
    "dl{margin:0}dt{color:var(--dim);font-size:13px}"
    "dd{margin:2px 0 0;font-size:24px;font-weight:600;"
    "font-variant-numeric:tabular-nums;line-height:1.25}"
    "dd small{font-size:13px;font-weight:400;color:var(--dim)}"
    ".card{background:var(--card);border:1px solid var(--line);"
    "border-radius:6px;overflow-x:auto}"
    "table{border-collapse:collapse;width:100%;font-size:14px}"
    "th,td{padding:6px 12px;text-align:right;white-space:nowrap;"
    "font-variant-numeric:tabular-nums;border-bottom:1px solid var(--line)}"
    "thead th{font-weight:600;vertical-align:bottom;line-height:1.3}"
    "th:first-child,td:first-child{text-align:left}"
    "tbody tr:last-child td,tbody tr:last-child th{border-bottom:0}"
    "tbody th{font-weight:400}"
    "tr.sum th,tr.sum td{font-weight:650;background:var(--ground)}"
    "progress{width:110px;height:8px;vertical-align:middle;border:0;"
    "border-radius:4px;background:var(--line);accent-color:var(--accent)}"
    "progress::-webkit-progress-bar{background:var(--line);border-radius:4px}"
    "progress::-webkit-progress-value{background:var(--accent);"
    "border-radius:4px}"
    "progress::-moz-progress-bar{background:var(--accent);border-radius:4px}"
    ".pct{display:inline-block;min-width:4.2em}"
    ".bad{color:var(--bad)}.none{color:var(--dim)}"
    "a{color:var(--accent)}"
    "footer{color:var(--dim);font-size:13px;padding-top:20px;"
    "padding-bottom:36px}"
    "footer nav{display:flex;flex-wrap:wrap;gap:4px 18px;margin-bottom:6px}"
    ".empty{padding:18px 14px;color:var(--dim)}"
    "code{font-size:13px}"
    "@media(max-width:640px){header,main,footer{padding-left:12px;"
    "padding-right:12px}.wide{display:none}th,td{padding:6px 8px}"
    "progress{display:none}th span{white-space:normal}dd{font-size:20px}"
    ".tiles{grid-template-columns:1fr 1fr}}";

static const char icon[] =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\"><rect "
    "width=\"32\" height=\"32\" rx=\"6\" fill=\"#1f5fa8\"/><path d=\"M8 "
    "9h16M8 16h16M8 23h10\" stroke=\"#fff\" stroke-width=\"3\" "
    "stroke-linecap=\"round\"/></svg>";

static enum puan_status get_css(struct puan_request *rq, const void *in,
                                struct puan_err *err)
{
    (void)in;
    (void)err;
    puan_answer_bytes(rq, 200, "text/css; charset=utf-8", PUAN_STR(css));
    return PUAN_OK;
}

static enum puan_status get_icon(struct puan_request *rq, const void *in,
                                 struct puan_err *err)
{
    (void)in;
    (void)err;
    puan_answer_bytes(rq, 200, "image/svg+xml", PUAN_STR(icon));
    return PUAN_OK;
}

/* ---- values -------------------------------------------------------------------- */

static const struct puan_metric *metric(const char *name)
{
    for (size_t f = 0; puan_features[f]; f++)
        for (size_t i = 0; i < puan_features[f]->n_metrics; i++)
            if (strcmp(puan_features[f]->metrics[i].name, name) == 0)
                return &puan_features[f]->metrics[i];
    return NULL;
}

struct value {
    int64_t v;
    bool known;
};

static struct value read_metric(struct puan_store *st, const char *name,
                                int64_t area)
{
    const struct puan_metric *m = metric(name);
    struct puan_err err = { 0 };
    struct value x = { 0 };

    x.known = m && m->read(&x.v, st, area, &err) == PUAN_OK;
    return x;
}

/* ---- text ----------------------------------------------------------------------- */

/* 1,234,567 */
static void number(struct puan_out *o, struct value x)
{
    char raw[24];
    size_t n;

    if (!x.known) {
        puan_out_text(o, "<span class=\"none\">—</span>");
        return;
    }
    n = puan_format(raw, sizeof(raw), "%lld",
                    (long long)(x.v < 0 ? -x.v : x.v));
    if (x.v < 0)
        puan_out_char(o, '-');
    for (size_t i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            puan_out_char(o, ',');
        puan_out_char(o, raw[i]);
    }
}

/* "97.3 %" of a whole, rounded down so that 100 % means all. */
static void share(struct puan_out *o, struct value part, struct value whole)
{
    if (!part.known || !whole.known || whole.v <= 0)
        puan_out_text(o, "<span class=\"none\">—</span>");
    else
        puan_out_fmt(o, "%lld.%lld %%", (long long)(part.v * 100 / whole.v),
                     (long long)(part.v * 1000 / whole.v % 10));
}

static void tile(struct puan_out *o, const char *zh, const char *en,
                 struct value v, bool alarming)
{
    puan_out_fmt(o, "<div><dt>%s<span lang=\"en\">%s</span></dt><dd%s>", zh, en,
                 alarming && v.known && v.v > 0 ? " class=\"bad\"" : "");
    number(o, v);
    puan_out_text(o, "</dd></div>");
}

/* ---- the table of areas ------------------------------------------------------------ */

static const struct {
    const char *metric, *zh, *en;
    bool wide, alarming;
} columns[] = {
    { "puan_returns_listed", "应登记户", "listed", true, false },
    { "puan_returns_submitted", "已登记户", "received", false, false },
    { "puan_returns_self", "其中自主填报", "of them self", true, false },
    { "puan_returns_hard_findings", "强制性错误", "hard findings", false,
      true },
    { "puan_returns_soft_findings", "核实性错误", "soft findings", true,
      false },
    { "puan_returns_corrected", "已更正户", "corrected", true, false },
};

static void row(struct puan_out *o, struct puan_store *st, int64_t area,
                struct puan_str zh, struct puan_str en, bool sum)
{
    struct value v[PUAN_COUNT(columns)];

    for (size_t i = 0; i < PUAN_COUNT(columns); i++)
        v[i] = read_metric(st, columns[i].metric, area);
    puan_out_fmt(o, "<tr%s><th scope=\"row\">", sum ? " class=\"sum\"" : "");
    puan_out_markup(o, zh);
    if (en.n && !puan_str_eq(en, zh)) {
        puan_out_text(o, "<span lang=\"en\">");
        puan_out_markup(o, en);
        puan_out_text(o, "</span>");
    }
    puan_out_text(o, "</th><td>");
    if (v[0].known && v[1].known && v[0].v > 0)
        puan_out_fmt(o,
                     "<progress aria-label=\"登记进度 progress\" max=\"%lld\" "
                     "value=\"%lld\"></progress> ",
                     (long long)v[0].v,
                     (long long)(v[1].v < v[0].v ? v[1].v : v[0].v));
    puan_out_text(o, "<span class=\"pct\">");
    share(o, v[1], v[0]);
    puan_out_text(o, "</span></td>");
    for (size_t i = 0; i < PUAN_COUNT(columns); i++) {
        bool bad = columns[i].alarming && v[i].known && v[i].v > 0;

        puan_out_fmt(o, "<td class=\"%s%s\">", columns[i].wide ? "wide" : "",
                     bad ? " bad" : "");
        number(o, v[i]);
        puan_out_text(o, "</td>");
    }
    puan_out_text(o, "</tr>");
}

static unsigned row_level(const struct puan_area_tree *t,
                          const struct puan_plan *plan)
{
    int shard = puan_area_level_of(t, plan->level[plan->shard_level].id);
    unsigned level = shard < 0 ? 0 : (unsigned)shard;
    uint32_t n = 0;

    if (level + 1 >= t->n_levels)
        return level;
    for (uint32_t i = puan_area_next(t, 0, level + 1, PUAN_AREA_NONE);
         i != PUAN_AREA_NONE; i = puan_area_next(t, 0, level + 1, i))
        n++;
    return n && n <= MANY_ROWS ? level + 1 : level;
}

static void areas(struct puan_out *o, struct puan_store *st)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    const struct puan_plan *plan = puan_store_plan(st);
    unsigned level;
    uint32_t top;

    puan_out_text(o, "<h2>登记进度<span lang=\"en\">Progress by area</span>"
                     "</h2><div class=\"card\">");
    if (!t || !t->n) {
        puan_out_text(o, "<p class=\"empty\">还没有导入区划。请先用 <code>puan "
                         "import DIR areas.csv</code> 导入区划和底册。<br>"
                         "<span lang=\"en\">No areas yet: import areas and the "
                         "listing first.</span></p></div>");
        return;
    }
    top = puan_area_find(t, puan_area_top(st));
    if (top == PUAN_AREA_NONE)
        top = 0;
    level = row_level(t, plan);
    puan_out_text(o, "<table><thead><tr><th scope=\"col\">");
    puan_out_markup(o, t->level[level].zh);
    puan_out_text(o, "<span lang=\"en\">");
    puan_out_markup(o, t->level[level].en);
    puan_out_text(o, "</span></th><th scope=\"col\">进度<span lang=\"en\">"
                     "progress</span></th>");
    for (size_t i = 0; i < PUAN_COUNT(columns); i++)
        puan_out_fmt(o,
                     "<th scope=\"col\" class=\"%s\">%s<span lang=\"en\">%s"
                     "</span></th>",
                     columns[i].wide ? "wide" : "", columns[i].zh,
                     columns[i].en);
    puan_out_text(o, "</tr></thead><tbody>");
    row(o, st, t->area[top].code, t->area[top].zh, t->area[top].en, true);
    if (level != t->area[top].level)
        for (uint32_t i = puan_area_next(t, 0, level, PUAN_AREA_NONE);
             i != PUAN_AREA_NONE; i = puan_area_next(t, 0, level, i))
            row(o, st, t->area[i].code, t->area[i].zh, t->area[i].en, false);
    puan_out_text(o, "</tbody></table></div>");
}

/* ---- ledgers and the rest ------------------------------------------------------------- */

static void ledgers(struct puan_out *o, struct puan_store *st)
{
    puan_out_text(o, "<h2>台账<span lang=\"en\">Ledgers</span></h2><div "
                     "class=\"card\"><table><thead><tr><th scope=\"col\">库"
                     "<span lang=\"en\">store</span></th><th scope=\"col\">"
                     "条目数<span lang=\"en\">entries</span></th></tr></thead>"
                     "<tbody>");
    for (size_t i = 0; i < puan_store_shards(st); i++) {
        struct puan_shard *sh = puan_store_shard(st, i);

        puan_out_text(o, "<tr><th scope=\"row\">");
        puan_out_markup(o, i ? puan_str_of(puan_shard_name(sh)) : PUAN_STR("办公库 office"));
        puan_out_text(o, "</th><td>");
        number(o, (struct value){ (int64_t)puan_shard_height(sh), true });
        puan_out_text(o, "</td></tr>");
    }
    puan_out_text(o, "</tbody></table></div>");
}

/* Chinese titles of metrics; one without a title shows its help text. */
static const struct {
    const char *metric, *zh;
} titles[] = {
    { "puan_accounts_active", "在用账号" },
    { "puan_credentials", "已发设备和住户凭证" },
    { "puan_login_failures", "登录失败次数（自启动）" },
    { "puan_login_locks", "因多次失败锁定（自启动）" },
    { "puan_backup_age", "距上次备份" },
    { "puan_cases_open", "未结事件" },
    { "puan_case_escalations", "超时上报未受理" },
    { "puan_case_vacant_notices", "无人在岗的通知" },
    { "puan_messages_failed", "未送达的消息" },
    { "puan_messages_waited", "最久的待送消息" },
    { "puan_channels_faulty", "通知渠道配置有误" },
    { "puan_duplicates_open", "待裁定的重复登记" },
    { "puan_returns_quarantined", "隔离待处理的报文" },
    { "puan_lots_accepted", "有效验收批次" },
    { "puan_alarms", "超过阈值的监测" },
    { "puan_monitors_unread", "取不到数据的监测" },
    { "puan_backup_checked_age", "距上次经核验的备份" },
    { "puan_disk_left", "磁盘剩余空间" },
    { "puan_parcels_waiting", "库间待传递" },
    { "puan_queue_waiting", "自主填报排队户" },
    { "puan_forecast_days_late", "预计延后天数" },
    { "puan_households_behind", "落后计划户数" },
    { "puan_households_due", "应登记户（扣除空户）" },
    { "puan_areas_still", "两日无动静的普查小区" },
    { "puan_delivered_yesterday", "昨日登记户" },
    { "puan_delivered_day_before", "前日登记户" },
    { "puan_roll_difference", "与摸底的差异" },
    { "puan_interviews", "普查员入户登记" },
    { "puan_interviews_fast", "其中用时过短" },
    { "puan_interviews_night", "其中夜间登记" },
    { "puan_enumerator_most_fast", "用时过短占比最高的普查员" },
    { "puan_enumerator_most_night", "夜间登记占比最高的普查员" },
    { "puan_enumerator_most_flawed", "强制性错误占比最高的普查员" },
    { "puan_enumerator_most_corrected", "更正占比最高的普查员" },
};

static void title(struct puan_out *o, const struct puan_metric *m)
{
    const char *help = m->help ? m->help : m->name;

    for (size_t i = 0; i < PUAN_COUNT(titles); i++)
        if (strcmp(titles[i].metric, m->name) == 0) {
            puan_out_text(o, titles[i].zh);
            puan_out_text(o, "<span lang=\"en\">");
            puan_out_markup(o, puan_str_of(help));
            puan_out_text(o, "</span>");
            return;
        }
    puan_out_markup(o, puan_str_of(help));
}

static void unit(struct puan_out *o, const char *name)
{
    static const struct {
        const char *en, *zh;
    } units[] = {
        { "messages", "条" }, { "files", "个" },
        { "accounts", "个" }, { "credentials", "个" }, { "attempts", "次" },
        { "locks", "次" },    { "seconds", "秒" },     { "cases", "件" },
        { "notices", "条" },  { "groups", "组" },      { "documents", "份" },
        { "lots", "批" },     { "alarms", "项" },      { "days", "天" },
        { "percent", "%" },   { "per mille", "‰" },    { "areas", "个" },
        { "parcels", "件" },  { "monitors", "项" },    { "interviews", "户" },
    };

    for (size_t i = 0; i < PUAN_COUNT(units); i++)
        if (strcmp(units[i].en, name) == 0) {
            puan_out_text(o, units[i].zh);
            puan_out_text(o, "<span lang=\"en\">");
            puan_out_markup(o, puan_str_of(name));
            puan_out_text(o, "</span>");
            return;
        }
    puan_out_markup(o, puan_str_of(name));
}

/* Everything in the registry that has no place of its own above. */
static void registry(struct puan_out *o, struct puan_store *st, int64_t top)
{
    puan_out_text(o, "<h2>监测指标<span lang=\"en\">Metrics</span></h2><div "
                     "class=\"card\"><table><thead><tr><th scope=\"col\">指标"
                     "<span lang=\"en\">metric</span></th><th scope=\"col\">值"
                     "<span lang=\"en\">value</span></th><th scope=\"col\" "
                     "class=\"wide\">单位<span lang=\"en\">unit</span></th>"
                     "</tr></thead><tbody>");
    for (size_t f = 0; puan_features[f]; f++)
        for (size_t i = 0; i < puan_features[f]->n_metrics; i++) {
            const struct puan_metric *m = &puan_features[f]->metrics[i];
            bool above = false;

            for (size_t c = 0; c < PUAN_COUNT(columns); c++)
                above = above || strcmp(columns[c].metric, m->name) == 0;
            if (above)
                continue;
            puan_out_text(o, "<tr><th scope=\"row\">");
            title(o, m);
            puan_out_text(o, "</th><td>");
            number(o, read_metric(st, m->name, top));
            puan_out_text(o, "</td><td class=\"wide\">");
            unit(o, m->unit ? m->unit : "");
            puan_out_text(o, "</td></tr>");
        }
    puan_out_text(o, "</tbody></table></div>");
}

static void instant(struct puan_out *o, int64_t ms, int offset)
{
    char text[32];

    puan_instant_text(text, ms, offset);
    puan_out_fmt(o, "%.10s %.5s", text, text + 11);
}

static void head(struct puan_out *o, struct puan_request *rq, bool live)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const char *birth = puan_store_birth(rq->store);

    puan_out_text(o, "<!DOCTYPE html><html lang=\"zh-CN\"><head><meta "
                     "charset=\"utf-8\"><meta name=\"viewport\" content=\""
                     "width=device-width,initial-scale=1\">");
    if (live)
        puan_out_text(o, "<meta http-equiv=\"refresh\" content=\"15\">");
    puan_out_text(o, "<title>");
    puan_out_markup(o, plan->zh);
    puan_out_text(o, " · 普安 Puan</title><link rel=\"stylesheet\" href=\""
                     "/status.css\"><link rel=\"icon\" href=\"/icon.svg\">"
                     "</head><body><header><h1>");
    puan_out_markup(o, plan->zh);
    if (strcmp(birth, "demo") == 0)
        puan_out_text(o, "<span class=\"badge\">演示 demo</span>");
    else if (strcmp(birth, "drill") == 0)
        puan_out_text(o, "<span class=\"badge\">演练 drill</span>");
    puan_out_text(o, "<small lang=\"en\">");
    puan_out_markup(o, plan->en);
    puan_out_text(o, "</small></h1><ul class=\"meta\">");
    if (live && t && t->n) {
        uint32_t top = puan_area_find(t, puan_area_top(rq->store));

        top = top == PUAN_AREA_NONE ? 0 : top;
        puan_out_text(o, "<li>");
        puan_out_markup(o, t->area[top].zh);
        puan_out_char(o, ' ');
        puan_out_markup(o, t->area[top].digits);
        puan_out_text(o, "</li>");
    }
    puan_out_text(o, "<li>方案 plan ");
    puan_out_markup(o, plan->id);
    puan_out_text(o, " · ");
    puan_out_markup(o, plan->version);
    puan_out_text(o, "</li><li>普查时间 campaign time ");
    instant(o, rq->now, plan->offset_minutes);
    puan_out_text(o, "</li>");
    if (plan->reference_ms) {
        puan_out_text(o, "<li>标准时点 reference ");
        instant(o, plan->reference_ms, plan->offset_minutes);
        puan_out_text(o, "</li>");
    }
    puan_out_text(o, "</ul></header><main>");
}

static enum puan_status page(struct puan_request *rq, const void *in,
                             struct puan_err *err)
{
    struct puan_out *o = &rq->http->out;
    int64_t top = puan_area_top(rq->store), entries = 0;
    /* it shows the whole installation: not for a seat of a part of it */
    bool live = puan_request_is_local(rq) ||
                (puan_request_can(rq, "counts.view") &&
                 puan_request_covers(rq, top));

    (void)in;
    (void)err;
    puan_answer_bytes(rq, 200, "text/html; charset=utf-8", PUAN_STR(""));
    puan_answer_header(rq, "Content-Security-Policy",
                       "default-src 'none'; style-src 'self'; img-src 'self'; "
                       "base-uri 'none'; form-action 'none'; frame-ancestors "
                       "'none'");
    puan_answer_header(rq, "Referrer-Policy", "no-referrer");
    head(o, rq, live);
    if (live) {
        for (size_t i = 0; i < puan_store_shards(rq->store); i++)
            entries += (int64_t)puan_shard_height(
                puan_store_shard(rq->store, i));
        puan_out_text(o, "<dl class=\"tiles\">");
        tile(o, "应登记户", "households listed",
             read_metric(rq->store, "puan_returns_listed", top), false);
        tile(o, "已登记户", "households received",
             read_metric(rq->store, "puan_returns_submitted", top), false);
        tile(o, "强制性错误", "hard findings open",
             read_metric(rq->store, "puan_returns_hard_findings", top), true);
        tile(o, "待办事件", "cases open",
             read_metric(rq->store, "puan_cases_open", top), false);
        tile(o, "台账条目", "ledger entries", (struct value){ entries, true },
             false);
        puan_out_text(o, "</dl>");
        areas(o, rq->store);
        registry(o, rq->store, top);
        ledgers(o, rq->store);
    } else {
        puan_out_text(o, "<div class=\"card\"><p class=\"empty\">普查正在进行。"
                         "数据由普查机构按规定发布。<br><span lang=\"en\">The "
                         "census is under way. Results are published by the "
                         "census office.</span></p></div>");
    }
    puan_out_text(o, "</main><footer><nav aria-label=\"接口 interfaces\"><a "
                     "href=\"/api/v1/openapi.json\">接口说明 OpenAPI 3.1</a>"
                     "<a href=\"/metrics\">指标 metrics</a><a href=\"/healthz\""
                     ">存活 health</a><a href=\"/readyz\">就绪 ready</a></nav>"
                     "普安 Puan · 每 15 秒刷新 refreshed every 15 s</footer>"
                     "</body></html>\n");
    return PUAN_OK;
}

static const struct puan_route routes[] = {
    { PUAN_GET, "/", "", PUAN_SCOPE_PUBLIC, "",
      "One-page status; figures for this machine and for counts.view", page,
      .page = true },
    { PUAN_GET, "/status", "", PUAN_SCOPE_PUBLIC, "",
      "The same page where / is the public entry of the web tree", page,
      .page = true },
    { PUAN_GET, "/status.css", "", PUAN_SCOPE_PUBLIC, "",
      "Style of the status page", get_css, .page = true, .direct = true },
    { PUAN_GET, "/icon.svg", "", PUAN_SCOPE_PUBLIC, "", "Icon", get_icon,
      .page = true, .direct = true },
};

extern const struct puan_feature puan_feature_status;
const struct puan_feature puan_feature_status = {
    .name = "status",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
};
