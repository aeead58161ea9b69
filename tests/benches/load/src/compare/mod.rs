//! What comparisons of clients and of servers share: arguments, sides, rounds and tables.
//!
//! A comparison's own are its words and defaults, a [`Comparison`], and how a side is measured, a [`Row`].

mod counted;
mod options;
mod side;
mod table;
mod timed;

use std::error::Error;
use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;

use crate::run::Figures;
use options::Mode;
pub use options::Options;
pub use side::Side;
pub use table::{Column, Figure};

/// Measures something, and prints what it found.
pub type Measure<R> = fn(&Options<R>) -> Result<(), Box<dyn Error>>;

/// Sides of one kind, which are measured in turn, A B A B …, on the same rows.
pub struct Comparison<R: 'static> {
    /// What a side is: `client`. Its binary is `bench-client-NAME`.
    pub kind: &'static str,
    /// What a row says of itself, as the heading of its column.
    pub row: &'static str,
    /// The sides, where no others are asked for.
    pub sides: &'static str,
    /// The rows that are timed, where no others are asked for.
    pub rows: &'static str,
    /// The same where something is counted, for which how much is called at once matters little.
    pub counted_rows: &'static str,
    /// What is compared of the times.
    pub columns: &'static [Column],
    /// What is said of each side below the tables, and the words before it.
    pub below: (&'static str, Figure),
    /// What has to hold before anything is measured.
    pub check: Measure<R>,
    /// Modes beside `time`, `allocations` and `instructions`, by their names.
    pub more_modes: &'static [(&'static str, Measure<R>)],
}

/// A row of the tables: what is called, and how much of it at once.
pub trait Row: FromStr<Err = String> + fmt::Display + Sized {
    /// Whether this side can be called so.
    fn is_for(&self, side: &Side) -> bool;

    /// Whether a call has so many messages that a hundredth of the calls says as much.
    fn is_long(&self) -> bool;

    /// Calls for the time of one round.
    ///
    /// # Errors
    ///
    /// When a process can't be run, or a call fails; so it is with the others.
    fn time(&self, side: &Side, options: &Options<Self>) -> Result<Figures, Box<dyn Error>>;

    /// The allocations of so many calls, and their bytes.
    ///
    /// # Errors
    ///
    /// As [`time`](Self::time) has them.
    fn allocations(
        &self,
        side: &Side,
        options: &Options<Self>,
        calls: u64,
    ) -> Result<[f64; 2], Box<dyn Error>>;

    /// The instructions of a process that has so many calls.
    ///
    /// # Errors
    ///
    /// As [`time`](Self::time) has them, and where there is no valgrind.
    fn instructions(
        &self,
        side: &Side,
        options: &Options<Self>,
        calls: u64,
    ) -> Result<f64, Box<dyn Error>>;
}

impl<R: Row> Comparison<R> {
    /// The `main`: `[MODE] --bin FOLDER [--sides A,B] [--rows ROWS] [--rounds N] [--seconds S] [--calls N]`.
    #[must_use]
    pub fn main(&self) -> ExitCode {
        match self.measure() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}s: {error}", self.kind);
                ExitCode::FAILURE
            }
        }
    }

    fn measure(&self) -> Result<(), Box<dyn Error>> {
        let (mode, options) = options::parse(self, std::env::args().skip(1))?;
        (self.check)(&options)?;
        match mode {
            Mode::Time => timed::measure(self, &options),
            Mode::Allocations => counted::allocations(self, &options),
            Mode::Instructions => counted::instructions(self, &options),
            Mode::Other(measure) => measure(&options),
        }
    }
}
