/* Answers in words and their codes; the argument is a plan pack with coding/. */
#include <puan.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static const char *const answers[] = { "在镇上卖水果", "种双季稻", "打工" };
    pu_code_hit hit[2];
    pu_coder *coder;
    pu_coding state;
    pu_error err;
    size_t n;

    if (argc != 2)
        return 2;
    if (pu_coder_open(&coder, argv[1], "industry", &err) != PU_OK) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        return 1;
    }
    for (size_t i = 0; i < 3; i++) {
        if (pu_coder_code(&state, hit, &n, 2, coder, &answers[i], 1, 3, &err) !=
            PU_OK)
            return 1;
        if (state == PU_CODED)
            printf("%s: %s %s\n", answers[i], hit[0].code, hit[0].name);
        else
            printf("%s: %s\n", answers[i], state == PU_VAGUE ? "vague" : "-");
    }
    pu_coder_free(coder);
    return 0;
}
