//! The token in a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use super::cached::{Fetching, Trouble};
use super::token::Token;

/// A file that is larger, in bytes, is no token: no server would take it as metadata.
const MAX_SIZE: u64 = 64 * 1024;

/// What reads the token in the file at `path`, on a thread where that holds nobody up.
pub(super) fn reader(path: PathBuf) -> impl Fn() -> Fetching {
    move || {
        let path = path.clone();
        Box::pin(async move {
            let reading = spawn_blocking(move || {
                let name = path.display();
                read(&path).map_err(|error| Trouble::of_file(&name, error))
            });
            reading
                .await
                .unwrap_or_else(|error| Err(Trouble::broken(error.to_string())))
        })
    }
}

fn read(path: &Path) -> io::Result<Token> {
    let mut text = Vec::new();
    let read = File::open(path)?
        .take(MAX_SIZE + 1)
        .read_to_end(&mut text)?;
    if read as u64 > MAX_SIZE {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is larger than 64 KiB",
        ));
    }
    let text = std::str::from_utf8(&text)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))?;
    Ok(Token::new(text.trim()))
}
