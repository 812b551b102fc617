/*
 * puan check over a frame, or over a CSV file of any columns: rules as text,
 * levels and reference tables as the rules declare them, run in lanes.
 *
 * Does file I/O, runs threads.  Never changes the data.
 */
#ifndef PUAN_FEATURES_CHECK_FRAME_CHECK_H
#define PUAN_FEATURES_CHECK_FRAME_CHECK_H

#include <stdbool.h>

/* Is this a call without --plan, or one whose data are a frame file? */
bool puan_check_takes_frame(int argc, char **argv);
/* The command; the exit code as of any. */
int puan_check_frame(int argc, char **argv);

#endif
