//! Round robin and pick first.

use std::collections::HashSet;

use super::*;

#[test]
fn rule_24_consecutive_picks_of_many_threads_are_distinct() {
    let picker = Picker::new(Balance::RoundRobin);
    for count in [2, 3, 7] {
        let all = endpoints(count, Balance::RoundRobin);
        // All threads together make a whole number of rounds.
        let picks: Vec<Vec<usize>> = std::thread::scope(|scope| {
            let threads = (0..4)
                .map(|_| scope.spawn(|| (0..count * 50).map(|_| pick(&picker, &all)).collect()));
            let threads: Vec<_> = threads.collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        for at in 0..count {
            let picked = picks.iter().flatten().filter(|picked| **picked == at);
            assert_eq!(picked.count(), 200, "endpoint {at} of {count}");
        }
    }
}

#[test]
fn without_an_endpoint_there_is_no_pick_and_of_one_no_choice() {
    for balance in [
        Balance::RoundRobin,
        Balance::PickFirst,
        Balance::LeastLoaded,
    ] {
        let picker = Picker::new(balance);
        let one = endpoints(1, balance);
        assert_eq!(picker.pick(&one[..0], |one| one, &Attempt::first()), None);
        eject(&one, [0]);
        assert_eq!(picker.pick(&one, |one| one, &after([0])), Some(0));
    }
}

#[test]
fn rule_11_another_attempt_goes_to_another_endpoint() {
    for balance in [
        Balance::RoundRobin,
        Balance::PickFirst,
        Balance::LeastLoaded,
    ] {
        let picker = Picker::new(balance);
        for count in [2, 3, 20] {
            let all = endpoints(count, balance);
            let mut tried = Vec::new();
            for _ in 0..count {
                let picked = picker.pick(&all, |one| one, &after(tried.clone())).unwrap();
                assert!(
                    !tried.contains(&picked),
                    "{balance:?}: {picked} after {tried:?}"
                );
                tried.push(picked);
            }
            // It was everywhere: anywhere is as good.
            assert!(picker.pick(&all, |one| one, &after(tried)).is_some());
        }
    }
}

#[test]
fn rule_22_the_ejected_are_not_picked_unless_all_are() {
    for balance in [
        Balance::RoundRobin,
        Balance::PickFirst,
        Balance::LeastLoaded,
    ] {
        let picker = Picker::new(balance);
        let all = endpoints(4, balance);
        eject(&all, [0, 2]);
        let picked: HashSet<_> = (0..200).map(|_| pick(&picker, &all)).collect();
        assert!(
            picked.is_subset(&HashSet::from([1, 3])),
            "{balance:?}: {picked:?}"
        );
        // Better where it was than where calls fail.
        assert_eq!(
            picker.pick(&all, |one| one, &after([1])),
            Some(3),
            "{balance:?}"
        );
        let again = picker.pick(&all, |one| one, &after([1, 3])).unwrap();
        assert!([1, 3].contains(&again), "{balance:?}");
        eject(&all, [1, 3]);
        let panic: HashSet<_> = (0..200).map(|_| pick(&picker, &all)).collect();
        match balance {
            Balance::PickFirst => assert_eq!(panic, HashSet::from([0])),
            _ => assert_eq!(panic.len(), 4, "{balance:?}"),
        }
    }
}

#[test]
fn the_turns_of_an_ejected_endpoint_are_spread_over_the_others() {
    let picker = Picker::new(Balance::RoundRobin);
    let all = endpoints(5, Balance::RoundRobin);
    eject(&all, [1, 2]);
    let mut picks = [0; 5];
    for _ in 0..150 {
        picks[pick(&picker, &all)] += 1;
    }
    assert_eq!(picks, [50, 0, 0, 50, 50]);
}

#[cfg(feature = "testing")]
proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(256))]

    #[test]
    fn rule_24_any_n_consecutive_picks_of_n_stable_endpoints_are_distinct(
        count in 1..40_usize,
        before in 0..100_usize,
        picks in 1..200_usize,
    ) {
        let picker = Picker::new(Balance::RoundRobin);
        // Whatever was picked of another set of endpoints.
        let others = endpoints(7, Balance::RoundRobin);
        for _ in 0..before {
            pick(&picker, &others);
        }
        let all = endpoints(count, Balance::RoundRobin);
        let picked: Vec<_> = (0..picks + count).map(|_| pick(&picker, &all)).collect();
        for window in picked.windows(count) {
            let distinct: HashSet<_> = window.iter().collect();
            proptest::prop_assert_eq!(distinct.len(), count, "{:?}", picked);
        }
    }
}
