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
// A sign, up to five zeros, a point, 17 digits, "e-324", and what is written beyond them.
constexpr int kNumberBytes = 48;
// Words up to this length are copied as if they had it.
constexpr int kShortWord = 16;
// What is counted in a byte, so that a vector of them counts at once, must not run over.
constexpr int64_t kCountedAtOnce = 255;

// The number that is all of a cell, or NaN: so are a cell that is none and a number without an end.
const char* read_number(const char* at, const char* end, char delimiter, double* number) {
    double found;
    const auto [after, problem] = std::from_chars(at, end, found);
    const bool is_whole = after == end || *after == delimiter || *after == '\n' || *after == '\r';
    const bool is_number = problem == std::errc() && is_whole && std::isfinite(found);
    *number = is_number ? found : kNaN;
    return is_number ? after : at;
}

// Digits without their point, 17 at most; copied by a fixed number of bytes, which is faster than by their own.
inline void copy_digits(char* out, const char* digits) {
    std::memcpy(out, digits, 1);
    std::memcpy(out + 1, digits + 2, 16);
}

// The fewest digits that read back as the same number. Writes less than kNumberBytes, of which not all may count.
char* write_number(char* out, double number, char point) {
    if (number == 0) {
        if (std::signbit(number)) *out++ = '-';
        *out++ = '0', *out++ = point, *out++ = '0';
        return out;
    }
    if (number < 0) *out++ = '-', number = -number;
    // "d.ddde-07" or "de+123"
    char digits[kNumberBytes];
    const char* const end = std::to_chars(digits, digits + sizeof digits, number, std::chars_format::scientific).ptr;
    const char* const mark = end[-4] == 'e' ? end - 4 : end - 5;
    int exponent = 0;
    for (const char* digit = mark + 2; digit < end; ++digit) exponent = exponent * 10 + (*digit - '0');
    if (mark[1] == '-') exponent = -exponent;
    const int count = mark - digits == 1 ? 1 : static_cast<int>(mark - digits) - 1;

    if (exponent < kPlainFrom || exponent >= kPlainBelow) {
        copy_digits(out + 1, digits);
        out[0] = out[1], out[1] = point;
        out += count > 1 ? count + 1 : 1;
        *out++ = 'e';
        if (exponent >= 0) *out++ = '+';
        return std::to_chars(out, out + 5, exponent).ptr;
    }
    if (exponent < 0) {
        *out++ = '0', *out++ = point;
        for (int zero = -1; zero > exponent; --zero) *out++ = '0';
        copy_digits(out, digits);
        return out + count;
    }
    const int whole = exponent + 1;
    if (count > whole) {
        char plain[kNumberBytes];
        copy_digits(plain, digits);
        std::memcpy(out, plain, 16);
        out[whole] = point;
        std::memcpy(out + whole + 1, plain + whole, 16);
        return out + count + 1;
    }
    copy_digits(out, digits);
    for (int place = count; place < whole; ++place) out[place] = '0';
    out[whole] = point, out[whole + 1] = '0';
    return out + whole + 2;
}

}  // namespace

extern "C" {

// One added column. numbers: one a row, NaN for an empty cell; or codes: one a row, of words, below 0 for an empty cell.
// A word ends where the next one begins; words_begin has one entry more than there are words, and kShortWord bytes that
// mean nothing stand behind the last one.
struct AddedColumn {
    const double* numbers;
    const int32_t* codes;
    const char* words;
    const int64_t* words_begin;
};

int64_t portico_count_lines(const char* block, int64_t size) {
    int64_t count = 0;
    for (int64_t begin = 0; begin < size; begin += kCountedAtOnce) {
        const int64_t end = begin + kCountedAtOnce < size ? begin + kCountedAtOnce : size;
        uint8_t some = 0;
        for (int64_t at = begin; at < end; ++at) some += block[at] == '\n';
        count += some;
    }
    return count;
}

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
// enough for all of them, with kNumberBytes for a number and kShortWord for any shorter word.
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
                const int64_t begin = column.words_begin[column.codes[row]];
                const int64_t length = column.words_begin[column.codes[row] + 1] - begin;
                std::memcpy(out, column.words + begin, length <= kShortWord ? kShortWord : length);
                out += length;
            }
        }
        if (has_returns) *out++ = '\r';
        *out++ = '\n';
    }
    return out - output;
}
}
