//! What has to be the same before it is measured: the answers.

use std::error::Error;

use bench_harness::shop;
use bench_load::compare::{Options, Side};
use bench_load::{Call, Request, once};

use crate::row::Row;
use crate::server;

/// Every side has to answer each call with the same bytes; JSON with the same texts in it.
pub(crate) fn compare(options: &Options<Row>) -> Result<(), Box<dyn Error>> {
    let mut requests: Vec<Request> = options.rows.iter().map(|row| row.request).collect();
    requests.dedup();
    for request in requests {
        let mut first: Option<(&Side, Vec<u8>)> = None;
        for side in options
            .sides
            .iter()
            .filter(|side| server::has(side, request))
        {
            let answer = once(
                server::start(side, 1)?.address,
                server::request(side, request),
            )?;
            let (name, length) = (&side.name, answer.len());
            if server::is_json(side) {
                contains_the_item(&answer).map_err(|error| format!("{name}: {error}"))?;
                eprintln!("{}: {name} answers {length} bytes", request);
                continue;
            }
            has_replies(&answer, request.call).map_err(|error| format!("{name}: {error}"))?;
            match &first {
                Some((other, bytes)) if *bytes != answer => {
                    let names = format!("{} and {name}", other.name);
                    return Err(format!("{names} answer {} differently", request).into());
                }
                Some(_) => {}
                None => {
                    eprintln!("{}: {length} bytes by every side", request);
                    first = Some((side, answer));
                }
            }
        }
    }
    Ok(())
}

fn contains_the_item(answer: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(answer);
    let words = [shop::ID, shop::NAME, shop::DESCRIPTION, shop::SKU];
    let times = [shop::CREATED_AT_TEXT, shop::UPDATED_AT_TEXT];
    match words
        .into_iter()
        .chain(times)
        .find(|word| !text.contains(word))
    {
        Some(word) => Err(format!("{word} is not in its answer {text}")),
        None => Ok(()),
    }
}

/// Whether there are as many messages in gRPC's frames as there should be.
fn has_replies(mut answer: &[u8], call: Call) -> Result<(), String> {
    let mut replies = 0;
    while let Some((&[_, length @ ..], rest)) = answer.split_first_chunk::<5>() {
        let length = u32::from_be_bytes(length) as usize;
        answer = rest.get(length..).ok_or("its last reply is cut off")?;
        replies += 1;
    }
    match call.replies() {
        wanted if wanted == replies => Ok(()),
        wanted => Err(format!(
            "{} has {replies} replies, not {wanted}",
            call.name()
        )),
    }
}
