//! What a broker says to each input, step by step.

use bytes::Bytes;

use super::*;

type Actions = Vec<Action<char>>;

fn items(ids: &[u64]) -> Vec<Item> {
    ids.iter()
        .map(|&id| Item {
            id: ItemId(id),
            data: Bytes::from_static(b"x"),
        })
        .collect()
}

fn ids(ids: &[u64]) -> Vec<ItemId> {
    ids.iter().copied().map(ItemId).collect()
}

fn wish(wanted: u64, needed: u64) -> Report {
    Report {
        wish: Some(Wish { wanted, needed }),
        ..Report::default()
    }
}

fn returned(ids: &[u64]) -> Report {
    Report {
        returned: items(ids),
        ..Report::default()
    }
}

fn spent(numbers: &[u64]) -> Report {
    Report {
        spent: ids(numbers),
        ..Report::default()
    }
}

fn empty_after(received: u64) -> Report {
    Report {
        empty_after: Some(received),
        ..Report::default()
    }
}

fn give(holder: char, ids: &[u64]) -> Action<char> {
    Action::Order(holder, Order::Give(items(ids)))
}

fn recall(holder: char, total: u64, keep: u64) -> Action<char> {
    Action::Order(holder, Order::Recall(Recall { total, keep }))
}

fn checkin(numbers: &[u64], used: bool) -> Action<char> {
    Action::Checkin {
        items: ids(numbers),
        used,
    }
}

/// A broker over a pool of these items, all of which holder `a` has.
fn all_with_a(policy: Policy, numbers: &[u64]) -> Broker<char> {
    let mut broker = Broker::over_pool(policy);
    let count = numbers.len();
    assert_eq!(
        broker.report('a', wish(count as u64, 0)),
        [Action::Draw(count)]
    );
    assert_eq!(broker.supply(items(numbers), true), [give('a', numbers)]);
    broker
}

#[test]
fn one_draw_at_a_time_serves_all_who_wait() {
    let mut broker = Broker::over_pool(Policy::Recycle);
    assert_eq!(broker.report('a', wish(2, 2)), [Action::Draw(2)]);
    assert_eq!(broker.report('b', wish(1, 1)), Actions::new());
    assert_eq!(
        broker.supply(items(&[1, 2]), false),
        [give('a', &[1]), give('b', &[2]), Action::Draw(1)]
    );
    assert_eq!(broker.supply(items(&[3]), false), [give('a', &[3])]);
    assert_eq!(broker.counts().outstanding, 3);
}

#[test]
fn starts_that_wait_come_before_items_to_have_at_hand() {
    let mut broker = Broker::over_pool(Policy::Recycle);
    broker.report('a', wish(10, 0));
    broker.report('b', wish(2, 2));
    let actions = broker.supply(items(&[1, 2, 3]), false);
    assert_eq!(actions[..2], [give('a', &[3]), give('b', &[1, 2])]);
}

#[test]
fn idle_items_move_to_a_starving_holder() {
    let mut broker = all_with_a(Policy::Recycle, &[1, 2, 3, 4]);
    assert_eq!(broker.report('b', wish(1, 1)), [recall('a', 1, 2)]);
    assert_eq!(broker.counts().starved, 1);
    assert_eq!(
        broker.report('a', returned(&[3])),
        [give('b', &[3])],
        "what was recalled is paid, so there is nothing to take back"
    );
    assert_eq!(broker.counts().starved, 0);
}

#[test]
fn items_at_hand_are_not_taken_from_others() {
    let mut broker = all_with_a(Policy::Recycle, &[1, 2, 3, 4]);
    assert_eq!(broker.report('b', wish(5, 0)), Actions::new());
}

#[test]
fn a_recall_ends_when_nobody_starves_any_more() {
    let mut broker = all_with_a(Policy::Recycle, &[1, 2]);
    assert_eq!(broker.report('b', wish(1, 1)), [recall('a', 1, 1)]);
    assert_eq!(broker.report('b', wish(0, 0)), [recall('a', 0, 1)]);
}

#[test]
fn holders_that_starve_alike_come_to_rest_with_equal_shares() {
    let mut broker = all_with_a(Policy::Recycle, &[1, 2]);
    broker.report('a', wish(7, 7));
    assert_eq!(broker.report('b', wish(5, 5)), [recall('a', 5, 1)]);
    assert_eq!(
        broker.report('a', returned(&[1])),
        [give('b', &[1]), recall('a', 1, 1)]
    );
}

#[test]
fn fewer_items_than_starving_holders_go_from_one_to_the_next() {
    let mut broker = all_with_a(Policy::Recycle, &[1]);
    broker.report('a', wish(2, 2));
    broker.report('b', wish(1, 1));
    assert_eq!(broker.report('c', wish(1, 1)), Actions::new());
    assert_eq!(
        broker.report('a', returned(&[1])),
        [give('b', &[1]), recall('b', 2, 0), recall('a', 1, 0)]
            .into_iter()
            .filter(|action| !matches!(action, Action::Order('a', _)))
            .collect::<Actions>()
    );
    assert_eq!(
        broker.report('b', returned(&[1]))[0],
        give('c', &[1]),
        "c has waited longer than a has since its last item"
    );
}

#[test]
fn the_items_of_a_dead_holder_return_to_the_pool_and_go_out_again() {
    let mut broker = all_with_a(Policy::Recycle, &[1]);
    broker.report('b', wish(1, 1));
    assert_eq!(
        broker.lost('a'),
        [checkin(&[1], true), Action::Draw(1)],
        "the pool was exhausted, but now it has one again"
    );
    assert_eq!(broker.supply(items(&[1]), true), [give('b', &[1])]);
    assert_eq!(broker.counts().lost, 0);
}

#[test]
fn the_unreported_once_only_items_of_a_dead_holder_are_lost() {
    let mut broker = all_with_a(Policy::Once, &[1, 2]);
    assert_eq!(broker.report('a', spent(&[1])), [checkin(&[1], true)]);
    assert_eq!(broker.lost('a'), [checkin(&[2], true)]);
    assert_eq!(
        broker.report('b', wish(1, 1)),
        [Action::Order('b', Order::Exhausted)]
    );
    assert_eq!(broker.counts().lost, 1);
}

#[test]
fn a_clean_goodbye_leaves_the_unused_to_others() {
    let mut broker = all_with_a(Policy::Once, &[1, 2, 3]);
    let goodbye = Report {
        returned: items(&[2, 3]),
        spent: ids(&[1]),
        ..Report::default()
    };
    assert_eq!(broker.leave('a', goodbye), [checkin(&[1], true)]);
    assert_eq!(broker.report('b', wish(1, 1)), [give('b', &[2])]);
    assert_eq!(broker.counts().lost, 0);
    broker.leave('b', spent(&[2]));
    assert_eq!(broker.close(), [checkin(&[3], false)]);
}

#[test]
fn items_on_their_way_to_who_has_said_goodbye_are_unused() {
    let mut broker = all_with_a(Policy::Once, &[1, 2]);
    broker.report('b', wish(1, 1));
    assert_eq!(
        broker.leave('a', spent(&[1])),
        [checkin(&[1], true), checkin(&[2], false), Action::Draw(1)]
    );
    assert_eq!(broker.counts().lost, 0);
}

#[test]
fn nothing_is_exhausted_while_another_holder_has_unused_items() {
    let mut broker = all_with_a(Policy::Once, &[1, 2, 3]);
    assert_eq!(broker.report('b', wish(2, 2)), [recall('a', 2, u64::MAX)]);
    assert_eq!(broker.report('a', returned(&[3]))[0], give('b', &[3]));
    assert_eq!(
        broker.report('a', empty_after(3)),
        [
            Action::Order('b', Order::Exhausted),
            recall('a', 1, u64::MAX)
        ]
    );
    assert_eq!(broker.report('b', wish(9, 9)), Actions::new(), "told once");
}

#[test]
fn a_holder_that_calls_itself_empty_before_its_last_items_came_is_not_believed() {
    let mut broker = all_with_a(Policy::Once, &[1, 2, 3]);
    broker.report('b', wish(1, 1));
    assert_eq!(broker.report('a', empty_after(2)), Actions::new());
    assert_eq!(broker.report('a', returned(&[2])), [give('b', &[2])]);
}

#[test]
fn an_item_given_back_by_who_does_not_have_it_is_ignored() {
    let mut broker = all_with_a(Policy::Recycle, &[1]);
    broker.report('b', wish(1, 1));
    assert_eq!(broker.report('c', returned(&[1])), Actions::new());
    assert_eq!(broker.counts().idle, 0);
}

#[test]
fn a_shared_item_is_drawn_once_and_handed_to_everyone() {
    let mut broker = Broker::over_pool(Policy::Shared);
    assert_eq!(broker.report('a', wish(1, 1)), [Action::Draw(1)]);
    assert_eq!(broker.report('b', wish(1, 0)), Actions::new());
    assert_eq!(
        broker.supply(items(&[0]), false),
        [give('a', &[0]), give('b', &[0])]
    );
    assert_eq!(broker.report('c', wish(1, 1)), [give('c', &[0])]);
    assert_eq!(broker.lost('a'), Actions::new());
    assert_eq!(broker.close(), Actions::new());
}

#[test]
fn a_relay_asks_once_for_all_its_holders_and_pays_what_it_owes() {
    let mut relay = Broker::relay(Policy::Recycle);
    assert_eq!(relay.report('a', wish(2, 1)), [Action::Report(wish(2, 1))]);
    assert_eq!(
        relay.obey(Order::Give(items(&[1, 2]))),
        [give('a', &[1, 2])]
    );
    let owing = Order::Recall(Recall { total: 1, keep: 2 });
    assert_eq!(relay.obey(owing), [recall('a', 1, 2)]);
    assert_eq!(
        relay.report('a', returned(&[2])),
        [Action::Report(returned(&[2]))]
    );
}

#[test]
fn a_relay_that_owes_once_only_items_says_when_none_is_unused() {
    let mut relay = Broker::relay(Policy::Once);
    relay.report('a', wish(2, 2));
    relay.obey(Order::Give(items(&[1, 2])));
    relay.report('a', spent(&[1]));
    let owing = Order::Recall(Recall { total: 1, keep: 0 });
    assert_eq!(relay.obey(owing).len(), 1);
    let report = Report {
        spent: ids(&[1]),
        ..empty_after(2)
    };
    assert_eq!(relay.report('a', empty_after(2)), [Action::Report(report)]);
    assert_eq!(relay.flush(), None);
}

#[test]
fn a_relay_passes_on_what_a_dead_worker_took_along() {
    let mut relay = Broker::relay(Policy::Recycle);
    relay.report('a', wish(1, 1));
    relay.obey(Order::Give(items(&[1])));
    let report = Report {
        abandoned: ids(&[1]),
        ..Report::default()
    };
    assert_eq!(relay.lost('a'), [Action::Report(report.clone())]);
    let mut broker = all_with_a(Policy::Recycle, &[1]);
    assert_eq!(broker.report('a', report), [checkin(&[1], true)]);
}
