// y = x W^T + b for a few rows of x: the matrix products of one decoding step. Their time is that of reading W once, so W
// is read in order by all threads, and fetched ahead, because the hardware does not prefetch across pages.
//
// x is (m, k), b is (n) or null, y is (m, n), all contiguous. W is (n, k) for `linear`, as in torch.nn.Linear, and (k, n)
// for `conv1d`, as in GPT-2's Conv1D. Sums are in float32, whatever the type. m is at most 8.

#include <omp.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr int LANES = 16;
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

// Dot products of R rows of W, one after the other in memory, with M rows of x. Reading several rows at a time keeps more
// of the memory's channels busy than reading one.
template <int M, int R, typename T>
inline void dots(const float *x, const T *w, const T *b, T *y, long n, long k) {
    Vector sums[R][M] = {};
    long i = 0;
    for (; i + LANES <= k; i += LANES) {
        Vector rows[R];
        for (int q = 0; q < R; q++) {
            rows[q] = load(w + q * k + i);
            __builtin_prefetch(w + (q + R) * k + i, 0, 2);  // into the second-level cache, for the next call
        }
        for (int r = 0; r < M; r++) {
            const Vector v = load(x + r * k + i);
            for (int q = 0; q < R; q++) sums[q][r] += rows[q] * v;
        }
    }
    for (int r = 0; r < M; r++)
        for (int q = 0; q < R; q++) {
            float total = sum(sums[q][r]) + (b ? widen(b[q]) : 0);
            for (long rest = i; rest < k; rest++) total += widen(w[q * k + rest]) * x[r * k + rest];
            store(total, y + r * n + q);
        }
}

template <int M, typename T>
void linear(const T *x, const T *w, const T *b, T *y, long n, long k) {
    constexpr int R = M > 4 ? 2 : 4;  // all sums fit into registers
    const std::vector<float> wide = widened(x, M * k);
#pragma omp parallel for schedule(static)
    for (long j = 0; j < n / R; j++)
        dots<M, R>(wide.data(), w + j * R * k, b ? b + j * R : b, y + j * R, n, k);
    for (long j = n / R * R; j < n; j++) dots<M, 1>(wide.data(), w + j * k, b ? b + j : b, y + j, n, k);
}

// Adds R rows of W, times their entries of x, to `sums` (M, size), for `size` columns.
template <int M, int R, typename T>
inline void add_rows(const float *x, const T *w, float *sums, long n, long k, long size) {
    long j = 0;
    for (; j + LANES <= size; j += LANES) {
        Vector rows[R];
        for (int q = 0; q < R; q++) {
            rows[q] = load(w + q * n + j);
            __builtin_prefetch(w + (q + R) * n + j, 0, 2);
        }
        for (int r = 0; r < M; r++) {
            Vector total = load(sums + r * size + j);
            for (int q = 0; q < R; q++) total += rows[q] * x[r * k + q];
            *reinterpret_cast<Vector *>(sums + r * size + j) = total;
        }
    }
    for (; j < size; j++)
        for (int r = 0; r < M; r++)
            for (int q = 0; q < R; q++) sums[r * size + j] += widen(w[q * n + j]) * x[r * k + q];
}

// Each thread reads some rows of W from end to end, which is faster than reading parts of all rows.
template <int M, typename T>
void conv1d(const T *x, const T *w, const T *b, T *y, long n, long k) {
    constexpr int R = 4;
    const std::vector<float> wide = widened(x, M * k);
    const long threads = omp_get_max_threads(), rows = (k + threads - 1) / threads;
    std::vector<float> sums(threads * M * (n < BLOCK ? n : BLOCK));
    for (long from = 0; from < n; from += BLOCK) {
        const long size = n - from < BLOCK ? n - from : BLOCK;
#pragma omp parallel for schedule(static)
        for (long t = 0; t < threads; t++) {
            float *own = sums.data() + t * M * size;
            std::memset(own, 0, sizeof(float) * M * size);
            const long last = k < (t + 1) * rows ? k : (t + 1) * rows;
            long i = t * rows;
            for (; i + R <= last; i += R) add_rows<M, R>(wide.data() + i, w + i * n + from, own, n, k, size);
            for (; i < last; i++) add_rows<M, 1>(wide.data() + i, w + i * n + from, own, n, k, size);
        }
        for (long r = 0; r < M; r++)
            for (long j = 0; j < size; j++) {
                float total = b ? widen(b[from + j]) : 0;
                for (long t = 0; t < threads; t++) total += sums[(t * M + r) * size + j];
                store(total, y + r * n + from + j);
            }
    }
}

}  // namespace

// The number of rows is known to the compiler, so that it keeps one sum for each in registers.
#define ROWS(F, M)                \
    case M:                       \
        F<M>(x, w, b, y, n, k);   \
        break;
#define EXPORT(F, T, NAME)                                                                                          \
    extern "C" void F##_##NAME(const T *x, const T *w, const T *b, T *y, long m, long n, long k) {                  \
        switch (m) {                                                                                                \
            ROWS(F, 1) ROWS(F, 2) ROWS(F, 3) ROWS(F, 4) ROWS(F, 5) ROWS(F, 6) ROWS(F, 7) ROWS(F, 8)                 \
        }                                                                                                           \
    }

EXPORT(linear, float, float32)
EXPORT(conv1d, float, float32)
EXPORT(linear, bfloat16, bfloat16)
EXPORT(conv1d, bfloat16, bfloat16)
