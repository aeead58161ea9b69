use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use crate::mapper::{Integer, Narrow, ProtobufMapper};

/// A stream of what is there already.
struct Ready<T>(std::vec::IntoIter<T>);

impl<T: Unpin> Stream for Ready<T> {
    type Item = T;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready(self.0.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

fn all<S: Stream>(stream: S) -> Vec<S::Item> {
    let mut stream = pin!(stream);
    let mut cx = Context::from_waker(Waker::noop());
    let mut items = Vec::new();
    while let Poll::Ready(Some(item)) = stream.as_mut().poll_next(&mut cx) {
        items.push(item);
    }
    items
}

#[test]
fn a_stream_of_entities_becomes_one_of_messages() {
    let entities = Ready(vec![1, usize::MAX, 3].into_iter());
    let protos = Integer::<i32, usize>::to_proto_stream(entities);
    assert_eq!(protos.size_hint(), (3, Some(3)));
    let protos = all(protos);
    assert_eq!(protos[0].as_ref().unwrap(), &1);
    assert!(protos[1].is_err());
    assert_eq!(protos[2].as_ref().unwrap(), &3, "an error ends nothing");
}

#[test]
fn a_stream_of_messages_becomes_one_of_entities() {
    let protos = Ready(vec![1, -1, 3].into_iter());
    let entities = Narrow::<i32, u8>::from_proto_stream(protos);
    assert_eq!(entities.size_hint(), (3, Some(3)));
    let entities = all(entities);
    assert_eq!(entities[0].as_ref().unwrap(), &1);
    assert!(entities[1].is_err());
    assert_eq!(entities[2].as_ref().unwrap(), &3, "an error ends nothing");
}

#[test]
fn the_list_forms_are_those_of_a_list() {
    type Mapper = Narrow<i32, u8>;
    assert_eq!(Mapper::to_proto_list(&[1, 2]), Ok(vec![1, 2]));
    assert_eq!(Mapper::into_proto_list(vec![1, 2]), Ok(vec![1, 2]));
    assert_eq!(Mapper::from_proto_list(vec![1, 2]).unwrap(), [1, 2]);
    let error = Mapper::from_proto_list(vec![1, -2, 300]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[1] must be from 0 to 255; [2] must be from 0 to 255"
    );
}
