//! Blank lines: one between items, wherever they lie.

use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, ImplItem, Item, TraitItem, parse_quote};

use super::BLANK;

/// Marks where blank lines go.
pub(super) fn mark(file: &mut syn::File) {
    Spacer.visit_file_mut(file);
}

/// The attributes of an item, whatever it is.
pub(super) fn attributes(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Const(item) => Some(&mut item.attrs),
        Item::Enum(item) => Some(&mut item.attrs),
        Item::Fn(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        Item::Macro(item) => Some(&mut item.attrs),
        Item::Mod(item) => Some(&mut item.attrs),
        Item::Static(item) => Some(&mut item.attrs),
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Trait(item) => Some(&mut item.attrs),
        Item::Type(item) => Some(&mut item.attrs),
        Item::Use(item) => Some(&mut item.attrs),
        _ => None,
    }
}

struct Spacer;

impl VisitMut for Spacer {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        separate(&mut file.items);
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        if let Some((_, items)) = &mut module.content {
            separate(items);
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_item_trait_mut(&mut self, item: &mut syn::ItemTrait) {
        for item in item.items.iter_mut().skip(1) {
            if let TraitItem::Fn(function) = item {
                function.attrs.insert(0, blank());
            }
        }
        visit_mut::visit_item_trait_mut(self, item);
    }

    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        for item in item.items.iter_mut().skip(1) {
            // Associated constants and types are short and stay together.
            if let ImplItem::Fn(function) = item {
                function.attrs.insert(0, blank());
            }
        }
        visit_mut::visit_item_impl_mut(self, item);
    }
}

fn separate(items: &mut [Item]) {
    let mut last_was_use = false;
    for (index, item) in items.iter_mut().enumerate() {
        let is_use = matches!(item, Item::Use(_));
        if index > 0
            && !(is_use && last_was_use)
            && let Some(attributes) = attributes(item)
        {
            attributes.insert(0, blank());
        }
        last_was_use = is_use;
    }
}

fn blank() -> Attribute {
    parse_quote!(#[doc = #BLANK])
}
