//! The form in which times go from machine to machine.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Digits, Exact, Latency, Samples};
use crate::stats::{
    buckets::Buckets,
    leb128::{Numbers, put},
};

/// In bytes: how many digits; if there are samples, how many, the smallest, the largest and their
/// sum; then of each bucket that is not empty how many it is after the last one, and its count.
///
/// What a worker counts of one name in one second is a few samples in wide tables. So it is a
/// hundred bytes, and neither packed nor unpacked, which for HdrHistogram's own form was nearly all
/// that a controller did.
impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = vec![self.digits.count()];
        if let Some(samples) = &self.samples {
            let Exact {
                count,
                min,
                max,
                sum,
            } = samples.exact;
            for number in [count.into(), min, max, sum] {
                put(&mut bytes, number);
            }
            samples.buckets.put(&mut bytes);
        }
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(deserializer)?;
        read(&bytes).ok_or_else(|| D::Error::custom("what was said of times makes no sense"))
    }
}

fn read(bytes: &[u8]) -> Option<Latency> {
    let (&digits, rest) = bytes.split_first()?;
    let digits = [Digits::Two, Digits::Three]
        .into_iter()
        .find(|known| known.count() == digits)?;
    let mut latency = Latency::new(digits);
    if !rest.is_empty() {
        let mut numbers = Numbers(rest);
        let exact = Exact {
            count: numbers.next()?.try_into().ok()?,
            min: numbers.next()?,
            max: numbers.next()?,
            sum: numbers.next()?,
        };
        let buckets = Buckets::take(digits, &mut numbers)?;
        latency.samples = Some(Box::new(Samples { exact, buckets }));
    }
    Some(latency)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_second_of_one_name_is_a_few_bytes() {
        let mut latency = Latency::new(Digits::Three);
        for number in 0..20 {
            latency.record(Duration::from_micros(4_000 + number * 130));
        }
        let bytes = rmp_serde::to_vec_named(&latency).unwrap();
        assert!(bytes.len() < 80, "{} bytes", bytes.len());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let bytes = |numbers: &[u128]| {
            let mut bytes = vec![3];
            numbers.iter().for_each(|number| put(&mut bytes, *number));
            bytes
        };
        let last = Buckets::last(Digits::Three) as u128;
        assert!(read(&bytes(&[1, 5, 5, 5, last, 1])).is_some());
        let nonsense = [
            vec![],
            vec![4],
            bytes(&[1, 5, 5]),
            bytes(&[1, 5, 5, 5, 0]),
            bytes(&[1, 5, 5, 5, last + 1, 1]),
            bytes(&[1, 5, 5, 5, last, 1, 0, 1]),
            bytes(&[1, 5, 5, 5, u128::MAX, 1]),
            bytes(&[1, 5, 5, 5, 3, 1 << 32]),
            bytes(&[1 << 64, 5, 5, 5, 3, 1]),
        ];
        for bytes in nonsense {
            assert!(read(&bytes).is_none(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(nanos in prop::collection::vec(any::<u64>(), 0..20), fine: bool) {
            let digits = if fine { Digits::Three } else { Digits::Two };
            let mut latency = Latency::new(digits);
            for nanos in nanos {
                latency.record(Duration::from_nanos(nanos));
            }
            let bytes = rmp_serde::to_vec_named(&latency).unwrap();
            let mut back: Latency = rmp_serde::from_slice(&bytes).unwrap();
            prop_assert_eq!(&back, &latency);
            for latency in [&mut back, &mut latency] {
                latency.record(Duration::from_secs(1 << 33));
            }
            prop_assert_eq!(back, latency);
        }
    }
}
