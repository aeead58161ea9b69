//! Messages as they are: the other servers have no entities.

use std::convert::Infallible;

use apibase::{Grade, MapError, ProtobufMapper};

use crate::examples::{Item, UpdateItemRequest};

/// A message that is its own entity.
macro_rules! as_it_is {
    ($($mapper:ident: $message:ty),*) => {
        $(
            /// The mapper of a message that stays as it is.
            pub(crate) struct $mapper;

            impl ProtobufMapper for $mapper {
                type Entity = $message;
                type Proto = $message;
                type EncodeError = Infallible;
                const GRADE: Grade = Grade::Iso;

                fn to_proto(entity: &$message) -> Result<$message, Infallible> {
                    Ok(entity.clone())
                }

                fn into_proto(entity: $message) -> Result<$message, Infallible> {
                    Ok(entity)
                }

                fn from_proto(proto: $message) -> Result<$message, MapError> {
                    Ok(proto)
                }
            }
        )*
    };
}

as_it_is!(ItemAsItIs: Item, UpdateAsItIs: UpdateItemRequest);
