//! Generated mappers beside those that were written by hand: they say the same, and allocate no
//! more. Instructions are counted by `scripts/bench-mappers`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Debug;

use bench_mappers_apibase::{Generated, bench as generated_messages};
use bench_mappers_by_hand::{ByHand, messages};
use bench_mappers_domain::{Counting, Item, ItemList, Maps, Order, Words, allocations, samples};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of each way.
#[derive(Debug, PartialEq)]
struct Allocations {
    to: u64,
    into: u64,
    from: u64,
}

/// Of one mapping there and back, which has to bring the sample back.
fn count<S: Maps<E>, E: Clone + Debug + PartialEq>(sample: &E) -> Allocations {
    let (to, message) = allocations(|| S::to_message(sample).unwrap());
    let entity = sample.clone();
    let (into, same) = allocations(|| S::into_message(entity).unwrap());
    assert_eq!(same, message);
    let (from, back) = allocations(|| S::from_message(message).unwrap());
    assert_eq!(&back, sample);
    Allocations { to, into, from }
}

fn no_more_than_by_hand<E: Clone + Debug + PartialEq>(sample: &E)
where
    Generated: Maps<E>,
    ByHand: Maps<E>,
{
    let generated = count::<Generated, E>(sample);
    let by_hand = count::<ByHand, E>(sample);
    assert!(generated.to <= by_hand.to, "{generated:?}, {by_hand:?}");
    assert!(generated.into <= by_hand.into, "{generated:?}, {by_hand:?}");
    assert!(generated.from <= by_hand.from, "{generated:?}, {by_hand:?}");
}

#[test]
fn an_item_allocates_no_more_than_by_hand() {
    no_more_than_by_hand(&samples::item());
}

#[test]
fn a_list_of_100_items_allocates_no_more_than_by_hand() {
    no_more_than_by_hand(&samples::item_list());
}

#[test]
fn a_deep_order_allocates_no_more_than_by_hand() {
    no_more_than_by_hand(&samples::order());
}

#[test]
fn ten_words_that_go_allocate_nothing() {
    let nothing_but_copies = Allocations {
        to: 10,
        into: 0,
        from: 0,
    };
    let words = samples::words();
    assert_eq!(count::<Generated, Words>(&words), nothing_but_copies);
    assert_eq!(count::<ByHand, Words>(&words), nothing_but_copies);
}

/// What both sides say of a message that is made wrong in the same way.
macro_rules! both_refuse {
    ($entity:ident, $sample:expr, |$message:ident, $side:ident| $spoil:expr) => {{
        let by_generated = {
            use generated_messages as $side;
            let mut $message = <Generated as Maps<$entity>>::to_message(&$sample).unwrap();
            $spoil;
            <Generated as Maps<$entity>>::from_message($message).unwrap_err()
        };
        let by_hand = {
            use messages as $side;
            let mut $message = <ByHand as Maps<$entity>>::to_message(&$sample).unwrap();
            $spoil;
            <ByHand as Maps<$entity>>::from_message($message).unwrap_err()
        };
        assert_eq!(by_generated.to_string(), by_hand.to_string());
        by_hand.to_string()
    }};
}

#[test]
fn both_sides_find_all_that_is_wrong_with_an_item() {
    let wrong = both_refuse!(Item, samples::item(), |message, side| {
        message = side::Item {
            id: "?".to_owned(),
            quantity: -1,
            reserved: 70_000,
            created_at: None,
            condition: 77,
            ..message
        };
        let updated_at = message.updated_at.as_mut().unwrap();
        updated_at.seconds = i64::MAX;
        updated_at.nanos = -1;
    });
    assert_eq!(wrong.matches("; ").count(), 6);
}

#[test]
fn both_sides_find_what_is_wrong_deep_in_an_order() {
    let wrong = both_refuse!(Order, samples::order(), |message, side| {
        message.customer.as_mut().unwrap().address = Some(side::Address::default());
        message.lines[2].discounts[1].code.clear();
        message.lines[3].quantity = -1;
        message.gifts.get_mut("Byron").unwrap().sku.clear();
        message.payment = Some(side::order::Payment::Card(side::Card::default()));
        message.priority = Some(256);
    });
    assert_eq!(
        wrong,
        "customer.address.city is required; \
         lines[2].discounts[1].code is required; \
         lines[3].quantity must be from 0 to 65535; \
         gifts[\"Byron\"].sku is required; \
         card.token is required; \
         priority must be from 0 to 255"
    );
}

#[test]
fn both_sides_miss_what_is_not_there() {
    let wrong = both_refuse!(Order, samples::order(), |message, side| {
        message.clone_from(&side::Order::default());
    });
    assert_eq!(
        wrong,
        "id is not a UUID; customer is required; payment is required; placed_at is required"
    );
    let wrong = both_refuse!(ItemList, samples::item_list(), |message, side| {
        message.items.push(side::Item::default());
        message.items[7].condition = side::Condition::Unspecified as i32;
    });
    assert_eq!(
        wrong,
        "items[7].condition is required; items[100].id is not a UUID; \
         items[100].created_at is required; items[100].condition is required"
    );
}

#[test]
fn both_sides_say_what_no_message_can() {
    let mut list = samples::item_list();
    list.items[9].quantity = u32::MAX;
    let generated = <Generated as Maps<ItemList>>::to_message(&list).unwrap_err();
    let by_hand = <ByHand as Maps<ItemList>>::to_message(&list).unwrap_err();
    assert_eq!(generated.to_string(), by_hand.to_string());
    assert_eq!(
        by_hand.to_string(),
        "items[9].quantity must be from 0 to 2147483647"
    );

    let mut order = samples::order();
    order.lines[4].discounts[0].code.clear();
    let generated = <Generated as Maps<Order>>::into_message(order.clone()).unwrap_err();
    let by_hand = <ByHand as Maps<Order>>::into_message(order).unwrap_err();
    assert_eq!(generated.to_string(), by_hand.to_string());
    assert_eq!(
        by_hand.to_string(),
        "lines[4].discounts[0].code is required"
    );
}
