//! Why a rule of a field can't be meant.

/// A problem of a field: what is wrong and how to mend it. The caller knows where.
pub(super) struct Refusal {
    pub(super) what: String,
    pub(super) fix: String,
    /// The number of the rule's field that is at fault.
    pub(super) rule: i32,
}

/// Numbers of `FieldRule`'s fields, for the places of errors.
pub(super) mod tags {
    pub(in crate::model::entities) const FORMAT: i32 = 1;
    pub(in crate::model::entities) const REQUIRED: i32 = 2;
    pub(in crate::model::entities) const RENAME: i32 = 3;
    pub(in crate::model::entities) const IGNORE: i32 = 4;
    pub(in crate::model::entities) const SENSITIVE: i32 = 5;
    pub(in crate::model::entities) const LOSSY_OK: i32 = 6;
    pub(in crate::model::entities) const KIND: i32 = 7;
    pub(in crate::model::entities) const EMPTY_IS_ABSENT: i32 = 8;
    pub(in crate::model::entities) const UNKNOWN: i32 = 9;
    pub(in crate::model::entities) const FALLBACK: i32 = 10;
    pub(in crate::model::entities) const NONZERO: i32 = 11;
    pub(in crate::model::entities) const LENGTH: i32 = 12;
    pub(in crate::model::entities) const SET: i32 = 13;
    pub(in crate::model::entities) const FLATTEN: i32 = 14;
    pub(in crate::model::entities) const MASK: i32 = 15;
    pub(in crate::model::entities) const OUTPUT_ONLY: i32 = 16;
    pub(in crate::model::entities) const IMMUTABLE: i32 = 17;
    pub(in crate::model::entities) const IDENTIFIER: i32 = 18;
}
