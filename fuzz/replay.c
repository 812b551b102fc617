/*
 * Runs a fuzz target over the files of its corpus, without a fuzzer, so that
 * old finds are replayed by every test run.  usage: replay_NAME FOLDER…
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int one(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t n = 0, cap = 0;

    if (f == NULL) {
        perror(path);
        return 1;
    }
    do {
        if (n == cap) {
            uint8_t *more = realloc(data, cap = cap ? cap * 2 : 4096);

            if (more == NULL)
                abort();
            data = more;
        }
        n += fread(data + n, 1, cap - n, f);
    } while (!feof(f) && !ferror(f));
    fclose(f);
    LLVMFuzzerTestOneInput(data, n);
    /* also every prefix of a short input: ends in the middle of things */
    for (size_t k = 0; n <= 512 && k < n; k++) {
        uint8_t *cut = malloc(k ? k : 1);

        if (cut == NULL)
            abort();
        memcpy(cut, data, k);
        LLVMFuzzerTestOneInput(cut, k);
        free(cut);
    }
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    size_t files = 0;
    int bad = 0;

    for (int i = 1; i < argc; i++) {
        DIR *d = opendir(argv[i]);
        struct dirent *e;

        if (d == NULL) {
            perror(argv[i]);
            return 1;
        }
        while ((e = readdir(d)) != NULL) {
            char path[1024];

            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof(path), "%s/%s", argv[i], e->d_name);
            bad |= one(path);
            files++;
        }
        closedir(d);
    }
    printf("%zu inputs replayed\n", files);
    return bad || files == 0;
}
