/*
 * The same where a file cannot be without a name, or could not be given one:
 * as if /proc were not there.
 */
#include <unistd.h>

#define access(path, how) (-1)
#include "kit/os/part.c"
#include "kit/os/part_test.c"
