//! Names, and what they say.

use super::super::messages::{HealthCheckRequest, HealthListResponse};
use super::*;
use crate::{Code, Context, DomainError, ServiceError};

fn code_of_check(health: &Health, name: &str) -> Code {
    let request = HealthCheckRequest {
        service: name.to_owned(),
    };
    health
        .check(&request)
        .map_or_else(|e| e.code(), |_| Code::Ok)
}

fn list(health: &Health) -> Result<HealthListResponse, DomainError> {
    health.list(&Context::background())
}

#[tokio::test(start_paused = true)]
async fn a_name_is_matched_exactly() {
    let health = running().await;
    health.register("shop.Items");
    assert_eq!(code_of_check(&health, "shop.Items"), Code::Ok);
    for name in [
        "shop.items",
        "shop.Item",
        "shop.Items ",
        "Items",
        "/shop.Items",
    ] {
        assert_eq!(code_of_check(&health, name), Code::NotFound, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_of_the_server_says_what_the_server_says() {
    let database = Switch::default();
    let health = Health::new().dependency("database", database.check());
    health.register("shop.Items");
    tokio::spawn(health.run());
    assert_eq!(overall(&health).await, NotServing);
    assert_eq!(health.status("shop.Items"), Some(NotServing));
    database.set(true);
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(health.status("shop.Items"), Some(Serving));
}

#[tokio::test(start_paused = true)]
async fn a_state_of_ones_own_ignores_the_dependencies_until_it_is_cleared() {
    let health = Health::new().dependency("database", Switch::default().check());
    health.register("shop.Items");
    tokio::spawn(health.run());
    health.set("shop.Items", Serving);
    assert_eq!(overall(&health).await, NotServing);
    assert_eq!(health.status("shop.Items"), Some(Serving));
    health.register("shop.Items");
    assert_eq!(health.status("shop.Items"), Some(Serving));
    health.clear("shop.Items");
    assert_eq!(health.status("shop.Items"), Some(NotServing));
}

#[test]
fn a_name_of_its_own_is_not_serving_until_it_is_set_and_unknown_when_it_is_cleared() {
    let health = Health::new().service("jobs");
    assert_eq!(health.status("jobs"), Some(NotServing));
    health.set("jobs", Serving);
    assert_eq!(health.status("jobs"), Some(Serving));
    health.clear("jobs");
    assert_eq!(health.status("jobs"), None);
}

#[tokio::test(start_paused = true)]
async fn liveness_is_serving_from_the_start_until_the_end() {
    let health = Health::new().dependency("database", Switch::default().check());
    assert_eq!(health.status(Health::LIVENESS), Some(Serving));
    tokio::spawn(health.run());
    assert_eq!(overall(&health).await, NotServing);
    assert_eq!(health.status(Health::LIVENESS), Some(Serving));
    health.clear(Health::LIVENESS);
    health.register(Health::LIVENESS);
    assert_eq!(health.status(Health::LIVENESS), Some(Serving));
    health.drain();
    assert_eq!(health.status(Health::LIVENESS), Some(NotServing));
}

#[tokio::test(start_paused = true)]
async fn the_server_can_be_held_back_but_not_declared_healthy() {
    let database = Switch::up();
    let health = Health::new().dependency("database", database.check());
    tokio::spawn(health.run());
    assert_eq!(overall(&health).await, Serving);
    health.set("", NotServing);
    assert_eq!(health.status(""), Some(NotServing));
    health.set("", Serving);
    assert_eq!(health.status(""), Some(Serving));
    database.set(false);
    tokio::time::sleep(10 * SECOND).await;
    health.set("", Serving);
    assert_eq!(health.status(""), Some(NotServing));
}

#[tokio::test(start_paused = true)]
async fn what_is_shut_down_stays_so() {
    for end in [Health::drain, Health::shut_down] {
        let health = running().await;
        health.register("shop.Items");
        health.set("jobs", Serving);
        end(&health);
        for name in ["", "shop.Items", "jobs", Health::LIVENESS] {
            assert_eq!(health.status(name), Some(NotServing), "{name}");
            health.set(name, Serving);
            health.clear(name);
            assert_eq!(health.status(name), Some(NotServing), "{name}");
        }
        health.set("new", Serving);
        assert_eq!(health.status("new"), None);
        tokio::spawn(health.run());
        assert_eq!(overall(&health).await, NotServing);
    }
}

#[test]
fn there_is_room_for_a_thousand_names() {
    let health = Health::new();
    for number in 0..2000 {
        health.set(format!("name {number}"), Serving);
    }
    let known = (0..2000).filter(|number| health.status(&format!("name {number}")).is_some());
    assert_eq!(known.count(), 999, "and liveness");
    health.set("name 0", NotServing);
    assert_eq!(health.status("name 0"), Some(NotServing));
    health.clear("name 0");
    health.set("another", Serving);
    assert_eq!(health.status("another"), Some(Serving));
    health.register("shop.Items");
    assert_eq!(health.status("shop.Items"), None);
}

#[test]
fn a_name_that_is_too_long_is_not_taken() {
    let health = Health::new();
    health.set("n".repeat(1024), Serving);
    health.set("n".repeat(1025), Serving);
    assert_eq!(health.status(&"n".repeat(1024)), Some(Serving));
    assert_eq!(health.status(&"n".repeat(1025)), None);
}

#[tokio::test(start_paused = true)]
async fn a_list_has_every_name_and_the_server_under_the_empty_one() {
    let health = running().await.service("jobs");
    health.register("shop.Items");
    let listed: Vec<_> = list(&health)
        .unwrap()
        .statuses
        .into_iter()
        .map(|(name, response)| (name, response.status))
        .collect();
    let expected = [("", 1), ("jobs", 2), ("liveness", 1), ("shop.Items", 1)];
    assert_eq!(
        listed,
        expected.map(|(name, status)| (name.to_owned(), status))
    );
}

#[test]
fn a_hundred_names_are_listed_and_more_are_resource_exhausted() {
    let health = Health::new();
    for number in 0..98 {
        health.set(format!("name {number}"), Serving);
    }
    assert_eq!(list(&health).unwrap().statuses.len(), 100);
    health.set("one more", Serving);
    assert_eq!(list(&health).unwrap_err().code(), Code::ResourceExhausted);
}

#[test]
fn debug_shows_the_state_and_who_watches() {
    let text = format!("{:?}", Health::new().service("jobs"));
    assert!(
        text.contains("jobs") && text.contains("watchers: 0"),
        "{text}"
    );
}
