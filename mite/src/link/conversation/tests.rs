//! A conversation in all weathers.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What a network does to what it carries.
#[derive(Clone, Copy, Debug)]
struct Weather {
    lost: f64,
    repeated: f64,
    slowest: Duration,
    /// When nothing gets through.
    cut: (Duration, Duration),
}

const CLEAR: Weather = Weather {
    lost: 0.0,
    repeated: 0.0,
    slowest: Duration::from_millis(1),
    cut: (Duration::ZERO, Duration::ZERO),
};

/// Two sides and the network between them.
struct Line {
    weather: Weather,
    random: fastrand::Rng,
    now: Duration,
    sides: [Conversation; 2],
    /// By when it arrives; a number tells those of one moment apart.
    under_way: BTreeMap<(Duration, u64), (usize, Frame)>,
    frames: u64,
    heard: [Vec<Bytes>; 2],
}

impl Line {
    fn new(weather: Weather, seed: u64) -> Self {
        Self {
            weather,
            random: fastrand::Rng::with_seed(seed),
            now: Duration::ZERO,
            sides: [Conversation::new(7), Conversation::new(7)],
            under_way: BTreeMap::new(),
            frames: 0,
            heard: [Vec::new(), Vec::new()],
        }
    }

    fn carry(&mut self, to: usize, frame: &Frame) {
        let copies = 1 + usize::from(self.random.f64() < self.weather.repeated);
        for _ in 0..copies {
            self.frames += 1;
            let (from, until) = self.weather.cut;
            let cut = (from..until).contains(&self.now);
            if cut || self.random.f64() < self.weather.lost {
                continue;
            }
            let late = self.weather.slowest.mul_f64(self.random.f64());
            self.under_way
                .insert((self.now + late, self.frames), (to, frame.clone()));
        }
    }

    fn send(&mut self) {
        for from in 0..2 {
            for frame in self.sides[from].due(self.now) {
                self.carry(1 - from, &frame);
            }
        }
    }

    /// Goes on until both have heard everything, and says whether they ever did.
    fn settle(&mut self, until: Duration) -> bool {
        loop {
            self.send();
            if self.under_way.is_empty() && self.sides.iter().all(Conversation::is_heard) {
                return true;
            }
            let arrival = self.under_way.keys().next().map(|(at, _)| *at);
            let repeats = self.sides.iter().filter_map(Conversation::repeats_at);
            let Some(next) = repeats.chain(arrival).min() else {
                return false;
            };
            self.now = self.now.max(next);
            if self.now > until {
                return false;
            }
            while let Some(entry) = self.under_way.first_entry()
                && entry.key().0 <= self.now
            {
                let (to, frame) = entry.remove();
                let heard = self.sides[to].hear(self.now, frame);
                self.heard[to].extend(heard.into_iter().map(|said| said.bytes));
            }
        }
    }
}

fn words(count: usize, length: impl Fn(usize) -> usize) -> Vec<Bytes> {
    (0..count)
        .map(|number| Bytes::from(vec![number as u8; length(number)]))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everything_is_heard_once_and_in_order_whatever_the_network_does(
        seed: u64,
        lost in 0.0..0.6,
        repeated in 0.0..0.5,
        slowest in 0_u64..3000,
        cut_at in 0_u64..5,
        cut_for in 0_u64..60,
        said in prop::collection::vec(0_usize..600_000, 0..40),
        answered in 0_usize..200,
    ) {
        let cut_at = Duration::from_secs(cut_at);
        let weather = Weather {
            lost,
            repeated,
            slowest: Duration::from_millis(slowest),
            cut: (cut_at, cut_at + Duration::from_secs(cut_for)),
        };
        let mut line = Line::new(weather, seed);
        let questions = words(said.len(), |number| said[number]);
        let answers = words(answered, |number| number);
        for (number, question) in questions.iter().enumerate() {
            line.sides[0].say(question.clone());
            if number % 3 == 0 {
                line.send();
            }
        }
        for answer in &answers {
            line.sides[1].say(answer.clone());
        }
        prop_assert!(line.settle(Duration::from_secs(3600)));
        prop_assert_eq!(&line.heard[1], &questions);
        prop_assert_eq!(&line.heard[0], &answers);
        prop_assert_eq!(line.sides[0].unheard_bytes(), 0);
    }
}

#[test]
fn a_network_that_loses_nothing_carries_nothing_twice() {
    let mut line = Line::new(CLEAR, 1);
    for word in words(1000, |_| 100) {
        line.sides[0].say(word);
    }
    assert!(line.settle(Duration::from_secs(1)));
    assert_eq!(line.heard[1].len(), 1000);
    // A word of what was heard for each that was said at most.
    assert!(line.frames <= 2000, "{}", line.frames);
}

#[test]
fn what_is_large_goes_in_pieces_and_comes_whole() {
    let mut line = Line::new(CLEAR, 1);
    let large = Bytes::from(
        (0..40_000_000_u32)
            .map(|at| (at % 251) as u8)
            .collect::<Vec<_>>(),
    );
    line.sides[0].say(large.clone());
    line.sides[0].say(Bytes::new());
    let frames = line.sides[0].due(Duration::ZERO);
    assert!(frames.len() <= 128, "{} at once", frames.len());
    let largest = frames.iter().filter_map(|frame| frame.piece.as_ref());
    assert!(largest.map(|piece| piece.bytes.len()).max() <= Some(256 << 10));
    for frame in &frames {
        line.carry(1, frame);
    }
    assert!(line.settle(Duration::from_secs(60)));
    assert_eq!(line.heard[1], [large, Bytes::new()]);
}

#[test]
fn while_nobody_hears_it_is_said_again_every_few_seconds_and_no_oftener() {
    let mut side = Conversation::new(1);
    side.say(Bytes::from_static(b"hello"));
    let minute = Duration::from_secs(60);
    let mut now = Duration::ZERO;
    let mut sent = 0;
    while now < minute {
        sent += side.due(now).len();
        now = side.repeats_at().unwrap();
    }
    assert!((15..=20).contains(&sent), "{sent} times in a minute");
    assert_eq!(side.unheard_bytes(), 5);
}

#[test]
fn what_belongs_to_another_conversation_is_not_heard() {
    let (mut one, mut other) = (Conversation::new(1), Conversation::new(2));
    one.say(Bytes::from_static(b"stale"));
    let frame = one.due(Duration::ZERO).remove(0);
    assert!(other.hear(Duration::ZERO, frame).is_empty());
    assert!(other.due(Duration::ZERO).is_empty(), "nor answered");
    // Nor does a number that cannot be take anything away.
    one.hear(
        Duration::ZERO,
        Frame {
            conversation: 1,
            first: 0,
            heard: 99,
            piece: None,
        },
    );
    assert!(!one.is_heard());
}
