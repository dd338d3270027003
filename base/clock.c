/* clock.c - RFC 3339 times and random UUIDs. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base.h"

int64_t bst_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

double bst_monotonic_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar; years start in March, so that the leap
 * day comes last. */
static int64_t days_from_date(int64_t year, int month, int day)
{
    if (month <= 2) year--;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

void bst_time_text(int64_t ms, char out[static BST_TIME_LEN])
{
    int64_t seconds = ms >= 0 ? ms / 1000 : -((999 - ms) / 1000);
    int64_t days = seconds >= 0 ? seconds / 86400 : -((86399 - seconds) / 86400);
    int second = (int)(seconds - days * 86400);
    int year, month, day;
    date_from_days(days, &year, &month, &day);
    snprintf(out, BST_TIME_LEN, "%04d-%02d-%02dT%02d:%02d:%02dZ", year % 10000, month, day, second / 3600,
             second / 60 % 60, second % 60);
}

/* Reads exactly count digits; returns -1 when there are not so many. */
static int digits(const char **p, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if ((*p)[i] < '0' || (*p)[i] > '9') return -1;
        value = value * 10 + ((*p)[i] - '0');
    }
    *p += count;
    return value;
}

static bool skip(const char **p, char c)
{
    if (**p != c) return false;
    (*p)++;
    return true;
}

/* "Z" or "+hh:mm": minutes east of Greenwich. */
static bool parse_offset(const char **p, int *minutes)
{
    if (**p == 'Z' || **p == 'z') {
        (*p)++;
        *minutes = 0;
        return true;
    }
    int sign = **p == '-' ? -1 : 1;
    if (**p != '-' && **p != '+') return false;
    (*p)++;
    int hour = digits(p, 2);
    if (hour < 0 || hour > 23 || !skip(p, ':')) return false;
    int minute = digits(p, 2);
    if (minute < 0 || minute > 59) return false;
    *minutes = sign * (hour * 60 + minute);
    return true;
}

bool bst_time_parse(const char *text, int64_t *ms)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *p = text;
    int year = digits(&p, 4);
    if (year < 0 || !skip(&p, '-')) return false;
    int month = digits(&p, 2);
    if (month < 1 || month > 12 || !skip(&p, '-')) return false;
    int day = digits(&p, 2);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day < 1 || day > month_days[month - 1] + (month == 2 && leap)) return false;
    int64_t seconds = days_from_date(year, month, day) * 86400;
    int fraction = 0;
    if (*p) {
        if (!skip(&p, 'T') && !skip(&p, 't') && !skip(&p, ' ')) return false;
        int hour = digits(&p, 2);
        if (hour < 0 || hour > 23 || !skip(&p, ':')) return false;
        int minute = digits(&p, 2);
        if (minute < 0 || minute > 59 || !skip(&p, ':')) return false;
        int second = digits(&p, 2);
        if (second < 0 || second > 60) return false; /* 60: a leap second */
        if (skip(&p, '.')) {
            int scale = 100;
            if (*p < '0' || *p > '9') return false;
            for (; *p >= '0' && *p <= '9'; p++, scale /= 10)
                fraction += (*p - '0') * scale;
        }
        int offset;
        if (!parse_offset(&p, &offset) || *p) return false;
        seconds += hour * 3600 + minute * 60 + second - offset * 60;
    }
    *ms = seconds * 1000 + fraction;
    return true;
}

void bst_uuid4(char out[static BST_UUID_LEN])
{
    uint8_t bytes[16];
    char hex[33];
    randombytes_buf(bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* RFC 9562: version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* variant 10 */
    bst_hex(bytes, sizeof bytes, hex);
    snprintf(out, BST_UUID_LEN, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}
