/*
 * How much longer this processor takes for products that come out below the normal numbers, 1e-20 · 1e-20, than for others: what
 * `simd` cannot be faster than, as WebAssembly cannot ask the processor to take such numbers for zero. Multiplications and additions
 * of four lanes, as in the matrix products of crate/, on numbers that stay in the cache.
 *
 *   gcc -O2 -msse2 bench/native/denormals.c -o .cache/denormals && .cache/denormals
 */
#include <emmintrin.h>
#include <stdio.h>
#include <time.h>

enum { LENGTH = 1024, SUMS = 8, PASSES = 20000, ROUNDS = 9 };

static float a[LENGTH], b[LENGTH];
static volatile float sink;

static double seconds(float value) {
  for (int i = 0; i < LENGTH; i++) a[i] = b[i] = value;
  double best = 1e9;
  for (int round = 0; round < ROUNDS; round++) {
    __m128 sums[SUMS];
    for (int s = 0; s < SUMS; s++) sums[s] = _mm_setzero_ps();
    const clock_t begin = clock();
    for (int pass = 0; pass < PASSES; pass++)
      for (int i = 0; i < LENGTH; i += 4 * SUMS)
        for (int s = 0; s < SUMS; s++)
          sums[s] = _mm_add_ps(sums[s], _mm_mul_ps(_mm_loadu_ps(a + i + 4 * s), _mm_loadu_ps(b + i + 4 * s)));
    const double took = (double)(clock() - begin) / CLOCKS_PER_SEC;
    if (took < best) best = took;
    for (int s = 0; s < SUMS; s++) sink += _mm_cvtss_f32(sums[s]);
  }
  return best;
}

int main(void) {
  const double others = seconds(1e-3f), products = seconds(1e-20f), inputs = seconds(1e-40f);
  printf("in C %.1f times for products of 1e-20, %.1f times for numbers of 1e-40\n", products / others, inputs / others);
  return 0;
}
