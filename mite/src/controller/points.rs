//! The seconds of a run as the report shows them, kept in as little memory as they need.

use std::{iter, time::Duration};

use crate::stats::leb128::{Numbers, put};

/// One second of the run, all workers together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Point {
    /// The beginning of the second.
    pub(crate) at: Duration,
    /// The stages the entries are in.
    pub(crate) stage: Option<String>,
    /// Journeys in flight at its end.
    pub(crate) users: u64,
    /// How many there should be; absent unless every entry counts users.
    pub(crate) target_users: Option<u64>,
    /// Starts due in it.
    pub(crate) planned_starts: u64,
    pub(crate) starts: u64,
    pub(crate) requests: u64,
    pub(crate) failed_requests: u64,
    /// Journeys that failed.
    pub(crate) errors: u64,
    pub(crate) dropped: u64,
    /// Times of successful requests; absent without one.
    pub(crate) http: Option<PointTimes>,
    /// Response times of completed journeys; absent without one.
    pub(crate) response_time: Option<PointTimes>,
    /// Service times of the same.
    pub(crate) service_time: Option<PointTimes>,
}

impl Point {
    /// Whether nothing happened and nothing was to happen.
    fn is_empty(&self) -> bool {
        self.users + self.planned_starts + self.starts + self.requests + self.errors + self.dropped
            == 0
    }
}

/// Times of what ended in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct PointTimes {
    pub(crate) p50: Duration,
    pub(crate) p95: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

/// The points of a run in order, some 60 bytes each where a [`Point`] has 300.
///
/// Numbers are written in as many bytes as they need, and names of stages as numbers. Memory grows
/// by a chunk at a time, so that what is there already is never copied, and never doubled to make
/// room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Points {
    chunks: Vec<Vec<u8>>,
    stages: Vec<String>,
    count: usize,
    /// Up to the last point in which something happened.
    shown: usize,
}

/// The size of a chunk: a page.
const CHUNK: usize = 4096;

/// More than any point can take: counts of ten bytes at most each, and thirteen times of
/// fourteen.
const LARGEST: usize = 400;

impl Points {
    /// Appends a point.
    pub(super) fn push(&mut self, point: &Point) {
        let stage = point.stage.as_ref().map_or(0, |name| self.stage(name));
        self.count += 1;
        if !point.is_empty() {
            self.shown = self.count;
        }
        let has_room = |chunk: &Vec<u8>| chunk.capacity() - chunk.len() >= LARGEST;
        if !self.chunks.last().is_some_and(has_room) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            pack(point, stage, chunk);
        }
    }

    /// All points but the empty ones at the end.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Point> {
        let stages = &self.stages;
        let points = self.chunks.iter().flat_map(move |chunk| {
            let mut packed = Packed(Numbers(chunk));
            iter::from_fn(move || packed.point(stages))
        });
        points.take(self.shown)
    }

    /// The number of a stage, from 1.
    fn stage(&mut self, name: &str) -> usize {
        // Most seconds are in the stage that came last.
        let known = self.stages.iter().rposition(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.stages.push(name.to_owned());
            self.stages.len() - 1
        });
        index + 1
    }
}

fn pack(point: &Point, stage: usize, bytes: &mut Vec<u8>) {
    let counts = [
        point.users,
        point.planned_starts,
        point.starts,
        point.requests,
        point.failed_requests,
        point.errors,
        point.dropped,
    ];
    put(bytes, point.at.as_nanos());
    put(bytes, stage as u128);
    // No target is not a target of none.
    put(
        bytes,
        point.target_users.map_or(0, |users| u128::from(users) + 1),
    );
    for count in counts {
        put(bytes, count.into());
    }
    for times in [point.http, point.response_time, point.service_time] {
        put(bytes, times.is_some().into());
        let each = times.map(|times| [times.p50, times.p95, times.p99, times.max]);
        for time in each.iter().flatten() {
            put(bytes, time.as_nanos());
        }
    }
}

/// What has not been read of a chunk.
struct Packed<'a>(Numbers<'a>);

impl Packed<'_> {
    fn point(&mut self, stages: &[String]) -> Option<Point> {
        Some(Point {
            at: self.time()?,
            stage: match self.0.next()? {
                0 => None,
                number => stages.get(number as usize - 1).cloned(),
            },
            target_users: self.0.next()?.checked_sub(1).map(|users| users as u64),
            users: self.0.next()? as u64,
            planned_starts: self.0.next()? as u64,
            starts: self.0.next()? as u64,
            requests: self.0.next()? as u64,
            failed_requests: self.0.next()? as u64,
            errors: self.0.next()? as u64,
            dropped: self.0.next()? as u64,
            http: self.times()?,
            response_time: self.times()?,
            service_time: self.times()?,
        })
    }

    fn times(&mut self) -> Option<Option<PointTimes>> {
        if self.0.next()? == 0 {
            return Some(None);
        }
        Some(Some(PointTimes {
            p50: self.time()?,
            p95: self.time()?,
            p99: self.time()?,
            max: self.time()?,
        }))
    }

    fn time(&mut self) -> Option<Duration> {
        const SECOND: u128 = 1_000_000_000;
        let nanos = self.0.next()?;
        Some(Duration::new(
            (nanos / SECOND) as u64,
            (nanos % SECOND) as u32,
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A second of a hundred users at full rate in one stage.
    fn busy(number: u32) -> Point {
        let times = |factor: u32| PointTimes {
            p50: Duration::from_micros(1_487) * factor,
            p95: Duration::from_micros(2_711) * factor,
            p99: Duration::from_micros(4_023) * factor,
            max: Duration::from_nanos(8_123_457) * factor,
        };
        Point {
            at: SECOND * number,
            stage: Some("peak".to_owned()),
            users: 100,
            starts: 65_432 + u64::from(number % 1000),
            requests: 65_432,
            target_users: Some(100),
            failed_requests: 12,
            http: Some(times(1)),
            response_time: Some(times(2)),
            service_time: Some(times(2)),
            ..Point::default()
        }
    }

    fn packed(points: &[Point]) -> Points {
        let mut packed = Points::default();
        points.iter().for_each(|point| packed.push(point));
        packed
    }

    fn bytes(points: &Points) -> usize {
        let chunks = points.chunks.iter().map(Vec::capacity).sum::<usize>();
        chunks + points.chunks.capacity() * size_of::<Vec<u8>>()
    }

    #[test]
    fn an_hour_at_full_rate_takes_less_than_a_hundred_bytes_a_second() {
        let points: Vec<_> = (0..3600).map(busy).collect();
        let packed = packed(&points);
        assert!(packed.iter().eq(points));
        let each = bytes(&packed) / 3600;
        assert!((20..100).contains(&each), "{each} bytes");
    }

    #[test]
    fn memory_grows_by_a_page_at_a_time_and_never_doubles() {
        let mut points = Points::default();
        let mut before = 0;
        for number in 0..20_000 {
            points.push(&busy(number));
            let after = points.chunks.iter().map(Vec::capacity).sum();
            assert!(after - before <= CHUNK, "{before} to {after}");
            before = after;
        }
    }

    #[test]
    fn seconds_in_which_nothing_happened_are_kept_unless_they_are_the_last() {
        let empty = |number| Point {
            at: SECOND * number,
            ..Point::default()
        };
        let points = [empty(0), busy(1), empty(2), busy(3), empty(4), empty(5)];
        assert!(packed(&points).iter().eq(points[..4].iter().cloned()));
        assert_eq!(packed(&[empty(0), empty(1)]).iter().count(), 0);
        assert_eq!(packed(&[]).iter().count(), 0);
    }

    #[test]
    fn the_largest_point_there_can_be_fits() {
        let times = Some(PointTimes {
            p50: Duration::MAX,
            p95: Duration::MAX,
            p99: Duration::MAX,
            max: Duration::MAX,
        });
        let largest = Point {
            at: Duration::MAX,
            stage: Some("peak".to_owned()),
            // Their sum is what tells whether anything happened.
            users: u64::MAX,
            target_users: Some(u64::MAX),
            http: times,
            response_time: times,
            service_time: times,
            ..Point::default()
        };
        let points = vec![largest; 50];
        let packed = packed(&points);
        assert!(packed.chunks.iter().all(|chunk| chunk.capacity() == CHUNK));
        assert!(packed.iter().eq(points));
    }

    fn any_times() -> impl Strategy<Value = Option<PointTimes>> {
        let time = prop_oneof![
            (0u64..100_000_000).prop_map(Duration::from_nanos),
            any::<Duration>(),
        ];
        let times = prop::array::uniform4(time).prop_map(|[p50, p95, p99, max]| PointTimes {
            p50,
            p95,
            p99,
            max,
        });
        prop::option::of(times)
    }

    fn any_point() -> impl Strategy<Value = Point> {
        let count = prop_oneof![Just(0), 0..1000u64, 0..u64::MAX / 8];
        let stage = prop::option::of("[a-d]{0,2}");
        let target_users = prop::option::of(any::<u64>());
        let times = prop::array::uniform3(any_times());
        (
            any::<Duration>(),
            stage,
            target_users,
            prop::array::uniform7(count),
            times,
        )
            .prop_map(|(at, stage, target_users, counts, times)| {
                let [
                    users,
                    planned_starts,
                    starts,
                    requests,
                    failed_requests,
                    errors,
                    dropped,
                ] = counts;
                let [http, response_time, service_time] = times;
                Point {
                    at,
                    stage,
                    users,
                    target_users,
                    planned_starts,
                    starts,
                    requests,
                    failed_requests,
                    errors,
                    dropped,
                    http,
                    response_time,
                    service_time,
                }
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_packed_comes_out_as_it_went_in(
            mut points in prop::collection::vec(any_point(), 0..200),
        ) {
            let packed = packed(&points);
            while points.last().is_some_and(Point::is_empty) {
                points.pop();
            }
            prop_assert_eq!(packed.iter().collect::<Vec<_>>(), points);
        }
    }
}
