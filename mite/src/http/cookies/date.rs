//! The dates of `Expires`, read as leniently as RFC 6265, section 5.1.1, wants it.

use std::ops::RangeInclusive;

const MONTHS: [&[u8]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// Seconds since 1970; `None` if the text has no day, month, year and time in it.
///
/// What stands between them, their order, a day of the week and a time zone do not matter.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.as_bytes().split(|byte| is_delimiter(*byte)) {
        if time.is_none()
            && let Some(found) = time_of_day(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = number(token, 1..=2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = month_number(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = number(token, 2..=4)
        {
            year = Some(found);
        }
    }
    let (day, month, year, time) = (day?, month?, full_year(year?), time?);
    if day < 1 || day > days_in(month, year) || year < 1601 {
        return None;
    }
    Some(days_since_1970(year, month, day) * 86_400 + time)
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// `h:m:s` with one or two digits each, whatever follows that is not a digit.
fn time_of_day(token: &[u8]) -> Option<i64> {
    let mut parts = token.splitn(3, |byte| *byte == b':');
    let (hour, minute) = (two_digits(parts.next()?)?, two_digits(parts.next()?)?);
    let second = number(parts.next()?, 1..=2)?;
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

fn two_digits(part: &[u8]) -> Option<i64> {
    if !part.iter().all(u8::is_ascii_digit) {
        return None;
    }
    number(part, 1..=2)
}

/// The digits a token begins with, if there are as many as wanted.
fn number(token: &[u8], digits: RangeInclusive<usize>) -> Option<i64> {
    let end = token.iter().position(|byte| !byte.is_ascii_digit());
    let (number, _) = token.split_at(end.unwrap_or(token.len()));
    if !digits.contains(&number.len()) {
        return None;
    }
    str::from_utf8(number).ok()?.parse().ok()
}

fn month_number(token: &[u8]) -> Option<i64> {
    let begins = |month: &&[u8]| {
        let start = token.get(..3);
        start.is_some_and(|start| start.eq_ignore_ascii_case(month))
    };
    let index = MONTHS.iter().position(begins)?;
    i64::try_from(index).ok().map(|index| index + 1)
}

fn full_year(year: i64) -> i64 {
    match year {
        70..=99 => year + 1900,
        0..=69 => year + 2000,
        _ => year,
    }
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the Gregorian calendar, counted in years that begin in March, so that the leap day is
/// the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days_before_month = (153 * month + 2) / 5;
    year * 365 + leap_days + days_before_month + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_form_that_servers_write() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "6 november 1994 8:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06-Nov-1994 08:49:37 +0000",
            "1994 6 Nov 08:49:37",
            "08:49:37Z nov/6/94",
        ] {
            assert_eq!(parse(text), Some(784_111_777), "{text}");
        }
    }

    #[test]
    fn days_are_counted_over_leap_years_and_centuries() {
        for (text, seconds) in [
            ("1 Jan 1970 00:00:00", 0),
            ("31 Dec 1969 23:59:59", -1),
            ("29 Feb 2000 00:00:00", 951_782_400),
            ("1 Mar 2000 00:00:00", 951_868_800),
            ("28 Feb 2100 23:59:59", 4_107_542_399),
            ("1 Mar 2100 00:00:00", 4_107_542_400),
            ("31 Dec 9999 23:59:59", 253_402_300_799),
            ("1 Jan 1601 00:00:00", -11_644_473_600),
            ("1 Jan 69 00:00:00", 3_124_224_000),
            ("1 Jan 70 00:00:00", 0),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "0",
            "-1",
            "Session",
            "Sun, 06 Nov 1994",
            "06 Nov 08:49:37",
            "31 Nov 1994 08:49:37",
            "29 Feb 2100 08:49:37",
            "06 Nov 1600 08:49:37",
            "06 Nov 1994 24:00:00",
            "06 Nov 1994 08:60:37",
            "06 Nov 1994 08:49:60",
            "06 Nov 1994 008:49:37",
            "06 Nov 19940 08:49:37",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
