//! HTTP/2 frames (RFC 9113) and HPACK literals (RFC 7541), byte by byte, right and wrong ones.

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
/// No frame of HTTP/2.
pub(crate) const UNKNOWN: u8 = 0xbb;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;
pub(crate) const WITH_PRIORITY: u8 = 0x20;

pub(crate) const HEADER_TABLE_SIZE: u16 = 1;
pub(crate) const ENABLE_PUSH: u16 = 2;
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
pub(crate) const MAX_FRAME_SIZE: u16 = 5;

pub(crate) const PROTOCOL_ERROR: u32 = 1;
pub(crate) const FRAME_SIZE_ERROR: u32 = 6;
pub(crate) const CANCEL: u32 = 8;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// A frame that says of itself what it is.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    frame_of(payload.len(), kind, flags, stream, payload)
}

/// A frame that says that it has this length.
pub(crate) fn frame_of(length: usize, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A SETTINGS frame with these values.
pub(crate) fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let values = values.iter().flat_map(|(id, value)| {
        let (id, value) = (id.to_be_bytes(), value.to_be_bytes());
        id.into_iter().chain(value)
    });
    frame(SETTINGS, 0, 0, &values.collect::<Vec<_>>())
}

pub(crate) fn settings_ack() -> Vec<u8> {
    frame(SETTINGS, ACK, 0, &[])
}

pub(crate) fn ping() -> Vec<u8> {
    frame(PING, 0, 0, b"pingping")
}

pub(crate) fn window_update(stream: u32, by: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

pub(crate) fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

pub(crate) fn data(stream: u32, end: bool, payload: &[u8]) -> Vec<u8> {
    frame(DATA, u8::from(end), stream, payload)
}

/// The head of a call of this method of the echo service.
pub(crate) fn head(stream: u32, method: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &fields(method, &[]))
}

/// The same, with these fields too.
pub(crate) fn head_with(stream: u32, method: &str, more: &[(&[u8], &[u8])]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &fields(method, more))
}

/// A call of this method, whose request is this message; all of it.
pub(crate) fn call(stream: u32, method: &str, message: &[u8]) -> Vec<u8> {
    let mut call = head(stream, method);
    call.extend(data(stream, true, &grpc(message)));
    call
}

/// A message as gRPC frames it.
pub(crate) fn grpc(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&[0][..], &length.to_be_bytes(), message].concat()
}

/// The header block of a call.
pub(crate) fn fields(method: &str, more: &[(&[u8], &[u8])]) -> Vec<u8> {
    // POST and http of the static table.
    let mut block = vec![0x83, 0x86];
    let path = format!("/echo.EchoService/{method}");
    block.extend(literal(b":path", path.as_bytes()));
    block.extend(literal(b":authority", b"localhost"));
    block.extend(literal(b"te", b"trailers"));
    block.extend(literal(b"content-type", b"application/grpc"));
    for (name, value) in more {
        block.extend(literal(name, value));
    }
    block
}

/// A field that no table keeps.
pub(crate) fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0][..], &string(name), &string(value)].concat()
}

/// A field that the dynamic table keeps.
pub(crate) fn indexed_literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0x40][..], &string(name), &string(value)].concat()
}

/// A string as it is, without Huffman's code.
fn string(text: &[u8]) -> Vec<u8> {
    let mut string = Vec::new();
    // An integer with a prefix of seven bits (RFC 7541, section 5.1).
    if text.len() < 127 {
        string.push(u8::try_from(text.len()).unwrap());
    } else {
        string.push(127);
        let mut rest = text.len() - 127;
        while rest >= 128 {
            string.push(u8::try_from(rest % 128).unwrap() | 0x80);
            rest /= 128;
        }
        string.push(u8::try_from(rest).unwrap());
    }
    string.extend(text);
    string
}
