/* The loops of the lane executor for processors with AVX2 (2013 and later). */
#define LANES puan_lane_avx2
#define LANES_NAME "avx2"
#include "core/rule/lane_loops.h"
