// y = x W^T + b for a few rows of x: the matrix products of one decoding step. Their time is that of reading W once, so W
// is read in order by all threads, and fetched ahead, because the hardware does not prefetch across pages.
//
// x is (m, k), b is (n) or null, y is (m, n), all contiguous. W is (n, k) for `linear`, as in torch.nn.Linear, and (k, n)
// for `conv1d`, as in GPT-2's Conv1D. Sums are in float32, whatever the type. m is at most MAX_ROWS.

#include <omp.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr int LANES = 16, AHEAD = 2048 /* bytes */, CACHE_LINE = 64, MAX_ROWS = 8;
constexpr long BLOCK = 4096;  // columns of a conv1d worked on at a time: their sums stay in the first-level cache

typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint32_t Bits __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint16_t HalfBits __attribute__((vector_size(2 * LANES), aligned(2)));

struct bfloat16 { uint16_t bits; };  // the upper half of a float32

inline float widen(float v) { return v; }

inline float widen(bfloat16 v) {
    uint32_t bits = uint32_t(v.bits) << 16;
    float f;
    std::memcpy(&f, &bits, 4);
    return f;
}

inline void store(float f, float *to) { *to = f; }

inline void store(float f, bfloat16 *to) {
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    const bool nan = (bits & 0x7fffffff) > 0x7f800000;
    to->bits = nan ? 0x7fc0 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;  // to the nearest, ties to even
}

inline Vector load(const float *p) { return *reinterpret_cast<const Vector *>(p); }

inline Vector load(const bfloat16 *p) {
    return (Vector)(__builtin_convertvector(*reinterpret_cast<const HalfBits *>(p), Bits) << 16);
}

inline float sum(Vector v) {
    float total = 0;
    for (int i = 0; i < LANES; i++) total += v[i];
    return total;
}

template <typename T>
std::vector<float> widened(const T *x, long count) {
    std::vector<float> wide(count);
    for (long i = 0; i < count; i++) wide[i] = widen(x[i]);
    return wide;
}

// Dot products of one row of W with m rows of x.
template <typename T>
inline void dot(const float *x, const T *w, float *out, long m, long k) {
    constexpr long STEP = 4 * LANES;
    const long whole = k / STEP * STEP;
    for (long r = 0; r < m; r++, x += k) {
        Vector s0 = {}, s1 = {}, s2 = {}, s3 = {};
        for (long i = 0; i < whole; i += STEP) {
            if (r == 0)
                for (long line = 0; line < long(STEP * sizeof(T)); line += CACHE_LINE)
                    __builtin_prefetch(reinterpret_cast<const char *>(w + i) + AHEAD + line);
            s0 += load(w + i) * load(x + i);
            s1 += load(w + i + LANES) * load(x + i + LANES);
            s2 += load(w + i + 2 * LANES) * load(x + i + 2 * LANES);
            s3 += load(w + i + 3 * LANES) * load(x + i + 3 * LANES);
        }
        out[r] = sum((s0 + s1) + (s2 + s3));
        for (long i = whole; i < k; i++) out[r] += widen(w[i]) * x[i];
    }
}

template <typename T>
void linear(const T *x, const T *w, const T *b, T *y, long m, long n, long k) {
    const std::vector<float> wide = widened(x, m * k);
#pragma omp parallel for schedule(static)
    for (long j = 0; j < n; j++) {
        float out[MAX_ROWS];
        dot(wide.data(), w + j * k, out, m, k);
        for (long r = 0; r < m; r++) store(out[r] + (b ? widen(b[j]) : 0), y + r * n + j);
    }
}

// Adds rows [first, last) of W, times those entries of x, to `sums` (m, size), for the columns [from, from + size).
template <typename T>
void add_rows(const float *x, const T *w, float *sums, long m, long n, long k, long first, long last, long from, long size) {
    long i = first;
    for (; i + 4 <= last; i += 4) {
        const T *w0 = w + i * n + from, *w1 = w0 + n, *w2 = w1 + n, *w3 = w2 + n;
        for (long r = 0; r < m; r++) {
            float *s = sums + r * size;
            const float *v = x + r * k + i;
            long j = 0;
            for (; j + LANES <= size; j += LANES) {
                if (r == 0)
                    for (const T *row : {w0, w1, w2, w3}) __builtin_prefetch(row + 4 * n + j);
                *reinterpret_cast<Vector *>(s + j) += load(w0 + j) * v[0] + load(w1 + j) * v[1] + load(w2 + j) * v[2]
                                                      + load(w3 + j) * v[3];
            }
            for (; j < size; j++)
                s[j] += widen(w0[j]) * v[0] + widen(w1[j]) * v[1] + widen(w2[j]) * v[2] + widen(w3[j]) * v[3];
        }
    }
    for (; i < last; i++)
        for (long r = 0; r < m; r++)
            for (long j = 0; j < size; j++) sums[r * size + j] += widen(w[i * n + from + j]) * x[r * k + i];
}

// Each thread reads some rows of W from end to end, which is faster than reading parts of all rows.
template <typename T>
void conv1d(const T *x, const T *w, const T *b, T *y, long m, long n, long k) {
    const std::vector<float> wide = widened(x, m * k);
    const long threads = omp_get_max_threads(), rows = (k + threads - 1) / threads;
    std::vector<float> sums(threads * m * (n < BLOCK ? n : BLOCK));
    for (long from = 0; from < n; from += BLOCK) {
        const long size = n - from < BLOCK ? n - from : BLOCK;
#pragma omp parallel for schedule(static)
        for (long t = 0; t < threads; t++) {
            float *own = sums.data() + t * m * size;
            std::memset(own, 0, sizeof(float) * m * size);
            add_rows(wide.data(), w, own, m, n, k, t * rows, k < (t + 1) * rows ? k : (t + 1) * rows, from, size);
        }
        for (long r = 0; r < m; r++)
            for (long j = 0; j < size; j++) {
                float total = b ? widen(b[from + j]) : 0;
                for (long t = 0; t < threads; t++) total += sums[(t * m + r) * size + j];
                store(total, y + r * n + from + j);
            }
    }
}

}  // namespace

#define EXPORT(T, NAME)                                                                                             \
    extern "C" void linear_##NAME(const T *x, const T *w, const T *b, T *y, long m, long n, long k) {               \
        linear(x, w, b, y, m, n, k);                                                                                \
    }                                                                                                               \
    extern "C" void conv1d_##NAME(const T *x, const T *w, const T *b, T *y, long m, long n, long k) {               \
        conv1d(x, w, b, y, m, n, k);                                                                                \
    }

EXPORT(float, float32)
EXPORT(bfloat16, bfloat16)
