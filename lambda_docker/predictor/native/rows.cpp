// CSV rows: numbers out of cells, and cells behind rows. What is here is called by rows.py, which says what it means.
//
// Reads nothing outside of what it is given, whatever bytes stand there, and leaves Python's lock alone.

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// polars' own bounds: between these powers of ten a number is written without an exponent.
constexpr int kPlainFrom = -5, kPlainBelow = 16;
// A sign, 17 digits, a point, "e-324", and up to five zeros in front.
constexpr int kNumberBytes = 32;

// The number that is all of a cell, or NaN: so are a cell that is none and a number without an end.
const char* read_number(const char* at, const char* end, char delimiter, double* number) {
    const auto [after, problem] = std::from_chars(at, end, *number);
    const bool is_whole = after == end || *after == delimiter || *after == '\n' || *after == '\r';
    if (problem != std::errc() || !is_whole || !std::isfinite(*number)) {
        *number = kNaN;
        return at;
    }
    return after;
}

// The fewest digits that read back as the same number.
char* write_number(char* out, double number, char point) {
    char digits[kNumberBytes];
    if (number == 0) {
        if (std::signbit(number)) *out++ = '-';
        *out++ = '0', *out++ = point, *out++ = '0';
        return out;
    }
    if (number < 0) *out++ = '-', number = -number;
    // "d.ddde-07"
    const char* end = std::to_chars(digits, digits + sizeof digits, number, std::chars_format::scientific).ptr;
    const char* mark = end;
    while (*--mark != 'e') {
    }
    int exponent = 0;
    std::from_chars(mark[1] == '+' ? mark + 2 : mark + 1, end, exponent);
    // Without the point: its place is worked out below.
    int count = 1;
    for (const char* digit = digits + 2; digit < mark; ++digit) digits[count++] = *digit;

    if (exponent < kPlainFrom || exponent >= kPlainBelow) {
        *out++ = digits[0];
        if (count > 1) {
            *out++ = point;
            std::memcpy(out, digits + 1, count - 1), out += count - 1;
        }
        *out++ = 'e';
        if (exponent >= 0) *out++ = '+';
        return std::to_chars(out, out + 5, exponent).ptr;
    }
    if (exponent < 0) {
        *out++ = '0', *out++ = point;
        for (int zero = -1; zero > exponent; --zero) *out++ = '0';
        std::memcpy(out, digits, count);
        return out + count;
    }
    const int whole = exponent + 1;
    for (int place = 0; place < whole; ++place) *out++ = place < count ? digits[place] : '0';
    *out++ = point;
    if (count <= whole) {
        *out++ = '0';
        return out;
    }
    std::memcpy(out, digits + whole, count - whole);
    return out + count - whole;
}

}  // namespace

extern "C" {

// One added column. numbers: one a row, NaN for an empty cell; or codes: one a row, of words, below 0 for an empty cell.
// A word ends where the next one begins; words_begin has one entry more than there are words.
struct AddedColumn {
    const double* numbers;
    const int32_t* codes;
    const char* words;
    const int64_t* words_begin;
};

// How many records the run holds, or -1 where it is not made of nothing but regular ones, without quotes.
int64_t portico_read_rows(const char* run, int64_t size, char delimiter, int32_t width, int32_t has_returns,
                          const int32_t* places, int64_t capacity, double* numbers, int64_t* begins, int64_t* ends) {
    const char *at = run, *const end = run + size;
    int64_t row = 0;
    while (at < end) {
        // With several columns a blank line lacks delimiters.
        if (row == capacity || (width == 1 && static_cast<unsigned char>(*at) <= ' ')) return -1;
        begins[row] = at - run;
        for (int32_t column = 0; column < width; ++column) {
            if (places[column] >= 0) at = read_number(at, end, delimiter, numbers + places[column] * capacity + row);
            while (at < end && *at != delimiter && *at != '\n' && *at != '\r' && *at != '"') ++at;
            if (column < width - 1) {
                if (at == end || *at != delimiter) return -1;
                ++at;
            }
        }
        ends[row++] = at - run;
        if (has_returns && (at == end || *at++ != '\r')) return -1;
        if (at == end || *at++ != '\n') return -1;
    }
    return row;
}

// Each record's bytes, the added cells, and the line's end: how many bytes were written. The output has to be long
// enough for all of them, kNumberBytes for a number.
int64_t portico_write_rows(const char* records, const int64_t* begins, const int64_t* ends, int64_t count,
                           const AddedColumn* columns, int32_t columns_count, char delimiter, char point,
                           int32_t has_returns, char* output) {
    char* out = output;
    for (int64_t row = 0; row < count; ++row) {
        std::memcpy(out, records + begins[row], ends[row] - begins[row]), out += ends[row] - begins[row];
        for (int32_t number = 0; number < columns_count; ++number) {
            const AddedColumn& column = columns[number];
            *out++ = delimiter;
            if (column.numbers) {
                if (!std::isnan(column.numbers[row])) out = write_number(out, column.numbers[row], point);
            } else if (column.codes[row] >= 0) {
                const int64_t* word = column.words_begin + column.codes[row];
                std::memcpy(out, column.words + word[0], word[1] - word[0]), out += word[1] - word[0];
            }
        }
        if (has_returns) *out++ = '\r';
        *out++ = '\n';
    }
    return out - output;
}
}
