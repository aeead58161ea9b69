//! [`Change`] and [`NestedChange`]: what becomes of a value in a partial update.

#[cfg(feature = "testing")]
mod lawful;
mod mappers;

pub(super) use self::mappers::would_clear;
pub use self::mappers::{Changed, Clearable};
use super::{MapError, ViolationKind};

/// What becomes of one value: nothing, or it is cleared, or set.
///
/// Patches are made of it: `ItemPatch { name: Change::Set(name), ..ItemPatch::default() }`.
///
/// ```
/// use apibase::Change;
///
/// let (mut name, mut note) = (String::from("lamp"), Some("old"));
/// Change::Set(String::from("desk lamp")).apply(&mut name);
/// Change::Clear.apply_to_option(&mut note);
/// assert_eq!((name.as_str(), note), ("desk lamp", None));
///
/// Change::Keep.apply(&mut name);
/// assert_eq!(name, "desk lamp");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Change<T> {
    /// The value stays.
    #[default]
    Keep,
    /// There is no value any more: `None`, or the type's default where there is always one.
    Clear,
    /// This is the value now.
    Set(T),
}

impl<T> Change<T> {
    /// Whether the value stays.
    #[must_use]
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Whether the value is cleared.
    #[must_use]
    pub const fn is_clear(&self) -> bool {
        matches!(self, Self::Clear)
    }

    /// Whether there is a new value.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        matches!(self, Self::Set(_))
    }

    /// The new value, if there is one.
    #[must_use]
    pub fn set(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// The same change, lent.
    #[must_use]
    pub const fn as_ref(&self) -> Change<&T> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(value),
        }
    }

    /// The same change of another type: `change` is given the new value.
    #[must_use]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(change(value)),
        }
    }

    /// The same change of another type, if the new value can be of it.
    ///
    /// # Errors
    ///
    /// Those of `change`.
    pub fn try_map<U, E>(self, change: impl FnOnce(T) -> Result<U, E>) -> Result<Change<U>, E> {
        match self {
            Self::Keep => Ok(Change::Keep),
            Self::Clear => Ok(Change::Clear),
            Self::Set(value) => change(value).map(Change::Set),
        }
    }

    /// This change, and then a later one.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        match later {
            Self::Keep => self,
            Self::Clear | Self::Set(_) => later,
        }
    }

    /// Changes a value that is always there: cleared, it is its type's default.
    pub fn apply(self, value: &mut T)
    where
        T: Default,
    {
        match self {
            Self::Keep => {}
            Self::Clear => *value = T::default(),
            Self::Set(new) => *value = new,
        }
    }

    /// Changes a value that need not be there: cleared, it isn't.
    pub fn apply_to_option(self, value: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *value = None,
            Self::Set(new) => *value = Some(new),
        }
    }

    /// Changes a value that must be there, of a type that has no default: such a value can't be
    /// cleared, so it stays. A field mask never makes that: to clear what is required is an error of
    /// the request.
    pub fn apply_required(self, value: &mut T) {
        if let Self::Set(new) = self {
            *value = new;
        }
    }
}

/// `Some` is a new value, and `None` no change.
impl<T> From<Option<T>> for Change<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::Set)
    }
}

/// What becomes of an entity inside of another, whose fields can be changed one by one. `P` is its
/// patch: `AddressPatch` for an `Address`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NestedChange<T, P> {
    /// The entity stays.
    #[default]
    Keep,
    /// There is none any more.
    Clear,
    /// This is the entity now.
    Set(T),
    /// Some of its fields change.
    Patch(P),
}

impl<T, P> NestedChange<T, P> {
    /// Whether the entity stays.
    #[must_use]
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Changes an entity that must be there, so that it can't be cleared: it stays, as with
    /// [`Change::apply_required`]. `patch` applies a patch.
    ///
    /// # Errors
    ///
    /// Those of `patch`.
    pub fn apply_required(
        self,
        value: &mut T,
        patch: impl FnOnce(P, &mut T) -> Result<(), MapError>,
    ) -> Result<(), MapError> {
        match self {
            Self::Keep | Self::Clear => {}
            Self::Set(new) => *value = new,
            Self::Patch(change) => patch(change, value)?,
        }
        Ok(())
    }

    /// Changes an entity that need not be there. `patch` applies a patch.
    ///
    /// # Errors
    ///
    /// Those of `patch`, and for a patch of an entity that isn't there: it has to be set as a whole.
    pub fn apply_to_option(
        self,
        value: &mut Option<T>,
        patch: impl FnOnce(P, &mut T) -> Result<(), MapError>,
    ) -> Result<(), MapError> {
        match (self, value) {
            (Self::Keep, _) => {}
            (Self::Clear, value) => *value = None,
            (Self::Set(new), value) => *value = Some(new),
            (Self::Patch(change), Some(value)) => patch(change, value)?,
            (Self::Patch(_), None) => {
                return Err(MapError::new(
                    ViolationKind::NotAllowed,
                    "is not there yet, so it must be set as a whole",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_changes_what_it_is_applied_to() {
        let mut number = 7;
        Change::Keep.apply(&mut number);
        assert_eq!(number, 7);
        Change::Set(8).apply(&mut number);
        assert_eq!(number, 8);
        Change::Clear.apply_required(&mut number);
        assert_eq!(number, 8);
        Change::Clear.apply(&mut number);
        assert_eq!(number, 0);

        let mut optional = None;
        Change::Set(1).apply_to_option(&mut optional);
        assert_eq!(optional, Some(1));
        Change::Keep.apply_to_option(&mut optional);
        assert_eq!(optional, Some(1));
        Change::Clear.apply_to_option(&mut optional);
        assert_eq!(optional, None);
    }

    #[test]
    fn the_later_change_wins_unless_it_is_none() {
        assert_eq!(Change::Set(1).then(Change::Keep), Change::Set(1));
        assert_eq!(Change::Set(1).then(Change::Clear), Change::Clear);
        assert_eq!(Change::Clear.then(Change::Set(2)), Change::Set(2));
    }

    #[test]
    fn no_value_is_no_change() {
        assert_eq!(Change::<i32>::from(None), Change::Keep);
        assert_eq!(Change::from(Some(1)), Change::Set(1));
    }

    #[test]
    fn a_patch_of_what_is_not_there_is_refused() {
        let add = |by: i32, to: &mut i32| {
            *to += by;
            Ok(())
        };
        let mut number = Some(1);
        NestedChange::Patch(2)
            .apply_to_option(&mut number, add)
            .unwrap();
        assert_eq!(number, Some(3));
        let mut none = None;
        let refused = NestedChange::Patch(2).apply_to_option(&mut none, add);
        assert!(refused.is_err());
        assert_eq!(none, None);
        let mut number = 1;
        NestedChange::Patch(3)
            .apply_required(&mut number, add)
            .unwrap();
        assert_eq!(number, 4);
        NestedChange::Clear
            .apply_required(&mut number, add)
            .unwrap();
        assert_eq!(number, 4);
    }
}
