//! [`Grade`]: what a mapping keeps.

/// What survives the way from an entity to the wire and back, from best to worst.
///
/// Grades compose: a message has the lowest grade of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Everything, both ways: each message is one entity and each entity one message.
    Iso,
    /// Every entity. Of several messages that stand for one entity, one comes back; and a message
    /// that stands for none is an error.
    Injective,
    /// Not every entity: something may come back as another.
    Lossy,
}

impl Grade {
    /// The lower of the two.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        if (other as u8) > (self as u8) {
            other
        } else {
            self
        }
    }

    /// Whether every entity survives.
    #[must_use]
    pub const fn is_lossless(self) -> bool {
        !matches!(self, Self::Lossy)
    }
}
