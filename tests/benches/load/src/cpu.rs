//! What a process has taken, by Linux.

use std::fs;
use std::io;
use std::time::Duration;

/// The time that all threads of a process have run, in user and kernel mode.
pub(crate) fn of(pid: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // Its first figure is the time on a CPU; `stat` has it too, in steps of 10 ms.
        let path = thread?.path().join("schedstat");
        let text = fs::read_to_string(path)?;
        let first = text
            .split(' ')
            .next()
            .and_then(|word| word.parse::<u64>().ok());
        nanoseconds += first.ok_or(io::ErrorKind::InvalidData)?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
