// Trees asked about many rows at once. What is here is called by trees.py, which says what it means.

#include <cstdint>
#include <cstring>

namespace {

// So many rows go down a tree side by side: while one waits for its node, the others' are on their way.
constexpr int kRowsInStep = 8;
// So many rows and what they add up to stay in the cache while the trees take turns.
constexpr int64_t kRowsAtOnce = 512;
// So many rows' masks are looked at side by side.
constexpr int kRowsMasked = 4;
// A mask has a bit a leaf.
constexpr int kLeaves = 32;

// A leaf is its own child on both sides. Offsets are in bytes: a step takes as few instructions as can be.
struct Node {
    float threshold;
    uint32_t feature;      // into a group of rows
    uint32_t children[2];  // into the tree
};

// missing: 1 for each node that sends what is missing to the right; group: kRowsInStep values a feature;
// leaves: which nodes the rows end in.
template <bool kHasMissing>
void walk(const Node* tree, const uint8_t* missing, const float* group, uint32_t* leaves) {
    const char* const nodes = reinterpret_cast<const char*>(tree);
    const char* const columns = reinterpret_cast<const char*>(group);
    uint32_t places[kRowsInStep] = {};
    uint32_t moved;
    do {
        moved = 0;
#pragma GCC unroll 2
        for (int step = 0; step < 2; ++step) {
#pragma GCC unroll 8
            for (int row = 0; row < kRowsInStep; ++row) {
                const Node& node = *reinterpret_cast<const Node*>(nodes + places[row]);
                const float value = reinterpret_cast<const float*>(columns + node.feature)[row];
                unsigned right = value > node.threshold;
                if (kHasMissing) right |= (value != value) & missing[places[row] / sizeof(Node)];
                const uint32_t next = node.children[right];
                if (step == 1) moved |= next ^ places[row];
                places[row] = next;
            }
        }
    } while (moved);
    for (int row = 0; row < kRowsInStep; ++row) leaves[row] = places[row] / sizeof(Node);
}

template <bool kHasMissing>
void add_up(const Node* nodes, const uint8_t* missing, const int64_t* trees, int64_t trees_count, const double* values,
            const float* groups, int64_t count, int64_t features, int64_t outputs, double* sums) {
    for (int64_t begin = 0; begin < count; begin += kRowsAtOnce) {
        const int64_t end = begin + kRowsAtOnce < count ? begin + kRowsAtOnce : count;
        for (int64_t tree = 0; tree < trees_count; ++tree) {
            const double* const tree_values = values + trees[tree] * outputs;
            for (int64_t first = begin; first < end; first += kRowsInStep) {
                uint32_t leaves[kRowsInStep];
                walk<kHasMissing>(nodes + trees[tree], missing + trees[tree], groups + first * features, leaves);
                const int64_t rows = end - first < kRowsInStep ? end - first : kRowsInStep;
                for (int64_t row = 0; row < rows; ++row) {
                    double* const sum = sums + (first + row) * outputs;
                    for (int64_t output = 0; output < outputs; ++output)
                        sum[output] += tree_values[leaves[row] * outputs + output];
                }
            }
        }
    }
}

// How many of the edges, which are sorted, are below the value.
inline int64_t count_below(const double* edges, int64_t count, double value) {
    const double* first = edges;
    while (count > 0) {
        const int64_t half = count / 2;
        const bool is_right = first[half] < value;
        first += is_right ? half + 1 : 0;
        count = is_right ? count - half - 1 : half;
    }
    return first - edges;
}

// Rows side by side: no addition has to wait for the one before. left: (kRows, trees_count) masks of what is left
template <int kRows>
inline void add_leaves(const uint32_t* left, const double* values, int64_t trees_count, int64_t outputs, double* sum) {
    int64_t output = 0;
    for (int64_t tree = 0; tree < trees_count; ++tree) {
        for (int row = 0; row < kRows; ++row)
            sum[row * outputs + output] += values[tree * kLeaves + __builtin_ctz(left[row * trees_count + tree])];
        if (++output == outputs) output = 0;
    }
}

}  // namespace

extern "C" {

// Adds to sums (count, outputs), tree by tree, the values (nodes, outputs) of the leaves in which the rows end.
// trees: each one's first node; groups: (count / kRowsInStep, features, kRowsInStep), the last one full, too.
void portico_walk_trees(const Node* nodes, const uint8_t* missing, const int64_t* trees, int64_t trees_count,
                        const double* values, const float* groups, int64_t count, int64_t features, int64_t outputs,
                        int32_t has_missing, double* sums) {
    const auto add = has_missing ? add_up<true> : add_up<false>;
    add(nodes, missing, trees, trees_count, values, groups, count, features, outputs, sums);
}

// Adds to sums (count, outputs) the values (trees, kLeaves) of the first leaf of each tree that no feature rules out.
// rows: (features, count); edges: of all features, feature f's from edges_begin[f] on; masks: a line of trees_count for
// each interval, feature f's from lines_begin[f] on: the intervals between its edges, then the one of what is missing.
// left: (kRowsMasked, trees_count), to work in
void portico_mask_leaves(const double* edges, const int64_t* edges_begin, const uint32_t* masks,
                         const int64_t* lines_begin, int64_t trees_count, const double* values, const double* rows,
                         int64_t count, int64_t features, int64_t outputs, uint32_t* left, double* sums) {
    for (int64_t first = 0; first < count; first += kRowsMasked) {
        const int here = count - first < kRowsMasked ? count - first : kRowsMasked;
        for (int row = 0; row < here; ++row) {
            uint32_t* const mine = left + row * trees_count;
            std::memset(mine, 0xff, trees_count * sizeof(uint32_t));
            for (int64_t feature = 0; feature < features; ++feature) {
                const int64_t edges_count = edges_begin[feature + 1] - edges_begin[feature];
                if (!edges_count) continue;
                const double value = rows[feature * count + first + row];
                const int64_t interval = value != value
                                             ? edges_count + 1
                                             : count_below(edges + edges_begin[feature], edges_count, value);
                const uint32_t* const line = masks + (lines_begin[feature] + interval) * trees_count;
                for (int64_t tree = 0; tree < trees_count; ++tree) mine[tree] &= line[tree];
            }
        }
        double* const sum = sums + first * outputs;
        if (here == kRowsMasked) {
            add_leaves<kRowsMasked>(left, values, trees_count, outputs, sum);
        } else {
            for (int row = 0; row < here; ++row)
                add_leaves<1>(left + row * trees_count, values, trees_count, outputs, sum + row * outputs);
        }
    }
}
}
