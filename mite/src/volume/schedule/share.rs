//! Which of the starts, or of the users, are one sharer's own.

use serde::{Deserialize, Serialize};

/// What a sharer owns of the numbers 0, 1, 2 …, which are dealt out in rounds.
///
/// A round has `of` slots, each of which gets one number. They are gone through in steps of
/// `stride`, so that whoever has many slots in a row does not get many numbers in a row. The slots
/// from `index` on, `width` of them, belong together: what falls into them is counted, round after
/// round, and the sharer owns every count that leaves `part` when divided by `parts`. Runners share
/// the slots, the workers of a runner the parts; so a weight need not be a multiple of the workers,
/// and each number is owned once all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Share {
    of: u32,
    stride: u32,
    index: u32,
    width: u32,
    part: u32,
    parts: u32,
}

impl Share {
    /// Everything.
    #[cfg(test)]
    pub(crate) const ALL: Share = Share::one(0, 1);

    /// Nothing at all.
    pub(crate) const NONE: Share = Share::one(0, 0);

    /// Every number that leaves `index` when divided by `of`.
    pub(crate) const fn one(index: u32, of: u32) -> Self {
        Self {
            of,
            stride: 1,
            index,
            width: 1,
            part: 0,
            parts: 1,
        }
    }

    /// The share of each of some sharers by weight: all of them together own each number once.
    pub(crate) fn by_weight(weights: &[u32]) -> Vec<Self> {
        let divisor = weights.iter().copied().fold(0, greatest_common_divisor);
        let widths = weights.iter().map(|weight| weight / divisor.max(1));
        let of = widths.clone().fold(0, u32::saturating_add);
        let is_even = widths.clone().all(|width| width <= 1);
        let stride = if is_even { 1 } else { spreading(of) };
        let mut next = 0_u32;
        let share = |width| {
            let index = next;
            next = next.saturating_add(width);
            Self {
                of,
                stride,
                index,
                width,
                part: 0,
                parts: 1,
            }
        };
        widths.map(share).collect()
    }

    /// What the sharer itself gives to `part` of `parts`, to all of them together everything.
    ///
    /// With another `turn` another sharer, and of that another part, comes first: of many lines of one
    /// user each, not all fall to the same.
    pub(crate) fn part(self, part: u32, parts: u32, turn: u32) -> Self {
        if self.of == 0 || parts == 0 {
            return Self::NONE;
        }
        let shifted = |number: u32, by: u32, of: u32| {
            let sum = u64::from(number) + u64::from(by % of);
            u32::try_from(sum % u64::from(of)).unwrap_or_default()
        };
        Self {
            index: shifted(self.index, turn, self.of),
            part: shifted(part, turn / self.of, parts),
            parts,
            ..self
        }
    }

    /// How much of the whole is its own.
    pub(crate) fn fraction(self) -> f64 {
        if self.owns_any() {
            f64::from(self.width) / f64::from(self.of) / f64::from(self.parts)
        } else {
            0.0
        }
    }

    /// What tells it from all others among which something is shared.
    pub(crate) fn name(self) -> u64 {
        u64::from(self.index) << 32 | u64::from(self.part)
    }

    /// Whether number `k` is its own.
    #[cfg(test)]
    pub(crate) fn owns(self, k: u64) -> bool {
        self.first_at_or_after(k) == Some(k)
    }

    /// Its first own number from `k` on, if it has any.
    pub(crate) fn first_at_or_after(self, k: u64) -> Option<u64> {
        if !self.owns_any() {
            return None;
        }
        let round = k / u64::from(self.of);
        let in_this = self.in_round(round).filter(|&own| own >= k).min();
        in_this.or_else(|| {
            let counted = round.checked_add(1)?.checked_mul(u64::from(self.width))?;
            let later = self.counted_from(counted)? / u64::from(self.width);
            self.in_round(later).min()
        })
    }

    /// Its last own number below `total`, if it has one.
    pub(crate) fn last_below(self, total: u64) -> Option<u64> {
        if !self.owns_any() {
            return None;
        }
        let round = total / u64::from(self.of);
        let in_this = self.in_round(round).filter(|&own| own < total).max();
        in_this.or_else(|| {
            // The last count before this round that is its own.
            let before = (round * u64::from(self.width)).checked_sub(u64::from(self.part) + 1)?;
            let count = before / u64::from(self.parts) * u64::from(self.parts);
            let earlier = (count + u64::from(self.part)) / u64::from(self.width);
            self.in_round(earlier).max()
        })
    }

    /// How many of the numbers 0 … `total` - 1 are its own.
    pub(crate) fn count(self, total: u64) -> u64 {
        if !self.owns_any() {
            return 0;
        }
        let round = total / u64::from(self.of);
        let counted = round * u64::from(self.width);
        let (part, parts) = (u64::from(self.part), u64::from(self.parts));
        let before = counted / parts + u64::from(counted % parts > part);
        before + self.in_round(round).filter(|&own| own < total).count() as u64
    }

    /// Its own numbers in a round, in whatever order.
    fn in_round(self, round: u64) -> impl Iterator<Item = u64> {
        let (of, width) = (u64::from(self.of), u64::from(self.width));
        let first = round.saturating_mul(width);
        let start = round.saturating_mul(of);
        let counts = self.counted_from(first).unwrap_or(u64::MAX)..first.saturating_add(width);
        let counts = counts.step_by(self.parts.max(1) as usize);
        counts.filter_map(move |count| {
            let slot = (u64::from(self.index) + (count - first)) % of;
            start.checked_add(slot * u64::from(self.stride) % of)
        })
    }

    /// The first count from `count` on that is its own.
    fn counted_from(self, count: u64) -> Option<u64> {
        let (part, parts) = (u64::from(self.part), u64::from(self.parts));
        count.checked_add((part + parts - count % parts) % parts)
    }

    fn owns_any(self) -> bool {
        self.index < self.of && self.width > 0 && self.part < self.parts
    }
}

fn greatest_common_divisor(one: u32, other: u32) -> u32 {
    if other == 0 {
        one
    } else {
        greatest_common_divisor(other, one % other)
    }
}

/// A step that reaches all of so many slots before it comes to one again, and goes from each to one
/// far away: near the golden section, as in a Weyl sequence.
fn spreading(of: u32) -> u32 {
    let golden = (f64::from(of) * 0.618_033_988_749_895).round() as u32;
    let reaches_all = |step: &u32| greatest_common_divisor(of, *step) == 1;
    let later = (golden.max(1)..of).find(reaches_all);
    later.unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The shares of all workers of runners with these weights and so many workers.
    fn workers(runners: &[(u32, u32)], turn: u32) -> Vec<Share> {
        let weights: Vec<_> = runners.iter().map(|(weight, _)| *weight).collect();
        let shares = Share::by_weight(&weights);
        let each = shares
            .iter()
            .zip(runners)
            .flat_map(|(share, (_, workers))| {
                (0..*workers).map(move |worker| share.part(worker, *workers, turn))
            });
        each.collect()
    }

    proptest! {
        #[test]
        fn each_number_is_owned_by_one_worker_of_one_runner(
            runners in prop::collection::vec((1_u32..40, 1_u32..9), 1..7),
            turn in 0_u32..30,
            from in prop_oneof![Just(0_u64), 0_u64..1_000_000_000_000],
        ) {
            let workers = workers(&runners, turn);
            for k in from..from + 150 {
                let owners = workers.iter().filter(|share| share.owns(k));
                prop_assert_eq!(owners.count(), 1, "{}", k);
            }
            let total: u64 = workers.iter().map(|share| share.count(from)).sum();
            prop_assert_eq!(total, from);
        }

        #[test]
        fn what_a_worker_owns_is_counted_and_found_from_both_sides(
            runners in prop::collection::vec((1_u32..40, 1_u32..9), 1..5),
            turn in 0_u32..30,
        ) {
            for share in workers(&runners, turn) {
                let mut own = Vec::new();
                let mut next = share.first_at_or_after(0);
                while let Some(k) = next.filter(|&k| k < 500) {
                    own.push(k);
                    next = share.first_at_or_after(k + 1);
                }
                for total in 0..500 {
                    let below = own.partition_point(|&k| k < total);
                    prop_assert_eq!(share.count(total), below as u64);
                    prop_assert_eq!(share.last_below(total), own[..below].last().copied());
                }
            }
        }

        #[test]
        fn each_runner_has_its_part_of_each_round_and_its_workers_alike(
            runners in prop::collection::vec((1_u32..40, 1_u32..9), 1..7),
        ) {
            let weights: Vec<_> = runners.iter().map(|(weight, _)| *weight).collect();
            let of: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
            for (share, (weight, workers)) in Share::by_weight(&weights).iter().zip(&runners) {
                prop_assert_eq!(share.count(7 * of), 7 * u64::from(*weight));
                let parts = (0..*workers).map(|worker| share.part(worker, *workers, 0));
                let counts: Vec<_> = parts.map(|part| part.count(7 * of)).collect();
                let (least, most) = (counts.iter().min(), counts.iter().max());
                prop_assert!(most.unwrap() - least.unwrap() <= 1, "{:?}", counts);
            }
        }
    }

    #[test]
    fn great_weights_take_turns_after_few_starts_and_not_after_many() {
        let shares = Share::by_weight(&[999, 1000, 2000]);
        for from in (0..4000).step_by(50) {
            let has: Vec<_> = (shares.iter())
                .map(|share| share.count(from + 100) - share.count(from))
                .collect();
            for (own, due) in has.iter().zip([25, 25, 50]) {
                assert!(own.abs_diff(due) <= 3, "{has:?} from {from} on");
            }
        }
    }

    #[test]
    fn many_lines_of_one_user_each_fall_to_all_workers_alike() {
        let mut users = vec![0; 6];
        for turn in 0..12 {
            let workers = workers(&[(1, 2), (1, 2), (1, 2)], turn);
            let owner = workers.iter().position(|share| share.owns(0)).unwrap();
            users[owner] += 1;
        }
        assert_eq!(users, [2; 6]);
    }

    #[test]
    fn few_users_are_shared_by_all_runners() {
        let shares = Share::by_weight(&[4, 4, 4]);
        let users: Vec<_> = shares.iter().map(|share| share.count(7)).collect();
        assert_eq!(users, [3, 2, 2]);
    }

    #[test]
    fn nobody_has_a_share_of_nothing() {
        assert!(Share::by_weight(&[]).is_empty());
        let [none, all] = Share::by_weight(&[0, 3])[..] else {
            panic!()
        };
        assert_eq!((none.count(100), none.first_at_or_after(0)), (0, None));
        assert_eq!(all.count(100), 100);
        assert_eq!(Share::NONE.part(0, 3, 1).count(100), 0);
        assert_eq!(Share::NONE.fraction(), 0.0);
    }
}
