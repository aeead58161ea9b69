//! Streams of what a mapper maps.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{MapError, ProtobufMapper};

pin_project! {
    /// A stream of messages, of a stream of entities. An entity that a message can't say is one
    /// item's error, and the stream goes on.
    #[derive(Debug)]
    pub struct ProtoStream<M, S> {
        #[pin]
        entities: S,
        mapper: PhantomData<fn() -> M>,
    }
}

pin_project! {
    /// A stream of entities, of a stream of messages. A message that is wrong is one item's error,
    /// and the stream goes on.
    #[derive(Debug)]
    pub struct EntityStream<M, S> {
        #[pin]
        protos: S,
        mapper: PhantomData<fn() -> M>,
    }
}

impl<M, S> ProtoStream<M, S> {
    pub(super) const fn new(entities: S) -> Self {
        Self {
            entities,
            mapper: PhantomData,
        }
    }
}

impl<M, S> EntityStream<M, S> {
    pub(super) const fn new(protos: S) -> Self {
        Self {
            protos,
            mapper: PhantomData,
        }
    }
}

impl<M: ProtobufMapper, S: Stream<Item = M::Entity>> Stream for ProtoStream<M, S> {
    type Item = Result<M::Proto, M::EncodeError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let entity = self.project().entities.poll_next(cx);
        entity.map(|entity| entity.map(M::into_proto))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entities.size_hint()
    }
}

impl<M: ProtobufMapper, S: Stream<Item = M::Proto>> Stream for EntityStream<M, S> {
    type Item = Result<M::Entity, MapError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let proto = self.project().protos.poll_next(cx);
        proto.map(|proto| proto.map(M::from_proto))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.protos.size_hint()
    }
}
