/*
 * puan odk settings: the text of the QR code that sets a client up.
 */
#include "features/openrosa/internal.h"

#include <stdio.h>

#include "base/json.h"
#include "features/host/args.h"
#include "features/host/host.h"
#include "kit/os/os.h"

/* A zlib stream (RFC 1950) of one stored block: 64 KiB at most. */
static void put_zlib(struct puan_out *o, struct puan_str s)
{
    uint32_t a = 1, b = 0;

    for (size_t i = 0; i < s.n; i++) {
        a = (a + (unsigned char)s.p[i]) % 65521;
        b = (b + a) % 65521;
    }
    puan_out_u8(o, 0x78);
    puan_out_u8(o, 0x01);
    puan_out_u8(o, 1); /* the last block, stored */
    puan_out_u16(o, (uint16_t)s.n);
    puan_out_u16(o, (uint16_t)~(unsigned)s.n);
    puan_out_str(o, s);
    for (int i = 0; i < 4; i++)
        puan_out_u8(o, (uint8_t)((b << 16 | a) >> (24 - 8 * i)));
}

static void put_base64(struct puan_out *o, struct puan_str s)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                "qrstuvwxyz0123456789+/";

    for (size_t i = 0; i < s.n; i += 3) {
        uint32_t v = 0;

        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (i + k < s.n ? (unsigned char)s.p[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            puan_out_char(o, i + k > s.n ? '='
                                         : digit[v >> (18 - 6 * k) & 63]);
    }
}

/*
 * Forms follow the server exactly, returns go off by themselves and are gone
 * from the device when the server has them; what may leak is left out.
 */
struct puan_str odk_settings(const char *url, const char *name,
                             struct puan_arena *a)
{
    struct puan_out json, zipped, o;
    struct puan_jw w;

    puan_out_init(&json, a);
    puan_out_init(&zipped, a);
    puan_out_init(&o, a);
    puan_jw_init(&w, &json);
    puan_jw_map(&w);
    puan_jw_key(&w, "general");
    puan_jw_map(&w);
    puan_jw_ktext(&w, "server_url", url);
    puan_jw_ktext(&w, "form_update_mode", "match_exactly");
    puan_jw_ktext(&w, "autosend", "wifi_and_cellular");
    puan_jw_kbool(&w, "delete_send", true);
    puan_jw_ktext(&w, "constraint_behavior", "on_swipe");
    puan_jw_end(&w, '}');
    puan_jw_key(&w, "admin");
    puan_jw_map(&w);
    puan_jw_kbool(&w, "change_server", false);
    puan_jw_end(&w, '}');
    puan_jw_key(&w, "project");
    puan_jw_map(&w);
    puan_jw_ktext(&w, "name", name);
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    if (json.n > UINT16_MAX)
        return (struct puan_str){ 0 };
    put_zlib(&zipped, puan_out_view(&json));
    put_base64(&o, puan_out_view(&zipped));
    return puan_out_view(&o);
}

int cmd_odk_settings(int argc, char **argv)
{
    const char *url = NULL, *name = "Puan";
    const struct puan_arg args[] = { { NULL, &url, NULL },
                                     { "--name", &name, NULL } };
    struct puan_arena a;
    struct puan_str text;
    int code = PUAN_EXIT_DONE;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !url ||
        strlen(url) > 1000 || strlen(name) > 200)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, puan_os_alloc());
    text = odk_settings(url, name, &a);
    if (a.failed || printf("%.*s\n", PUAN_FMT(text)) < 0 ||
        fflush(stdout) != 0)
        code = PUAN_EXIT_SYSTEM;
    puan_arena_clear(&a);
    return code;
}
