// Trees asked about a single row. What is here is called by one_row.py, which says what it means.

#include <cmath>
#include <cstdint>

namespace {

// So many trees are gone down side by side: while one waits for its node, the others' are on their way.
constexpr int kTreesInStep = 8;
constexpr double kFloat32Max = 3.4028235677973366e38;

// The left child is the next node. A leaf is its own right child, and nothing is below its threshold.
struct Node {
    double threshold;
    int32_t feature;
    int32_t right;
};

struct Trees {
    const Node* nodes;
    const int32_t* leaves;  // which leaf a node is
    const int8_t* missing_left;
    const int32_t* roots;
    const double* values;  // (outputs, leaves_count)
    int64_t roots_count;
    int64_t leaves_count;
    int64_t outputs;  // numbers a leaf
    int64_t sums_count;
    int32_t is_cast;
    int32_t is_single;
    int32_t takes_missing;
};

template <bool kHasMissing>
inline int32_t next_of(const Trees& trees, int32_t place, const double* row) {
    const Node& node = trees.nodes[place];
    const double value = row[node.feature];
    bool is_left = value <= node.threshold;
    if (kHasMissing && value != value) is_left = trees.missing_left[place];
    return is_left ? place + 1 : node.right;
}

template <bool kHasMissing, int kTrees>
inline void walk(const Trees& trees, int64_t first, const double* row, int32_t* places) {
    for (int tree = 0; tree < kTrees; ++tree) places[tree] = trees.roots[first + tree];
    int32_t moved;
    do {
        moved = 0;
        for (int tree = 0; tree < kTrees; ++tree) {
            const int32_t next = next_of<kHasMissing>(trees, places[tree], row);
            moved |= next ^ places[tree];
            places[tree] = next;
        }
    } while (moved);
}

// In float32 where the ensemble adds so: the sum of two of them is exact enough in float64 to be rounded once more.
inline void add_to(double& sum, double value, bool is_single) {
    sum += value;
    if (is_single) sum = static_cast<float>(sum);
}

// In the trees' order, each sum by itself.
inline void add(const Trees& trees, int64_t tree, int32_t place, double* sums) {
    const int32_t leaf = trees.leaves[place];
    if (trees.outputs == trees.sums_count) {
        for (int64_t output = 0; output < trees.outputs; ++output)
            add_to(sums[output], trees.values[output * trees.leaves_count + leaf], trees.is_single);
    } else {
        add_to(sums[tree % trees.sums_count], trees.values[leaf], trees.is_single);
    }
}

template <bool kHasMissing>
void add_up(const Trees& trees, const double* row, double* sums) {
    int32_t places[kTreesInStep];
    int64_t first = 0;
    for (; first + kTreesInStep <= trees.roots_count; first += kTreesInStep) {
        walk<kHasMissing, kTreesInStep>(trees, first, row, places);
        for (int tree = 0; tree < kTreesInStep; ++tree) add(trees, first + tree, places[tree], sums);
    }
    for (; first < trees.roots_count; ++first) {
        walk<kHasMissing, 1>(trees, first, row, places);
        add(trees, first, places[0], sums);
    }
}

}  // namespace

extern "C" {

// Lays nodes out for walking. Returns how many columns a row must have at least, or -1 where a walk would not end at a
// leaf: each node's children have to stand behind it, and what is missing has to stay at a leaf, too.
// features: below 0 at a leaf, whose `rights` is its number; nodes, leaves: (count,), written here
int64_t portico_lay_out(const int32_t* features, const double* thresholds, const int32_t* rights,
                        const int8_t* missing_left, int64_t count, int64_t leaves_count, Node* nodes, int32_t* leaves) {
    int64_t columns = 1;
    for (int64_t place = 0; place < count; ++place) {
        const int32_t right = rights[place];
        if (features[place] < 0) {
            if (right < 0 || right >= leaves_count || missing_left[place]) return -1;
            nodes[place] = {-INFINITY, 0, static_cast<int32_t>(place)};
            leaves[place] = right;
        } else {
            if (right <= place || right >= count || place + 1 >= count) return -1;
            nodes[place] = {thresholds[place], features[place], right};
            leaves[place] = 0;
            if (features[place] >= columns) columns = features[place] + 1;
        }
    }
    return columns;
}

// Adds to sums (sums_count,) the values of the leaves in which the row (columns,) ends: each leaf's to all sums where
// it has as many, else tree after tree to one sum after the other. Returns 1, and adds nothing, where scikit-learn
// would refuse the row.
int64_t portico_add_leaves(const Trees* trees, const double* row, int64_t columns, double* sums) {
    const double most = trees->is_cast ? kFloat32Max : INFINITY;
    bool has_missing = false;
    for (int64_t column = 0; column < columns; ++column) {
        const double value = row[column];
        if (value != value) {
            if (!trees->takes_missing) return 1;
            has_missing = true;
        } else if (value >= most || value <= -most) {
            return 1;
        }
    }
    (has_missing ? add_up<true> : add_up<false>)(*trees, row, sums);
    return 0;
}
}
