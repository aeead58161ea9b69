//! What the page says, and that nothing of others is markup in it.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::admin::board::{Board, Facts, Gauge, Program, Stage};
use crate::admin::status::{Client, Endpoint};
use crate::server::Address;
use crate::{Health, Server};

const HOSTILE: &str = "\"><script>alert('x')</script>&\u{202e}";

fn status(health: Health) -> ServerStatus {
    let board = Board::new(Facts {
        program: Program {
            name: HOSTILE.to_owned(),
            version: Some(HOSTILE.to_owned()),
        },
        address: Address::Unix(HOSTILE.into()),
        in_flight: Arc::default(),
        health: Some(health),
        gauges: vec![Gauge {
            method: None,
            max: 100,
            used: Box::new(|| 7),
        }],
        rates: Vec::new(),
        max_connections: None,
        tally: None,
        settings: Server::new().unix_socket(HOSTILE).describe(),
        clients: Vec::new(),
        grace: Duration::from_secs(5),
    });
    board.enter(StageName::Serving);
    let mut status = board.look();
    status.clients.push(Client {
        target: HOSTILE.to_owned(),
        endpoints: vec![Endpoint {
            name: HOSTILE.to_owned(),
            connections: 1,
            is_ejected: false,
        }],
        breakers: vec![("/t.T/T", "OPEN")],
    });
    status
}

async fn failing() -> Health {
    let health = Health::new()
        .service(HOSTILE)
        .dependency(HOSTILE, || async { Err::<(), _>(HOSTILE) });
    tokio::spawn(health.run());
    while health
        .report()
        .dependencies
        .iter()
        .any(|one| one.latest.is_none())
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    health
}

#[tokio::test(start_paused = true)]
async fn nothing_that_others_chose_is_markup() {
    let status = status(failing().await);
    let page = Page::of(&status, None).to_string();
    let shown = "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\u{fffd}";
    // The title and the heading, the version, the address, the problem twice, the dependency twice, the
    // name, the setting, the target twice and the endpoint.
    assert_eq!(page.matches(shown).count(), 13, "{page}");
    assert!(!page.contains("<script") && !page.contains(HOSTILE));
    // In JSON it is a text as well.
    let json: serde_json::Value = serde_json::from_str(&status.to_json()).unwrap();
    assert_eq!(json["health"]["dependencies"][0]["error"], HOSTILE);
}

#[tokio::test(start_paused = true)]
async fn every_table_has_a_caption_and_every_column_a_head() {
    let page = Page::of(&status(failing().await), Some(5)).to_string();
    let tables: Vec<_> = page.split("<table").skip(1).collect();
    assert!(tables.len() > 5, "{page}");
    for table in tables {
        let table = table.split("</table>").next().unwrap();
        assert!(
            table.contains("<caption>") && table.contains("scope=\"col\""),
            "{table}"
        );
        let heads = table.matches("scope=\"col\"").count();
        for row in table.split("<tr role=\"row\">").skip(2) {
            let cells = row.matches("<td").count() + row.matches("scope=\"row\"").count();
            assert_eq!(cells, heads, "{row}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_within_the_page_is_neither_script_nor_style() {
    let page = Page::of(&status(failing().await), None).to_string();
    for within in [
        "<script",
        "<style",
        " style=",
        " onload=",
        "javascript:",
        "http://",
        "https://",
    ] {
        assert!(!page.contains(within), "{within}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_comes_again_only_for_who_asks() {
    let status = status(failing().await);
    assert!(!Page::of(&status, None).to_string().contains("http-equiv"));
    let refreshing = Page::of(&status, Some(9)).to_string();
    assert!(refreshing.contains("<meta http-equiv=\"refresh\" content=\"9\">"));
    assert!(refreshing.contains("Stop refreshing"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_says_how_long_its_calls_have() {
    let mut status = status(failing().await);
    status.stage = Stage {
        name: StageName::Draining,
        since: tokio::time::Instant::now(),
    };
    tokio::time::advance(Duration::from_secs(3)).await;
    let page = Page::of(&status, None).to_string();
    assert!(page.contains("DRAINING"), "{page}");
    assert!(page.contains("what runs is cut off in 2 s"), "{page}");
}
