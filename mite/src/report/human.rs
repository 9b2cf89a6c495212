//! Numbers as people read them: three digits that matter, and their unit.

use std::time::{Duration, SystemTime};

/// A time such as a latency, from seconds: `870µs`, `31.4ms`, `2.05s`.
pub(crate) fn time(seconds: f64) -> String {
    let microseconds = seconds * 1e6;
    if microseconds <= 0.0 {
        "0ms".to_owned()
    } else if microseconds < 0.9995 {
        "<1µs".to_owned()
    } else if microseconds < 999.5 {
        format!("{}µs", three_digits(microseconds))
    } else if seconds < 0.9995 {
        format!("{}ms", three_digits(seconds * 1e3))
    } else {
        format!("{}s", three_digits(seconds))
    }
}

/// How long a run lasts: `0.4s`, `12.0s`, `1m05s`, `2h00m`.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    // Rounding must not turn 59.96 s into "60.0s".
    if duration < Duration::from_millis(59_950) {
        format!("{:.1}s", duration.as_secs_f64())
    } else if seconds < 3600 {
        let seconds = duration.as_secs_f64().round() as u64;
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    } else {
        let minutes = seconds / 60;
        format!("{}h{:02}m", minutes / 60, minutes % 60)
    }
}

/// How far a clock has come, without tenths: `0:12`, `61:05`.
pub(crate) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A count with thousands set apart: `1,234,567`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many a second, for a column of them: `0`, `0.250`, `12.0`, `1,998`.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second <= 0.0 {
        "0".to_owned()
    } else {
        three_digits(per_second)
    }
}

/// An amount that need not be whole, without the digits that say nothing: `0.25`, `12`, `1,998`.
pub(crate) fn number(number: f64) -> String {
    if number < 0.0 {
        return format!("-{}", self::number(-number));
    }
    if number >= 99.95 {
        return count(number.round() as u64);
    }
    let text = three_digits(number);
    match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text,
    }
}

/// A size: `512 B`, `1.50 KiB`, `12.3 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while amount >= 1023.5 {
        let Some(next) = units.next() else { break };
        amount /= 1024.0;
        unit = next;
    }
    if amount >= 999.5 {
        format!("{} {unit}", count(amount.round() as u64))
    } else {
        format!("{} {unit}", three_digits(amount))
    }
}

/// A share between 0 and 1: `0.42 %`, `12.5 %`, `100 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// A share between 0 and 1, for a column of them: `<0.1 %`, `0.4 %`, `12.5 %`.
pub(crate) fn share(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.05 {
        "<0.1 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// So many of a thing: `1 row`, `1,200 rows`.
pub(crate) fn plural(amount: u64, one: &str) -> String {
    let ending = if amount == 1 { "" } else { "s" };
    format!("{} {one}{ending}", count(amount))
}

/// A moment in UTC to the second, as RFC 3339 writes it.
pub(crate) fn utc(moment: SystemTime) -> String {
    humantime::format_rfc3339_seconds(moment).to_string()
}

fn three_digits(amount: f64) -> String {
    if amount >= 999.5 {
        count(amount.round() as u64)
    } else if amount >= 99.95 {
        format!("{amount:.0}")
    } else if amount >= 9.995 {
        format!("{amount:.1}")
    } else if amount >= 0.995 {
        format!("{amount:.2}")
    } else {
        let decimals = if amount > 0.0 {
            (2.0 - amount.log10().floor()).min(9.0) as usize
        } else {
            0
        };
        format!("{amount:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_the_unit_that_suits_them() {
        for (seconds, text) in [
            (0.0, "0ms"),
            (0.000_000_4, "<1µs"),
            (0.000_001, "1.00µs"),
            (0.000_87, "870µs"),
            (0.000_999_6, "1.00ms"),
            (0.001_234, "1.23ms"),
            (0.031_44, "31.4ms"),
            (0.25, "250ms"),
            (0.999_6, "1.00s"),
            (2.049, "2.05s"),
            (9.996, "10.0s"),
            (99.96, "100s"),
            (1234.0, "1,234s"),
        ] {
            assert_eq!(time(seconds), text);
        }
    }

    #[test]
    fn spans_grow_coarser_with_their_length() {
        for (seconds, text) in [
            (0.42, "0.4s"),
            (12.0, "12.0s"),
            (59.94, "59.9s"),
            (59.96, "1m00s"),
            (65.4, "1m05s"),
            (3599.0, "59m59s"),
            (3660.0, "1h01m"),
            (90_000.0, "25h00m"),
        ] {
            assert_eq!(span(Duration::from_secs_f64(seconds)), text);
        }
        assert_eq!(clock(Duration::from_millis(12_900)), "0:12");
        assert_eq!(clock(Duration::from_secs(3665)), "61:05");
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(number), text);
        }
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn amounts_lose_the_digits_that_say_nothing() {
        for (amount, text) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (0.000_425, "0.000425"),
            (0.996, "1"),
            (12.5, "12.5"),
            (12.0, "12"),
            (99.96, "100"),
            (1997.6, "1,998"),
            (-3.5, "-3.5"),
        ] {
            assert_eq!(number(amount), text);
        }
        assert_eq!([0.0, 0.25, 33.0].map(rate), ["0", "0.250", "33.0"]);
        assert_eq!(percent(0.0042), "0.42 %");
        assert_eq!(percent(0.000_25), "0.025 %");
        assert_eq!(percent(1.0), "100 %");
        let shares = [0.0, 0.000_4, 0.000_6, 0.125, 1.0].map(share);
        assert_eq!(shares, ["0.0 %", "<0.1 %", "0.1 %", "12.5 %", "100.0 %"]);
    }

    #[test]
    fn sizes_change_unit_at_1024() {
        for (size, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.50 KiB"),
            (1_024_000, "1,000 KiB"),
            (1 << 20, "1.00 MiB"),
            (12_900_000, "12.3 MiB"),
        ] {
            assert_eq!(bytes(size), text);
        }
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
    }

    #[test]
    fn one_thing_is_not_many() {
        assert_eq!(plural(1, "row"), "1 row");
        assert_eq!(plural(1200, "row"), "1,200 rows");
        assert_eq!(plural(0, "row"), "0 rows");
    }

    #[test]
    fn moments_are_told_in_utc() {
        let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_377_600_700);
        assert_eq!(utc(moment), "2026-11-22T20:00:00Z");
    }
}
