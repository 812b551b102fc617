/*
 * The loops of the lane executor for any processor, and the choice among those
 * that were compiled.
 */
#include "core/rule/lane_loops.h"

const struct puan_lane_kernels *puan_lane_kernels(void)
{
#ifdef PUAN_LANES_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("avx512vpopcntdq"))
        return &puan_lane_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("popcnt"))
        return &puan_lane_avx2;
#endif
    return &puan_lane_plain;
}
