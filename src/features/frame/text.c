/*
 * Values as CSV cells hold them.
 */
#include "features/frame/frames.h"

#include "base/calendar.h"
#include "base/csv.h"

static void fixed(struct puan_out *o, int64_t v, unsigned places)
{
    char digits[32];
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    size_t n = puan_format(digits, sizeof(digits), "%0*llu", (int)places + 1,
                           (unsigned long long)u);

    if (v < 0)
        puan_out_char(o, '-');
    puan_out_bytes(o, digits, n - places);
    if (places) {
        puan_out_char(o, '.');
        puan_out_bytes(o, digits + n - places, places);
    }
}

void puan_frames_text(struct puan_out *o, const struct puan_frame_item *item,
                      uint64_t row)
{
    enum puan_state st;
    int64_t v = puan_frame_value(&st, item, row);
    const struct puan_code *code;
    char text[16];

    if (st != PUAN_GIVEN)
        return;
    switch (item->type) {
    case PUAN_TYPE_CODE:
        code = item->codes ? puan_code_by_value(item->codes, v) : NULL;
        if (code)
            puan_csv_put(o, code->text);
        else
            puan_out_int(o, v);
        break;
    case PUAN_TYPE_FIXED:
        fixed(o, v, item->places);
        break;
    case PUAN_TYPE_MONTH:
        puan_month_text(text, v);
        puan_out_text(o, text);
        break;
    case PUAN_TYPE_DATE:
        puan_day_text(text, v);
        puan_out_text(o, text);
        break;
    case PUAN_TYPE_AREA:
        puan_out_fmt(o, "%0*lld", (int)item->digits, (long long)v);
        break;
    case PUAN_TYPE_INT:
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
    case PUAN_TYPE_FACT:
        if (item->token)
            puan_out_fmt(o, "%llu", (unsigned long long)v);
        else
            puan_out_int(o, v);
        break;
    }
}
