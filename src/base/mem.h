/*
 * memcpy and its kin: the C library's, or, where there is none (WebAssembly),
 * the host shim's.
 *
 * Depends on: nothing.
 */
#ifndef PUAN_BASE_MEM_H
#define PUAN_BASE_MEM_H

#include <stddef.h>

#if defined(__wasm__)
void *memcpy(void *restrict d, const void *restrict s, size_t n);
void *memmove(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
#else
#include <string.h>
#endif

#endif
