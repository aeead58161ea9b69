//! [`Chatter`]: how much of what a peer sends does nothing.

use std::time::Duration;

use tokio::time::Instant;

/// How many frames that do nothing a peer may send at once.
const BURST: u32 = 10_000;

/// One more for each such time: a hundred a second, far more than anybody who asks whether we live.
const ANOTHER: Duration = Duration::from_millis(10);

/// A SETTINGS frame is answered, and changes the window of every stream.
const SETTINGS_COST: u32 = 10;

/// Peers measure the way by a PING for each DATA frame that they get, when they are at their busiest.
/// None has fewer bytes than its own head and that of a message.
const BYTES_FOR_ONE: usize = HEAD + 5;

/// The head of a frame (RFC 9113, section 4.1).
const HEAD: usize = 9;

/// What is written for a PING and for SETTINGS.
const PONG: usize = HEAD + 8;
const SETTINGS_ACK: usize = HEAD;

/// Reads the heads of a peer's frames as they pass, and counts those that do nothing: PING, SETTINGS,
/// PRIORITY, GOAWAY, frames of unknown types, and `RST_STREAM` where there is no stream.
///
/// h2 takes as many as come, answers them (CVE-2019-9512, CVE-2019-9515) and logs a warning for
/// each answer to a PING that it hasn't sent. Calls, messages and what is sent to the peer earn more of
/// them, so that only who sends little else is ever short.
#[derive(Debug)]
pub(super) struct Chatter {
    /// A head that comes in pieces.
    head: [u8; HEAD],
    /// How much of it is there.
    filled: usize,
    /// What comes before the next head.
    skip: usize,
    left: u32,
    refilled: Instant,
    /// Bytes of answers to such frames that are to be written; they earn nothing.
    owed: usize,
    /// Bytes that were written and have not earned one yet.
    written: usize,
}

/// A peer has sent more than it may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

impl Chatter {
    /// Frames begin after so many bytes.
    pub(super) fn after(preface: usize) -> Self {
        Self {
            head: [0; HEAD],
            filled: 0,
            skip: preface,
            left: BURST,
            refilled: Instant::now(),
            owed: 0,
            written: 0,
        }
    }

    /// These bytes have come. Whether a frame has begun or ended with them: who sends one byte by byte says
    /// nothing.
    pub(super) fn hear(&mut self, mut bytes: &[u8]) -> Result<bool, TooMuch> {
        let mut is_heard = false;
        while !bytes.is_empty() {
            let (skipped, rest) = bytes.split_at(self.skip.min(bytes.len()));
            self.skip -= skipped.len();
            is_heard |= !skipped.is_empty() && self.skip == 0;
            bytes = match rest.split_first_chunk() {
                Some((head, rest)) if self.filled == 0 => {
                    self.frame(*head)?;
                    is_heard = true;
                    rest
                }
                _ => {
                    let was_filled = self.filled;
                    let rest = self.piece(rest)?;
                    is_heard |= self.filled < was_filled;
                    rest
                }
            };
        }
        Ok(is_heard)
    }

    /// A head comes in pieces: takes what is there of it, and returns what comes after.
    fn piece<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], TooMuch> {
        let room = self.head.get_mut(self.filled..).unwrap_or_default();
        let (piece, rest) = bytes.split_at(room.len().min(bytes.len()));
        for (to, from) in room.iter_mut().zip(piece) {
            *to = *from;
        }
        self.filled += piece.len();
        if self.filled == HEAD {
            self.filled = 0;
            self.frame(self.head)?;
        }
        Ok(rest)
    }

    /// So many bytes have gone out.
    pub(super) fn say(&mut self, bytes: usize) {
        let answers = self.owed.min(bytes);
        self.owed -= answers;
        self.written += bytes - answers;
        let earned = self.written / BYTES_FOR_ONE;
        self.written %= BYTES_FOR_ONE;
        self.earn(u32::try_from(earned).unwrap_or(u32::MAX));
    }

    /// A head is there.
    fn frame(&mut self, [a, b, c, kind, flags, ..]: [u8; HEAD]) -> Result<(), TooMuch> {
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        self.skip = length;
        let is_ack = flags & 1 != 0;
        match kind {
            // DATA and HEADERS. Of empty DATA, h2 takes no more than a hundred.
            0 if length == 0 => {}
            0 | 1 => self.earn(1),
            // PUSH_PROMISE and CONTINUATION: refused and limited by h2. WINDOW_UPDATE: an honest peer
            // may send two for each DATA frame that it reads.
            5 | 8 | 9 => {}
            // SETTINGS; an acknowledgement of what we haven't sent ends the connection.
            4 if is_ack => {}
            4 => {
                self.owed = self.owed.saturating_add(SETTINGS_ACK);
                return self.spend(SETTINGS_COST);
            }
            6 if !is_ack => {
                self.owed = self.owed.saturating_add(PONG);
                return self.spend(1);
            }
            // RST_STREAM too: there is no more than one for each HEADERS, which has earned it.
            _ => return self.spend(1),
        }
        Ok(())
    }

    fn earn(&mut self, count: u32) {
        self.left = self.left.saturating_add(count).min(BURST);
    }

    fn spend(&mut self, cost: u32) -> Result<(), TooMuch> {
        if self.left < cost {
            self.refill();
        }
        self.left = self.left.checked_sub(cost).ok_or(TooMuch)?;
        Ok(())
    }

    /// The clock is read only when there is need of it.
    #[cold]
    fn refill(&mut self) {
        let now = Instant::now();
        let since = now.saturating_duration_since(self.refilled).as_millis();
        self.refilled = now;
        let earned = since / ANOTHER.as_millis();
        self.earn(u32::try_from(earned).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_heard_when_a_frame_begins_or_ends() {
        // DATA of three bytes.
        let frame = [0, 0, 3, 0, 0, 0, 0, 0, 1, 7, 7, 7];
        let mut chatter = Chatter::after(0);
        assert_eq!(chatter.hear(&frame), Ok(true));
        let heard = frame.map(|byte| chatter.hear(&[byte]).unwrap());
        let mut expected = [false; 12];
        (expected[8], expected[11]) = (true, true);
        assert_eq!(heard, expected);
    }

    const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

    /// How many of these frames are taken, in pieces of this size.
    fn taken(chatter: &mut Chatter, frame: &[u8], size: usize) -> usize {
        let most = BURST as usize * 2;
        let is_taken = |_: &usize| {
            let mut pieces = frame.chunks(size);
            pieces.all(|piece| chatter.hear(piece).is_ok())
        };
        (0..most).take_while(is_taken).count()
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_nothing_is_taken_up_to_a_limit_in_pieces_of_any_size() {
        let burst = BURST as usize;
        for size in 1..=PING.len() {
            let mut chatter = Chatter::after(24);
            chatter.hear(&[6; 24]).unwrap();
            assert_eq!(taken(&mut chatter, &PING, size), burst, "{size}");
        }
        for (kind, flags) in [(2, 0), (3, 0), (6, 1), (7, 0), (0xbb, 0), (0xff, 1)] {
            let frame = [0, 0, 1, kind, flags, 0, 0, 0, 1, 6];
            assert_eq!(taken(&mut Chatter::after(0), &frame, 4), burst, "{kind}");
        }
        assert_eq!(taken(&mut Chatter::after(0), &SETTINGS, 9), burst / 10);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_something_is_taken_without_a_limit() {
        for (kind, flags) in [(0, 0), (1, 4), (4, 1), (8, 0), (9, 4)] {
            let frame = [0, 0, 1, kind, flags, 0, 0, 0, 1, 6];
            let count = taken(&mut Chatter::after(0), &frame, 10);
            assert_eq!(count, 2 * BURST as usize, "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_may_be_cancelled_without_a_limit() {
        let call = [0, 0, 1, 1, 4, 0, 0, 0, 1, 6];
        let reset = [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8];
        let cancelled = [&call[..], &reset].concat();
        let count = taken(&mut Chatter::after(0), &cancelled, 7);
        assert_eq!(count, 2 * BURST as usize);
    }

    #[tokio::test(start_paused = true)]
    async fn a_payload_that_looks_like_frames_is_none() {
        let mut data = vec![0, 0x40, 0, 0, 0, 0, 0, 0, 1];
        data.extend(SETTINGS.repeat(0x4000 / SETTINGS.len() + 1));
        data.truncate(9 + 0x4000);
        let mut chatter = Chatter::after(0);
        assert_eq!(taken(&mut chatter, &data, 1000), 2 * BURST as usize);
    }

    #[tokio::test(start_paused = true)]
    async fn time_and_traffic_earn_more() {
        let mut chatter = Chatter::after(0);
        taken(&mut chatter, &PING, 17);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut chatter = Chatter {
            // The frame that was too much has ended the connection; this is another.
            skip: 0,
            filled: 0,
            ..chatter
        };
        assert_eq!(taken(&mut chatter, &PING, 17), 100);

        // The answers to all of them.
        chatter.say(chatter.owed);
        chatter.skip = 0;
        for _ in 0..3 * BURST {
            // A reply of one empty message for each, and the answer.
            chatter.say(PONG + BYTES_FOR_ONE);
            chatter.hear(&PING).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_answers_to_what_does_nothing_earn_nothing() {
        let mut chatter = Chatter::after(0);
        for _ in 0..BURST {
            chatter.hear(&PING).unwrap();
            chatter.say(PONG);
        }
        assert_eq!(chatter.hear(&PING), Err(TooMuch));
    }

    #[cfg(feature = "testing")]
    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]

        #[test]
        fn pieces_are_counted_as_the_whole_is(
            bytes in proptest::collection::vec(0..9_u8, 0..200),
            size in 1..30_usize,
            left in 0..20_u32,
        ) {
            // Time that passes earns nothing here.
            let refilled = Instant::now() + Duration::from_secs(3600);
            let mut whole = Chatter { left, refilled, ..Chatter::after(3) };
            let mut pieces = Chatter { left, refilled, ..Chatter::after(3) };
            let heard = whole.hear(&bytes);
            let in_pieces = bytes.chunks(size).try_fold(false, |heard, piece| {
                Ok(heard | pieces.hear(piece)?)
            });
            proptest::prop_assert_eq!(heard, in_pieces);
            proptest::prop_assert_eq!((whole.left, whole.owed), (pieces.left, pieces.owed));
        }
    }
}
