// SPDX-License-Identifier: Apache-2.0
// Deconvolution of a histogram by a Gaussian with a Wiener filter, and the expected sharp value of
// each bin: Sled, Zijdenbos and Evans 1998, equations 12 to 15.
#include "bg-n4-private.h"

#include <complex.h>
#include <math.h>

#define MAX_PADDED 16384

// In place, radix 2; @sign: -1 forward, +1 back, without the factor 1 / n.
static void
transform(double complex *x, int n, double sign)
{
    for (int i = 1, j = 0; i < n; i++) {
        int bit = n >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double complex swap = x[i];
            x[i] = x[j];
            x[j] = swap;
        }
    }
    for (int length = 2; length <= n; length <<= 1) {
        double complex turn = cexp(sign * 2.0 * M_PI / length * (double complex) I);
        for (int start = 0; start < n; start += length) {
            double complex w = 1.0;
            for (int k = 0; k < length / 2; k++) {
                double complex a = x[start + k], b = x[start + k + length / 2] * w;
                x[start + k] = a + b;
                x[start + k + length / 2] = a - b;
                w *= turn;
            }
        }
    }
}

// x convolved with the kernel whose spectrum is given; the real part stays.
static void
convolve(double complex *x, const double complex *spectrum, int n)
{
    transform(x, n, -1.0);
    for (int i = 0; i < n; i++)
        x[i] *= spectrum[i];
    transform(x, n, 1.0);
    for (int i = 0; i < n; i++)
        x[i] = creal(x[i]) / n;
}

void
bg_n4_sharpen(const double *counts, int n_bins, double low, double step, const BgN4Params *params,
              double *sharp)
{
    int padded = 2;
    while (padded < n_bins)
        padded *= 2;
    padded *= 2;
    g_return_if_fail(padded <= MAX_PADDED);

    int offset = (padded - n_bins) / 2;
    g_autofree double complex *memory = g_new0(double complex, 4 * padded);
    double complex *kernel = memory, *wiener = memory + padded;
    double complex *u = memory + 2 * padded, *top = memory + 3 * padded;
    double width = params->fwhm / step, narrow = 4.0 * M_LN2 / (width * width);

    for (int n = 0; n < padded; n++) {
        int from_zero = MIN(n, padded - n);
        kernel[n] = 2.0 * sqrt(M_LN2 / M_PI) / width * exp(-narrow * from_zero * from_zero);
    }
    transform(kernel, padded, -1.0);
    for (int n = 0; n < padded; n++)
        wiener[n] = conj(kernel[n]) / (conj(kernel[n]) * kernel[n] + params->noise);
    for (int n = 0; n < n_bins; n++)
        u[n + offset] = counts[n];
    convolve(u, wiener, padded);
    for (int n = 0; n < padded; n++) {
        u[n] = MAX(creal(u[n]), 0.0);
        top[n] = u[n] * (low + (n - offset) * step);
    }
    convolve(top, kernel, padded);
    convolve(u, kernel, padded);
    for (int n = 0; n < n_bins; n++) {
        double below = creal(u[n + offset]);
        sharp[n] = below != 0.0 ? creal(top[n + offset]) / below : 0.0;
    }
}
