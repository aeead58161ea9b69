//! Entities, the enums and oneofs in them, and how each of their fields is mapped, as plain data.

/// What the entities of a package are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Domain {
    /// In the order of the files, then of the proto.
    pub(crate) entities: Vec<Entity>,
    /// The enums that entities have in place of numbers.
    pub(crate) enums: Vec<DomainEnum>,
    /// Mappers of `google.type` messages, which are made where they are used.
    pub(crate) google: Vec<GoogleMapper>,
}

/// A message that servicers and clients speak as a type of the domain.
#[derive(Clone, Debug)]
pub(crate) struct Entity {
    /// `examples.Item`
    pub(crate) full_name: String,
    /// The file it is in.
    pub(crate) source: String,
    /// The lines of its rustdoc.
    pub(crate) docs: Vec<String>,
    /// `Item`, also where the type is the user's own.
    pub(crate) name: String,
    /// The type as written inside `api`: `Item`, or `crate::domain::Item`.
    pub(crate) ty: String,
    /// Whether the type is generated.
    pub(crate) generated: bool,
    /// Further attributes of a generated type.
    pub(crate) attributes: Vec<String>,
    /// Whether a generated type has a default: one that says what to change, and changes nothing.
    pub(crate) default: bool,
    /// prost's type as written inside `api`: `super::Item`.
    pub(crate) proto: String,
    /// `ItemMapper`
    pub(crate) mapper: String,
    /// Whether a message can't say some entities.
    pub(crate) fallible: bool,
    /// What survives the way to the wire and back.
    pub(crate) grade: GradeOf,
    /// Whether the proto asks that nothing is lost, which mappers of the user have to keep.
    pub(crate) lossless: bool,
    /// The fields of prost's type, in its order.
    pub(crate) slots: Vec<Slot>,
    /// The oneofs in it.
    pub(crate) oneofs: Vec<DomainOneof>,
    /// What the user's type has and the message hasn't.
    pub(crate) extras: Vec<Extra>,
    /// The patch that a field mask makes, where asked for.
    pub(crate) patch: Option<Patch>,
}

/// A field of the user's type that the message doesn't have.
#[derive(Clone, Debug)]
pub(crate) struct Extra {
    /// The field.
    pub(crate) name: String,
    /// The expression that fills it.
    pub(crate) value: String,
}

/// A field of prost's type.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// Its name there.
    pub(crate) name: String,
    /// What becomes of it.
    pub(crate) content: Content,
    /// Whether prost's field is deprecated.
    pub(crate) deprecated: bool,
}

/// What becomes of a field of prost's type.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// It is a field of the entity.
    Field(Box<Field>),
    /// It is none.
    Ignored,
    /// It and a field mask are a patch of its entity.
    Patched {
        /// The patch's field in the entity; of its mapping only the type counts.
        field: Box<Field>,
        /// Its patch.
        patch: NestedPatch,
        /// prost's field of the mask.
        mask: String,
    },
    /// The mask of a patch.
    Mask,
    /// Its own fields are the entity's.
    Flattened {
        /// prost's type of it.
        proto: String,
        /// Whether prost's field is no `Option`.
        always: bool,
        /// Its fields.
        slots: Vec<Slot>,
    },
}

/// A field of an entity.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Its name in the entity.
    pub(crate) name: String,
    /// Where it is in the message: `details.name`.
    pub(crate) path: String,
    /// The lines of its rustdoc.
    pub(crate) docs: Vec<String>,
    /// How it is mapped.
    pub(crate) mapping: Mapping,
    /// Mappers of the user that must not be lossy, which only the compiler of Rust can see.
    pub(crate) lossless: Vec<String>,
    /// Whether it is a oneof, whose members know their own names.
    pub(crate) oneof: bool,
    /// Whether its value is a secret.
    pub(crate) sensitive: bool,
    /// Whether the proto says so.
    pub(crate) deprecated: bool,
    /// What a patch does with it.
    pub(crate) change: Changing,
}

/// What a patch does with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Changing {
    /// It has no way to say "none": it is set, to the empty value too. The mapper is that of the
    /// field.
    Plain,
    /// It must be there. The mapper is that of the value inside.
    Required(String),
    /// It may be cleared. The mapper is that of the value inside.
    Optional(String),
    /// Its empty value stands for none. The mapper is that of the value inside.
    AbsentIfEmpty(String),
    /// An entity with a patch of its own.
    Nested(NestedPatch),
    /// A oneof, which may be cleared. The mapper is that of the oneof.
    Oneof {
        /// The mapper of the value inside.
        mapper: String,
        /// Whether one of its fields must be set.
        required: bool,
    },
    /// Says which entity is meant, and never changes.
    Identifier,
    /// Never changed once it is set.
    Immutable,
    /// Never changed by a caller.
    OutputOnly,
}

/// A patch of an entity.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    /// `ItemPatch`
    pub(crate) name: String,
    /// The static with what a mask can name: `ITEM_PATCH_FIELDS`.
    pub(crate) fields: String,
}

/// The patch of an entity inside another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NestedPatch {
    /// The mapper of the entity.
    pub(crate) mapper: String,
    /// The entity's type.
    pub(crate) entity: String,
    /// `AddressPatch`, as written inside `api`.
    pub(crate) patch: String,
    /// What a mask can name in it, as an expression.
    pub(crate) fields: String,
    /// Whether it must be there.
    pub(crate) required: bool,
    /// Whether applying it can fail.
    pub(crate) fallible: bool,
}

/// How a value is mapped between its two types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// The entity's type, as written inside `api`.
    pub(crate) entity: String,
    /// prost's.
    pub(crate) proto: String,
    /// The mapper between the two.
    pub(crate) mapper: String,
    /// Set where both are the same and nothing has to be done.
    pub(crate) same: Option<Same>,
    /// Whether there are values that the wire can't say.
    pub(crate) fallible: bool,
    /// What survives, of the value itself.
    pub(crate) grade: GradeOf,
    /// The full names of the entities inside it, each with a grade of its own.
    pub(crate) nested: Vec<String>,
    /// Whether the value can be in a set.
    pub(crate) hash: bool,
    /// Whether prost's type has an empty value.
    pub(crate) has_empty: bool,
}

/// How a value that is the same on both sides is given on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Same {
    /// It is small.
    Copy,
    /// It is cloned where the original stays.
    Clone,
    /// The same of a message, which prost may have made `Copy`: then clippy wants no `.clone()`.
    Message,
}

/// What survives the way to the wire and back; `apibase::Grade`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    Iso,
    Injective,
    Lossy,
}

/// The grade of an entity: what is known of it, and the mappers of the user that lower it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GradeOf {
    pub(crate) known: Grade,
    /// Rust paths.
    pub(crate) and: Vec<String>,
}

/// An enum that entities have in place of its numbers.
#[derive(Clone, Debug)]
pub(crate) struct DomainEnum {
    /// `shop.Color`
    pub(crate) full_name: String,
    /// The file it is in.
    pub(crate) source: String,
    /// The lines of its rustdoc.
    pub(crate) docs: Vec<String>,
    /// The type as written inside `api`.
    pub(crate) ty: String,
    /// `Color`
    pub(crate) name: String,
    /// Whether the type is generated.
    pub(crate) generated: bool,
    /// Further attributes of a generated type.
    pub(crate) attributes: Vec<String>,
    /// prost's type.
    pub(crate) proto: String,
    /// `ColorMapper`
    pub(crate) mapper: String,
    /// The variant of prost's type that stands for none, where there is one.
    pub(crate) unspecified: Option<String>,
    /// All others, in the order of the proto.
    pub(crate) variants: Vec<EnumVariant>,
}

/// A variant, named alike on both sides.
#[derive(Clone, Debug)]
pub(crate) struct EnumVariant {
    pub(crate) name: String,
    pub(crate) docs: Vec<String>,
    pub(crate) deprecated: bool,
}

/// A oneof as an enum of the domain.
#[derive(Clone, Debug)]
pub(crate) struct DomainOneof {
    /// `shop.Order.payment`
    pub(crate) full_name: String,
    /// The lines of its rustdoc.
    pub(crate) docs: Vec<String>,
    /// The type as written inside `api`.
    pub(crate) ty: String,
    /// `OrderPayment`
    pub(crate) name: String,
    /// Whether the type is generated.
    pub(crate) generated: bool,
    /// Further attributes of a generated type.
    pub(crate) attributes: Vec<String>,
    /// prost's type.
    pub(crate) proto: String,
    /// `OrderPaymentMapper`
    pub(crate) mapper: String,
    /// Whether a message can't say some of its values.
    pub(crate) fallible: bool,
    /// In the order of the proto.
    pub(crate) variants: Vec<OneofVariant>,
    /// What survives.
    pub(crate) grade: GradeOf,
}

/// A member of a oneof.
#[derive(Clone, Debug)]
pub(crate) struct OneofVariant {
    /// Its name on both sides.
    pub(crate) name: String,
    /// Where it is in the message.
    pub(crate) path: String,
    pub(crate) docs: Vec<String>,
    pub(crate) mapping: Mapping,
    pub(crate) sensitive: bool,
    pub(crate) deprecated: bool,
    /// Whether the value can have the oneof's message in it, in lists and maps too.
    pub(crate) recursive: bool,
}

/// A mapper of a `google.type` message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GoogleMapper {
    /// `google.type.Date`
    pub(crate) full_name: String,
    /// `GoogleDateMapper`
    pub(crate) mapper: String,
    /// The entity's type.
    pub(crate) entity: String,
    /// prost's type.
    pub(crate) proto: String,
    pub(crate) kind: GoogleKind,
}

/// Which of the messages, and of which library its type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GoogleKind {
    /// `google.type.Date`; the name of the runtime's functions starts with this.
    Date(&'static str),
    /// `google.type.Decimal`
    Decimal,
    /// `google.type.Money`
    Money,
    /// `google.type.LatLng`
    LatLng,
}

impl Domain {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.entities.is_empty() && self.enums.is_empty()
    }
}

impl Mapping {
    /// Whether it is known that the entity's type has a default.
    pub(crate) fn has_default(&self) -> bool {
        const DEFAULTS: &[&str] = &[
            "Option<",
            "Vec<",
            "rt::Change<",
            "rt::HashMap<",
            "rt::HashSet<",
            "rt::BTreeMap<",
            "rt::BTreeSet<",
        ];
        self.same.is_some()
            || self.entity == "rt::Uuid"
            || DEFAULTS.iter().any(|start| self.entity.starts_with(start))
    }
}

impl GradeOf {
    /// Nothing is lost, and no more is known.
    pub(crate) const ISO: Self = Self {
        known: Grade::Iso,
        and: Vec::new(),
    };

    /// Lowers it to what another keeps.
    pub(crate) fn lower(&mut self, other: &Self) {
        self.known = self.known.max(other.known);
        for mapper in &other.and {
            if !self.and.contains(mapper) {
                self.and.push(mapper.clone());
            }
        }
    }
}
