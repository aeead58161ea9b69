//! What is wrong with a message or an entity.

use std::fmt;

/// Everything that is wrong; nothing of it is allocated while nothing is.
#[derive(Clone, Debug, Default)]
pub struct Wrong {
    violations: Vec<Violation>,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Where: `lines[3].sku`.
    pub path: String,
    /// What.
    pub description: &'static str,
}

pub(crate) const REQUIRED: &str = "is required";

impl Wrong {
    #[cold]
    pub(crate) fn one(path: &str, description: &'static str) -> Self {
        let mut wrong = Self::default();
        wrong.add(path, description);
        wrong
    }

    #[cold]
    pub(crate) fn add(&mut self, path: &str, description: &'static str) {
        self.violations.push(Violation {
            path: path.to_owned(),
            description,
        });
    }

    /// How much is wrong so far.
    #[inline]
    pub(crate) fn mark(&self) -> usize {
        self.violations.len()
    }

    /// What was found since `mark` is in this field, or at this place.
    #[cold]
    pub(crate) fn within(&mut self, mark: usize, outer: impl fmt::Display) {
        for violation in self.violations.iter_mut().skip(mark) {
            let dot = match violation.path.as_str() {
                "" => "",
                path if path.starts_with('[') => "",
                _ => ".",
            };
            violation.path = format!("{outer}{dot}{}", violation.path);
        }
    }

    /// All of it is in this field, or at this place.
    #[cold]
    pub(crate) fn all_within(mut self, outer: impl fmt::Display) -> Self {
        self.within(0, outer);
        self
    }

    /// The value, or a note of what is wrong.
    #[inline]
    pub(crate) fn check<T>(
        &mut self,
        path: &str,
        value: Option<T>,
        description: &'static str,
    ) -> Option<T> {
        if value.is_none() {
            self.add(path, description);
        }
        value
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Violation { path, description }) in self.violations.iter().enumerate() {
            let joint = if index > 0 { "; " } else { "" };
            write!(f, "{joint}{path} {description}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Wrong {}
