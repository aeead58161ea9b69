//! The bench's mappers, as the generator writes them.

apibase::include_protos!();

use std::process::ExitCode;

use apibase::{MapError, ProtobufMapper};
use bench::api::{ItemListMapper, ItemMapper, OrderMapper, WordsMapper};
use bench_mappers_domain::{Item, ItemList, Maps, Order, Words};

/// The generated mappers.
#[derive(Clone, Copy, Debug)]
pub struct Generated;

macro_rules! maps {
    ($($entity:ident by $mapper:ident),*) => {$(
        impl Maps<$entity> for Generated {
            type Message = bench::$entity;
            type EncodeError = <$mapper as ProtobufMapper>::EncodeError;
            type DecodeError = MapError;

            #[inline]
            fn to_message(entity: &$entity) -> Result<bench::$entity, Self::EncodeError> {
                $mapper::to_proto(entity)
            }

            #[inline]
            fn into_message(entity: $entity) -> Result<bench::$entity, Self::EncodeError> {
                $mapper::into_proto(entity)
            }

            #[inline]
            fn from_message(message: bench::$entity) -> Result<$entity, MapError> {
                $mapper::from_proto(message)
            }
        }
    )*};
}

maps!(Item by ItemMapper, ItemList by ItemListMapper, Order by OrderMapper, Words by WordsMapper);

/// Runs one operation again and again, as [`bench_mappers_domain::main`] says.
///
/// It is here and not in the binary so that all of it is compiled with the mappers, as in the crate of
/// a service: split over two crates, what is inlined where is a matter of luck.
#[must_use]
pub fn main() -> ExitCode {
    bench_mappers_domain::main::<Generated>()
}
