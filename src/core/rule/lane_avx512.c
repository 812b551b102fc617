/* The loops of the lane executor for processors with AVX-512 (Ice Lake on). */
#define LANES puan_lane_avx512
#define LANES_NAME "avx512"
#include "core/rule/lane_loops.h"
