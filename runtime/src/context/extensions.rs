//! Typed values of a context: a list that only grows at its head, so clones share their tails.

use std::any::Any;
use std::sync::Arc;

#[derive(Clone, Default)]
pub(super) struct Extensions(Option<Arc<Node>>);

struct Node {
    value: Box<dyn Any + Send + Sync>,
    next: Extensions,
}

impl Extensions {
    /// The newest value of type `T`.
    pub(super) fn get<T: Any>(&self) -> Option<&T> {
        let mut at = self;
        while let Some(node) = &at.0 {
            if let Some(value) = node.value.downcast_ref() {
                return Some(value);
            }
            at = &node.next;
        }
        None
    }

    /// These and `value`.
    pub(super) fn with<T: Any + Send + Sync>(&self, value: T) -> Self {
        Self(Some(Arc::new(Node {
            value: Box::new(value),
            next: self.clone(),
        })))
    }
}
