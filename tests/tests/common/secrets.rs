//! Secrets that a test plants, and where they may turn up.

use std::hash::{BuildHasher, Hasher, RandomState};

use apibase::MetadataMap;
use http::HeaderMap;

use super::{Answer, Log};

/// What was planted.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Vec<Secret>);

#[derive(Debug)]
struct Secret {
    place: &'static str,
    text: String,
    is_logged: bool,
}

impl Secrets {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A text that the log has, and nothing else.
    pub(crate) fn logged(&mut self, place: &'static str) -> String {
        self.plant(place, true)
    }

    /// A text that nothing has.
    pub(crate) fn silent(&mut self, place: &'static str) -> String {
        self.plant(place, false)
    }

    fn plant(&mut self, place: &'static str, is_logged: bool) -> String {
        let random = RandomState::new().build_hasher().finish();
        let text = format!("secret{random:016x}");
        self.0.push(Secret {
            place,
            text: text.clone(),
            is_logged,
        });
        text
    }

    /// No byte of an answer has one.
    pub(crate) fn are_not_in(&self, answer: &Answer, how: &str) {
        let all = all_bytes(answer);
        for Secret { place, text, .. } in &self.0 {
            let has = all.windows(text.len()).any(|part| part == text.as_bytes());
            assert!(!has, "{how}: the caller is told the {place}: {answer:?}");
        }
    }

    /// All of an answer that has them: for those who may see them.
    pub(crate) fn are_in(&self, answer: &Answer, how: &str) {
        let all = all_bytes(answer);
        for Secret { place, text, .. } in self.0.iter().filter(|secret| secret.is_logged) {
            let has = all.windows(text.len()).any(|part| part == text.as_bytes());
            assert!(has, "{how}: the caller is not told the {place}: {answer:?}");
        }
    }

    /// The log has those that it should have, in its one line of `id`, and none of the others.
    pub(crate) fn are_logged(&self, log: &Log, id: &str, method: &str, how: &str) -> String {
        let lines = log.own_lines();
        let with_id: Vec<_> = lines.iter().filter(|line| line.contains(id)).collect();
        let [line] = &with_id[..] else {
            panic!("{how}: not one line of {id}: {lines:?}");
        };
        assert!(line.contains(method), "{how}: {line}");
        for secret in &self.0 {
            let Secret { place, text, .. } = secret;
            assert_eq!(
                line.contains(text),
                secret.is_logged,
                "{how}: {place}: {line}"
            );
            let elsewhere = lines
                .iter()
                .any(|other| other != *line && other.contains(text));
            assert!(!elsewhere, "{how}: {place}: {lines:?}");
        }
        (*line).clone()
    }
}

/// All that an answer has, and what is behind the base64 of its headers and trailers.
fn all_bytes(answer: &Answer) -> Vec<u8> {
    let mut all = answer.body.to_vec();
    for map in [Some(&answer.headers), answer.trailers.as_ref()] {
        all.extend(map.into_iter().flat_map(bytes_of_headers));
    }
    all
}

fn bytes_of_headers(headers: &HeaderMap) -> Vec<u8> {
    let mut all = Vec::new();
    for (name, value) in headers {
        all.extend(name.as_str().bytes().chain(*b": "));
        all.extend(value.as_bytes().iter().chain(b"\n"));
    }
    let metadata = MetadataMap::from_headers(headers.clone());
    for name in headers
        .keys()
        .filter(|name| name.as_str().ends_with("-bin"))
    {
        for value in metadata.get_all_bin(name.as_str()) {
            all.extend(value.to_bytes().unwrap());
        }
    }
    all
}
