//! [`TraceContext`]: which trace a call belongs to, as it came in (W3C Trace Context, level 2).

use std::fmt;

use http::{HeaderName, HeaderValue};
use tonic::metadata::MetadataMap;

/// A name that is parsed once, since every call is asked for it.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: &str = "tracestate";

/// What is passed on of a `tracestate`: no more bytes, no more members. A longer one is dropped whole,
/// since half of one may mean something else.
const MAX_STATE: usize = 512;
const MAX_MEMBERS: usize = 32;

/// The trace that a call has come in with: a valid `traceparent`, of which there is one.
///
/// Whatever is wrong with it, the call begins a trace of its own, and the `tracestate` is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    pub(crate) trace_id: u128,
    /// Of who calls.
    pub(crate) span_id: u64,
    pub(crate) flags: u8,
    /// Whether it is of the version that is written here.
    is_current: bool,
    /// Whether there is a `tracestate` that may be passed on.
    has_state: bool,
}

impl TraceContext {
    /// Who calls records it.
    #[cfg(any(feature = "otel", feature = "prometheus"))]
    const SAMPLED: u8 = 1;
    /// The flags that are known: sampled, and that the trace's id is random.
    const KNOWN_FLAGS: u8 = 3;

    /// The trace of a call that has come in with these metadata.
    pub(super) fn of(metadata: &MetadataMap) -> Option<Self> {
        let mut parents = metadata.as_ref().get_all(&TRACEPARENT).iter();
        let parent = parents.next()?.to_str().ok()?;
        // Of two, nobody knows which one is meant.
        if parents.next().is_some() {
            return None;
        }
        let mut trace = Self::parse(parent)?;
        trace.has_state = is_valid_state(metadata);
        Some(trace)
    }

    /// `<version>-<trace>-<parent>-<flags>`, and more in later versions.
    fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let version = hex(parts.next()?, 2)?;
        let (trace_id, span_id) = (hex(parts.next()?, 32)?, hex(parts.next()?, 16)?);
        let flags = u8::try_from(hex(parts.next()?, 2)?).ok()?;
        let is_current = version == 0;
        let is_whole = !is_current || parts.next().is_none();
        let is_valid = version != 0xff && trace_id != 0 && span_id != 0 && is_whole;
        is_valid.then_some(Self {
            trace_id,
            span_id: u64::try_from(span_id).ok()?,
            flags: flags & Self::KNOWN_FLAGS,
            is_current,
            has_state: false,
        })
    }

    /// Whether who calls records it.
    #[cfg(any(feature = "otel", feature = "prometheus"))]
    pub(crate) fn is_sampled(&self) -> bool {
        self.flags & Self::SAMPLED != 0
    }

    /// The trace's id, in the metadata that this was read of.
    pub(super) fn id<'a>(&self, metadata: &'a MetadataMap) -> Option<&'a str> {
        metadata
            .as_ref()
            .get(&TRACEPARENT)?
            .to_str()
            .ok()?
            .get(3..35)
    }

    /// The header that passes it on.
    pub(super) fn parent(&self, metadata: &MetadataMap) -> Option<HeaderValue> {
        if self.is_current {
            return metadata.as_ref().get(&TRACEPARENT).cloned();
        }
        traceparent(self.trace_id, self.span_id, self.flags)
    }

    /// Its `tracestate`, if there is a valid one.
    pub(super) fn state(&self, metadata: &MetadataMap) -> Option<HeaderValue> {
        if !self.has_state {
            return None;
        }
        let mut states = metadata.as_ref().get_all(TRACESTATE).iter();
        let first = states.next()?;
        let Some(second) = states.next() else {
            return Some(first.clone());
        };
        let mut whole = first.as_bytes().to_vec();
        for more in [second].into_iter().chain(states) {
            whole.push(b',');
            whole.extend(more.as_bytes());
        }
        HeaderValue::from_maybe_shared(bytes::Bytes::from(whole)).ok()
    }
}

/// The header of a span.
pub(crate) fn traceparent(trace_id: u128, span_id: u64, flags: u8) -> Option<HeaderValue> {
    // In place: a text that grows would be several allocations, and this is one a call.
    let mut header = [b'-'; 55];
    let parts = [
        (0, 2, 0),
        (3, 32, trace_id),
        (36, 16, u128::from(span_id)),
        (53, 2, u128::from(flags)),
    ];
    for (at, length, number) in parts {
        write_hex(number, header.iter_mut().skip(at).take(length));
    }
    HeaderValue::from_bytes(&header).ok()
}

/// The hexadecimal digits of an id.
pub(crate) fn digits(id: [u8; 16]) -> Digits {
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(id) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    Digits(digits)
}

/// An id of 128 bits, as lower-case hexadecimal digits. Aligned, since that is how `from_utf8` reads them
/// word by word.
#[repr(align(8))]
pub(crate) struct Digits(pub(crate) [u8; 32]);

impl Digits {
    pub(crate) fn as_str(&self) -> &str {
        // Digits are UTF-8.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The digit of a number below 16. Without a branch: half of all digits would take the other one.
const fn digit(number: u8) -> u8 {
    b'0' + number + (number > 9) as u8 * (b'a' - 10 - b'0')
}

/// Writes the last digits of a number, as many as there are places for.
fn write_hex<'a>(number: u128, places: impl ExactSizeIterator<Item = &'a mut u8>) {
    let shifts = (0..places.len()).rev();
    for (place, shift) in places.zip(shifts) {
        *place = digit((number >> (4 * shift)) as u8 & 15);
    }
}

/// The number of this many lower-case hexadecimal digits.
fn hex(digits: &str, length: usize) -> Option<u128> {
    if digits.len() != length {
        return None;
    }
    digits.bytes().try_fold(0_u128, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

/// Whether there is a `tracestate`, and all of it is as it should be.
fn is_valid_state(metadata: &MetadataMap) -> bool {
    let (mut size, mut keys) = (0, Vec::new());
    for state in metadata.get_all(TRACESTATE) {
        let Ok(state) = state.to_str() else {
            return false;
        };
        size += state.len() + usize::from(size > 0);
        if size > MAX_STATE {
            return false;
        }
        let members = state
            .split(',')
            .map(|member| member.trim_matches([' ', '\t']));
        for member in members.filter(|member| !member.is_empty()) {
            let Some((key, value)) = member.split_once('=') else {
                return false;
            };
            if !is_key(key) || !is_value(value) || keys.contains(&key) {
                return false;
            }
            keys.push(key);
        }
    }
    (1..=MAX_MEMBERS).contains(&keys.len())
}

/// `vendor` or `tenant@vendor`.
fn is_key(key: &str) -> bool {
    let is_part = |part: &str, longest: usize| {
        part.len() <= longest
            && part.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
            && part.bytes().all(|b| {
                b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || matches!(b, b'_' | b'-' | b'*' | b'/')
            })
    };
    match key.split_once('@') {
        None => is_part(key, 256),
        Some((tenant, vendor)) => is_part(tenant, 241) && is_part(vendor, 14),
    }
}

/// Printable, without `,` and `=`.
fn is_value(value: &str) -> bool {
    let is_printable = |b: u8| matches!(b, b' '..=b'~') && !matches!(b, b',' | b'=');
    (1..=256).contains(&value.len()) && value.bytes().all(is_printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn of(pairs: &[(&'static str, &str)]) -> (MetadataMap, Option<TraceContext>) {
        let mut metadata = MetadataMap::new();
        for (key, value) in pairs {
            metadata.append(*key, value.parse().unwrap());
        }
        let trace = TraceContext::of(&metadata);
        (metadata, trace)
    }

    fn parse(header: &str) -> Option<TraceContext> {
        of(&[(TRACEPARENT.as_str(), header)]).1
    }

    /// What is passed on of these states.
    fn state(states: &[&str]) -> Option<String> {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let mut pairs = vec![(TRACEPARENT.as_str(), parent.as_str())];
        pairs.extend(states.iter().map(|state| (TRACESTATE, *state)));
        let (metadata, trace) = of(&pairs);
        let state = trace.unwrap().state(&metadata)?;
        Some(state.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_valid_one_is_read() {
        let trace = parse(&format!("00-{TRACE}-{SPAN}-01")).unwrap();
        assert_eq!(format!("{:032x}", trace.trace_id), TRACE);
        assert_eq!(format!("{:016x}", trace.span_id), SPAN);
        assert_eq!(trace.flags, 1);
        assert_eq!(parse(&format!("00-{TRACE}-{SPAN}-00")).unwrap().flags, 0);
    }

    #[test]
    fn an_id_of_zeros_is_none() {
        assert_eq!(parse(&format!("00-{}-{SPAN}-01", "0".repeat(32))), None);
        assert_eq!(parse(&format!("00-{TRACE}-{}-01", "0".repeat(16))), None);
    }

    #[test]
    fn upper_case_is_refused_in_every_part() {
        for wrong in [
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-0A"),
            format!("0A-{TRACE}-{SPAN}-01"),
        ] {
            assert_eq!(parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn version_ff_is_refused_and_later_ones_may_say_more() {
        assert_eq!(parse(&format!("ff-{TRACE}-{SPAN}-01")), None);
        assert_eq!(parse(&format!("00-{TRACE}-{SPAN}-01-more")), None);
        assert!(parse(&format!("01-{TRACE}-{SPAN}-01")).is_some());
        assert!(parse(&format!("cc-{TRACE}-{SPAN}-01-what-will-come")).is_some());
        assert_eq!(parse(&format!("cc-{TRACE}-{SPAN}-01more")), None);
    }

    #[test]
    fn a_part_of_another_length_is_refused() {
        for wrong in [
            String::new(),
            TRACE.to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-001"),
            format!("00-{TRACE}0-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{TRACE}-{SPAN}0-01"),
            format!("00-{TRACE}-{}-01", &SPAN[1..]),
            format!("0-{TRACE}-{SPAN}-01"),
            format!(" 00-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01 "),
        ] {
            assert_eq!(parse(&wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn of_two_parents_neither_counts() {
        let one = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(
            of(&[(TRACEPARENT.as_str(), &one), (TRACEPARENT.as_str(), &one)]).1,
            None
        );
        assert_eq!(parse(&format!("{one},{one}")), None);
    }

    #[test]
    fn unknown_flags_and_versions_are_not_written() {
        let (metadata, trace) =
            of(&[(TRACEPARENT.as_str(), &format!("01-{TRACE}-{SPAN}-ff-more"))]);
        let written = trace.unwrap().parent(&metadata).unwrap();
        assert_eq!(written, format!("00-{TRACE}-{SPAN}-03"));
    }

    #[test]
    fn a_state_is_kept_whole_up_to_its_limits() {
        assert_eq!(state(&["a=1,b@c=2"]).as_deref(), Some("a=1,b@c=2"));
        assert_eq!(state(&["a=1", "b=2"]).as_deref(), Some("a=1,b=2"));
        let of_32: Vec<_> = (0..32).map(|number| format!("k{number}=v")).collect();
        assert_eq!(state(&[&of_32.join(",")]), Some(of_32.join(",")));
        let of_512 = format!("a={},b={}", "x".repeat(256), "y".repeat(512 - 256 - 5));
        assert_eq!(of_512.len(), 512);
        assert_eq!(state(&[&of_512]), Some(of_512));
    }

    #[test]
    fn a_state_beyond_its_limits_is_dropped_whole() {
        let of_33: Vec<_> = (0..33).map(|number| format!("k{number}=v")).collect();
        assert_eq!(state(&[&of_33.join(",")]), None);
        let of_513 = format!("a={},b={}", "x".repeat(256), "y".repeat(513 - 256 - 5));
        assert_eq!(state(&[&of_513]), None);
        // The limits are of all headers together.
        assert_eq!(
            state(&[&of_33[..20].join(","), &of_33[20..].join(",")]),
            None
        );
    }

    #[test]
    fn a_state_that_is_malformed_is_dropped_whole() {
        for wrong in [
            "", "a", "a=", "A=1", "a=1,b", "a=1,a=2", "a@b@c=1", "@a=1", "a=1=2", " , ",
        ] {
            assert_eq!(state(&[wrong]), None, "{wrong:?}");
        }
        assert_eq!(state(&["a=1", "b"]), None);
    }

    #[test]
    fn without_a_parent_there_is_no_state() {
        assert_eq!(of(&[(TRACESTATE, "a=1")]).1, None);
    }
}
