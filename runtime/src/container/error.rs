//! [`ContainerError`]: why a container can't be built.

use std::error::Error;
use std::fmt;
use std::panic::Location;

use crate::BoxError;

/// Why a [`Container`](super::Container) can't be built: everything that is wrong with it.
#[derive(Debug)]
pub struct ContainerError {
    problems: Vec<Problem>,
}

#[derive(Debug)]
pub(super) enum Problem {
    /// Nobody has registered it.
    Missing {
        name: &'static str,
        /// Who needs it, each from what nobody else needs; empty where it was asked for by hand.
        chains: Vec<Vec<&'static str>>,
    },
    /// It is registered at all these places.
    Duplicate {
        name: &'static str,
        at: Vec<&'static Location<'static>>,
    },
    /// Each needs the next one, and the last is the first.
    Cycle { chain: Vec<&'static str> },
    /// Its constructor failed.
    Failed {
        name: &'static str,
        source: BoxError,
    },
}

impl ContainerError {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }
}

impl fmt::Display for ContainerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.problems {
            [problem] => problem.fmt(f),
            problems => {
                write!(f, "the container has {} faults:", problems.len())?;
                problems
                    .iter()
                    .try_for_each(|problem| write!(f, "\n- {problem}"))
            }
        }
    }
}

impl Error for ContainerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problems.iter().find_map(|problem| match problem {
            Problem::Failed { source, .. } => Some(&**source as _),
            _ => None,
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, chains } => {
                write!(f, "nothing is registered as `{name}`")?;
                for (index, chain) in chains.iter().enumerate() {
                    f.write_str(if index == 0 {
                        ", which is needed by "
                    } else {
                        " and by "
                    })?;
                    write!(f, "{}", Chain(chain))?;
                }
                f.write_str(": add it by `value`, `singleton`, `factory` or `bind`")
            }
            Self::Duplicate { name, at } => {
                write!(f, "`{name}` is registered {} times", at.len())?;
                for (index, at) in at.iter().enumerate() {
                    write!(f, "{} {at}", if index == 0 { ", at" } else { " and" })?;
                }
                f.write_str(": keep one of them, or give the others types of their own")
            }
            Self::Cycle { chain } => write!(
                f,
                "each of these needs the next to be made: {}; break the circle, by a part that \
                 both need for example",
                Chain(chain)
            ),
            Self::Failed { name, source } => {
                write!(f, "`{name}` can't be made: {source}")
            }
        }
    }
}

/// Types, each of which needs the next.
struct Chain<'a>(&'a [&'static str]);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let arrow = if index == 0 { "" } else { " → " };
            write!(f, "{arrow}`{name}`")?;
        }
        Ok(())
    }
}
