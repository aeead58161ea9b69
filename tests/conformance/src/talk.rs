//! What the runner and this process tell each other: messages on stdin and stdout, each after its length in
//! four bytes.

use std::io::{ErrorKind, Read, Write};

use apibase::BoxError;
use apibase::prost::Message;

/// What the runner asks for has a certificate or two, or some messages.
const MAX_REQUEST: usize = 1 << 24;

/// The next message; `None` when there is no other.
pub(crate) fn read<M: Message + Default>(input: &mut impl Read) -> Result<Option<M>, BoxError> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = usize::try_from(u32::from_be_bytes(length))?;
    if length > MAX_REQUEST {
        return Err(format!("the runner's request has {length} bytes").into());
    }
    let mut message = vec![0; length];
    input.read_exact(&mut message)?;
    Ok(Some(M::decode(&*message)?))
}

/// Says this message.
pub(crate) fn write(output: &mut impl Write, message: &impl Message) -> Result<(), BoxError> {
    let message = message.encode_to_vec();
    output.write_all(&u32::try_from(message.len())?.to_be_bytes())?;
    output.write_all(&message)?;
    Ok(output.flush()?)
}
