//! Instructions of a process in user mode, by callgrind.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One process that is to be counted.
#[derive(Debug)]
pub struct Callgrind {
    file: PathBuf,
}

impl Callgrind {
    /// What runs `binary` under callgrind, and what reads the count when it has ended.
    #[must_use]
    pub fn of(binary: &Path) -> (Command, Self) {
        let file = std::env::temp_dir().join(format!("callgrind.{}", std::process::id()));
        let mut command = Command::new("valgrind");
        command
            .args(["--quiet", "--tool=callgrind"])
            .arg(format!("--callgrind-out-file={}", file.display()))
            .arg(binary);
        (command, Self { file })
    }

    /// All instructions of the process, which has ended.
    ///
    /// # Errors
    ///
    /// When callgrind wrote none.
    pub fn total(self) -> Result<f64, Box<dyn Error>> {
        let text = fs::read_to_string(&self.file)?;
        fs::remove_file(&self.file)?;
        let total = text.lines().find_map(|line| {
            let line = line
                .strip_prefix("summary:")
                .or(line.strip_prefix("totals:"));
            line?.trim().parse().ok()
        });
        Ok(total.ok_or("callgrind wrote no total")?)
    }
}
