/* Age heaping of made-up ages, a dual-system estimate, and a draw. */
#include <puan.h>
#include <stdio.h>

int main(void)
{
    double ages[80];
    uint32_t unit[5];
    pu_two_lists two;
    pu_error err;

    for (unsigned i = 0; i < 80; i++) /* twice as many at 0 and 5 */
        ages[i] = i % 5 == 0 ? 200 : 100;
    printf("Whipple %.2f, Myers %.2f\n",
           pu_whipple(ages, 80, 25, 60, 10).value,
           pu_myers(NULL, ages, 80, 10, 79).value);
    two = pu_dual_system(900, 950, 870, 1.96);
    printf("two lists of 900 and 950, 870 in both: %.1f persons, error %.2f\n",
           two.chapman, two.se);
    if (pu_draw(unit, 1000, 5, NULL, "2020-11-01", "example", NULL, &err) !=
        PU_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("drawn: %u %u %u %u %u\n", unit[0], unit[1], unit[2], unit[3],
           unit[4]);
    return 0;
}
