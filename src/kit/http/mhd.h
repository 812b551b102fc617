/*
 * The web server library, loaded when first needed (kit/os/late.h): its functions under
 * their own names.  Of this folder only, included by one file.
 */
#ifndef PUAN_KIT_HTTP_MHD_H
#define PUAN_KIT_HTTP_MHD_H

#include <microhttpd.h>
#include <pthread.h>

#include "kit/os/late.h"

#define FUNCTIONS(X) \
    X(MHD_add_response_header) \
    X(MHD_create_response_from_buffer) \
    X(MHD_create_response_from_callback) \
    X(MHD_destroy_response) \
    X(MHD_get_connection_info) \
    X(MHD_get_connection_values_n) \
    X(MHD_queue_response) \
    X(MHD_quiesce_daemon) \
    X(MHD_resume_connection) \
    X(MHD_start_daemon) \
    X(MHD_stop_daemon) \
    X(MHD_suspend_connection)

#define POINTER(f) __typeof__(f) *f;
#define NAME(f) #f,

static struct {
    FUNCTIONS(POINTER)
} mhd;

/* Once; safe from any thread. */
static inline enum puan_status mhd_load(struct puan_err *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool loaded;
    static const char *const name[] = { FUNCTIONS(NAME) };
    enum puan_status st = PUAN_OK;

    pthread_mutex_lock(&lock);
    if (!loaded)
        st = puan_late_load(&mhd, name, PUAN_COUNT(name), PUAN_LIBMICROHTTPD,
                            "libmicrohttpd12", err);
    loaded = st == PUAN_OK;
    pthread_mutex_unlock(&lock);
    return st;
}

#undef FUNCTIONS
#undef POINTER
#undef NAME

#define MHD_add_response_header (mhd.MHD_add_response_header)
#define MHD_create_response_from_buffer (mhd.MHD_create_response_from_buffer)
#define MHD_create_response_from_callback (mhd.MHD_create_response_from_callback)
#define MHD_destroy_response (mhd.MHD_destroy_response)
#define MHD_get_connection_info (mhd.MHD_get_connection_info)
#define MHD_get_connection_values_n (mhd.MHD_get_connection_values_n)
#define MHD_queue_response (mhd.MHD_queue_response)
#define MHD_quiesce_daemon (mhd.MHD_quiesce_daemon)
#define MHD_resume_connection (mhd.MHD_resume_connection)
#define MHD_start_daemon (mhd.MHD_start_daemon)
#define MHD_stop_daemon (mhd.MHD_stop_daemon)
#define MHD_suspend_connection (mhd.MHD_suspend_connection)

#endif
