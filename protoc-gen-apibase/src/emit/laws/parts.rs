//! What several kinds of values need.

use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::tokens::{code, ident};
use crate::model::entity::{Content, Entity, Field, Grade, Slot};

/// proptest has strategies for tuples up to 12.
const WIDTH: usize = 10;

/// All fields of an entity.
pub(super) fn fields(entity: &Entity) -> Vec<&Field> {
    of_slots(&entity.slots)
}

fn of_slots(slots: &[Slot]) -> Vec<&Field> {
    let mut all = Vec::new();
    for slot in slots {
        match &slot.content {
            Content::Field(field) => all.push(&**field),
            Content::Ignored | Content::Mask | Content::Patched { .. } => {}
            Content::Flattened { slots, .. } => all.extend(of_slots(slots)),
        }
    }
    all
}

/// What the message itself loses, whatever its fields keep.
pub(super) fn own_grade(entity: &Entity) -> Grade {
    if !entity.extras.is_empty() {
        return Grade::Lossy;
    }
    let partial = |slot: &Slot| !matches!(slot.content, Content::Field(_));
    if entity.slots.iter().any(partial) {
        Grade::Injective
    } else {
        Grade::Iso
    }
}

/// A tuple of strategies, one for each field, and the pattern that takes its value apart.
pub(super) fn tuple(fields: &[&Field], function: &str) -> (TokenStream, TokenStream) {
    let function = ident(function);
    let one = |field: &&Field| {
        let mapper = code(&field.mapping.mapper);
        let name = ident(&field.name);
        (quote!(<#mapper>::#function(depth)), quote!(#name))
    };
    if fields.is_empty() {
        return (
            quote!(::apibase::testing::proptest::strategy::Just(())),
            quote!(()),
        );
    }
    let (strategies, names): (Vec<_>, Vec<_>) = fields
        .chunks(WIDTH)
        .map(|chunk| {
            let (strategies, names): (Vec<_>, Vec<_>) = chunk.iter().map(one).unzip();
            (quote!((#(#strategies,)*)), quote!((#(#names,)*)))
        })
        .unzip();
    (nested(&strategies), nested(&names))
}

/// More chunks than a tuple takes go into tuples of tuples.
fn nested(chunks: &[TokenStream]) -> TokenStream {
    match chunks {
        [one] => one.clone(),
        few if few.len() <= WIDTH => quote!((#(#few,)*)),
        many => {
            let groups: Vec<TokenStream> = many
                .chunks(WIDTH)
                .map(|group| quote!((#(#group,)*)))
                .collect();
            nested(&groups)
        }
    }
}
