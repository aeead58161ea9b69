//! Containers, right and wrong.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::HashSet;
use std::error::Error as _;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

use super::constructor::Key;
use super::error::Problem;
use super::graph::Graph;
use super::{Container, Make, Part};

struct Settings(&'static str);
struct Pool(Arc<Settings>);
struct Store(Arc<Pool>);
struct CreateItem(Arc<Store>);
struct GetItem(Arc<Store>);
struct Servicer(Arc<CreateItem>, Arc<GetItem>);

trait Clock: Send + Sync {
    fn now(&self) -> u64;
}

struct Fixed(u64);

impl Clock for Fixed {
    fn now(&self) -> u64 {
        self.0
    }
}

#[test]
fn parts_are_made_after_what_they_need_whatever_the_order_of_registration() {
    let container = Container::builder()
        .singleton(Servicer)
        .singleton(GetItem)
        .singleton(CreateItem)
        .singleton(Store)
        .singleton(Pool)
        .value(Settings("db"))
        .build()
        .unwrap();
    let servicer = container.get::<Servicer>().unwrap();
    assert_eq!(servicer.0.0.0.0.0, "db");
    assert!(Arc::ptr_eq(&servicer.0.0, &servicer.1.0), "one store");
    assert!(Arc::ptr_eq(&servicer, &container.get().unwrap()));
}

#[test]
fn a_factory_makes_a_part_for_each_that_needs_it() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    struct Part(usize);
    struct One(Arc<Part>);
    struct Other(Arc<Part>);
    let container = Container::builder()
        .factory(|| Part(MADE.fetch_add(1, Ordering::Relaxed)))
        .singleton(One)
        .factory(Other)
        .build()
        .unwrap();
    let one = container.get::<One>().unwrap();
    assert!(Arc::ptr_eq(&one, &container.get::<One>().unwrap()));
    let others = [(); 2].map(|()| container.get::<Other>().unwrap().0.0);
    assert_ne!(others[0], others[1]);
    assert!(!others.contains(&one.0.0));
    assert_eq!(MADE.load(Ordering::Relaxed), 3);
}

#[test]
fn a_part_is_found_under_the_trait_that_it_is_bound_to() {
    let container = Container::builder()
        .bind(|clock: Arc<Fixed>| -> Arc<dyn Clock> { clock })
        .value(Fixed(7))
        .singleton(|clock: Arc<dyn Clock>| clock.now())
        .build()
        .unwrap();
    assert_eq!(*container.get::<u64>().unwrap(), 7);
    assert_eq!(container.get::<dyn Clock>().unwrap().now(), 7);
}

/// Without the path of this module.
fn short(text: &str) -> String {
    text.replace("apibase::container::tests::", "")
}

#[test]
fn three_faults_are_told_of_in_one_message_and_nothing_is_made() {
    struct A;
    struct B;
    let error = Container::builder()
        .singleton(|| -> Settings { unreachable!("nothing is made") })
        .singleton(Servicer)
        .singleton(CreateItem)
        .singleton(GetItem)
        .singleton(Store)
        .value(Fixed(1))
        .value(Fixed(2))
        .singleton(|_: Arc<B>| A)
        .singleton(|_: Arc<A>| B)
        .build()
        .unwrap_err();
    let said = short(&error.to_string());
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "the container has 3 faults:");
    assert_eq!(
        lines[1],
        "- nothing is registered as `Pool`, which is needed by `Servicer` → `CreateItem` → `Store`: \
         add it by `value`, `singleton`, `factory` or `bind`"
    );
    let at = lines[2]
        .strip_prefix("- `Fixed` is registered 2 times, at ")
        .unwrap();
    let (one, other) = at.split_once(" and ").unwrap();
    assert!(
        one.contains("tests.rs:") && other.contains("tests.rs:"),
        "{at}"
    );
    let a = "three_faults_are_told_of_in_one_message_and_nothing_is_made::";
    assert_eq!(
        lines[3].replace(a, ""),
        "- each of these needs the next to be made: `A` → `B` → `A`; break the circle, by a part \
         that both need for example"
    );
    assert_eq!(lines.len(), 4);
}

#[test]
fn all_that_need_a_missing_part_are_told_of() {
    struct One;
    struct Other;
    let error = Container::builder()
        .singleton(|_: Arc<Settings>, _: Arc<Settings>| One)
        .singleton(|_: Arc<Settings>| Other)
        .build()
        .unwrap_err();
    let said = short(&error.to_string());
    assert_eq!(said.matches("::One`").count(), 1, "{said}");
    assert_eq!(said.matches("::Other`").count(), 1, "{said}");
    assert!(said.starts_with("nothing is registered as `Settings`, which is needed by "));
}

#[test]
fn a_part_that_needs_itself_is_a_circle() {
    struct Own;
    let error = Container::builder()
        .singleton(|_: Arc<Own>| Own)
        .build()
        .unwrap_err();
    let said = error.to_string();
    assert_eq!(said.matches("::Own`").count(), 2, "{said}");
}

#[test]
fn each_knot_is_told_of_once_and_what_only_leads_to_it_is_not_in_it() {
    struct A;
    struct B;
    struct C;
    struct User;
    let error = Container::builder()
        .singleton(|_: Arc<A>| User)
        .singleton(|_: Arc<B>, _: Arc<C>| A)
        .singleton(|_: Arc<A>| B)
        .singleton(|_: Arc<A>| C)
        .build()
        .unwrap_err();
    let said = error.to_string();
    assert_eq!(said.matches("each of these").count(), 1, "{said}");
    assert!(!said.contains("User"), "{said}");
}

#[test]
fn all_constructors_that_fail_are_told_of_and_what_needs_them_is_not_made() {
    struct Broken;
    struct AlsoBroken;
    struct Needs;
    let error = Container::builder()
        .try_singleton(|| Err::<Broken, _>("no disk"))
        .try_singleton(|| Err::<AlsoBroken, _>("no net"))
        .singleton(|_: Arc<Broken>| -> Needs { unreachable!("it isn't made") })
        .try_singleton(|| Ok::<_, std::io::Error>(Settings("fine")))
        .build()
        .unwrap_err();
    let said = error.to_string();
    assert!(said.contains("Broken` can't be made: no disk"), "{said}");
    assert!(said.contains("AlsoBroken` can't be made: no net"), "{said}");
    assert!(!said.contains("Needs"), "{said}");
    assert_eq!(error.source().unwrap().to_string(), "no disk");
}

#[test]
fn what_is_not_registered_is_an_error_that_says_so() {
    let container = Container::builder().build().unwrap();
    let error = container.get::<Settings>().map(|_| ()).unwrap_err();
    assert_eq!(
        short(&error.to_string()),
        "nothing is registered as `Settings`: add it by `value`, `singleton`, `factory` or `bind`"
    );
}

/// A type for each number.
struct Numbered<const N: usize>;

/// Registrations of numbered types, each of which needs others: what they are told of, and in which
/// order they are made.
fn parts(registered: &[(usize, Vec<usize>)]) -> Vec<Part> {
    let keys = [
        Key::of::<Numbered<0>>(),
        Key::of::<Numbered<1>>(),
        Key::of::<Numbered<2>>(),
        Key::of::<Numbered<3>>(),
        Key::of::<Numbered<4>>(),
        Key::of::<Numbered<5>>(),
    ];
    let part = |(own, needs): &(usize, Vec<usize>)| Part {
        key: keys[*own],
        needs: needs.iter().map(|need| keys[*need]).collect(),
        at: Location::caller(),
        make: Make::Once(Box::new(|_| Ok(None))),
    };
    registered.iter().map(part).collect()
}

/// Which types a type needs, directly or through others.
fn all_needs(registered: &[(usize, Vec<usize>)], of: usize) -> HashSet<usize> {
    let mut all = HashSet::new();
    let mut open = vec![of];
    while let Some(at) = open.pop() {
        // Of those of one type, the first counts.
        let needs = registered.iter().find(|(own, _)| *own == at);
        for &need in needs.into_iter().flat_map(|(_, needs)| needs) {
            if all.insert(need) {
                open.push(need);
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn whatever_is_registered_each_fault_is_told_of_and_without_one_the_order_is_right(
        registered in vec((0..6_usize, vec(0..6_usize, 0..3)), 0..7)
    ) {
        let parts = parts(&registered);
        let graph = Graph::new(&parts);
        let owns: Vec<usize> = registered.iter().map(|(own, _)| *own).collect();
        let count = |own| owns.iter().filter(|other| **other == own).count();
        let needed = registered.iter().flat_map(|(_, needs)| needs);
        let missing: HashSet<_> = needed.filter(|need| count(**need) == 0).collect();
        let duplicates = (0..6).filter(|own| count(*own) > 1).count();
        let circular: HashSet<usize> = (0..6).filter(|own| all_needs(&registered, *own).contains(own)).collect();
        // Those that need each other are one knot.
        let knots: HashSet<Vec<usize>> = circular
            .iter()
            .map(|own| {
                let mutual = |other: &usize| {
                    all_needs(&registered, *own).contains(other)
                        && all_needs(&registered, *other).contains(own)
                };
                (0..6).filter(mutual).collect()
            })
            .collect();

        let problems = graph.problems();
        let told = |wanted: fn(&Problem) -> bool| problems.iter().filter(|one| wanted(one)).count();
        prop_assert_eq!(told(|one| matches!(one, Problem::Missing { .. })), missing.len());
        prop_assert_eq!(told(|one| matches!(one, Problem::Duplicate { .. })), duplicates);
        prop_assert_eq!(told(|one| matches!(one, Problem::Cycle { .. })), knots.len());
        for problem in &problems {
            if let Problem::Cycle { chain } = problem {
                prop_assert!(chain.len() > 1);
                prop_assert_eq!(chain.first(), chain.last());
                for pair in chain.windows(2) {
                    let needs = parts.iter().filter(|part| part.key.name == pair[0]);
                    let mut needs = needs.flat_map(|part| &part.needs);
                    prop_assert!(needs.any(|need| need.name == pair[1]));
                }
            }
        }
        if problems.is_empty() {
            let order = graph.order();
            prop_assert_eq!(order.len(), registered.len());
            for (index, place) in order.iter().enumerate() {
                for need in &registered[*place].1 {
                    prop_assert!(order[..index].iter().any(|before| registered[*before].0 == *need));
                }
            }
        }
    }
}
