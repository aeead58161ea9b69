//! UUIDs and bytes in entities.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use std::error::Error as _;

use apibase::ViolationKind::Malformed;
use apibase::{Grade, ProtobufMapper};
use apibase_tests::entity_bytes::entity_bytes as bytes_fields;
use apibase_tests::entity_bytes_buffers::entity_bytes_buffers as buffers;
use apibase_tests::entity_uuid::entity_uuid as uuids;
use apibase_tests::entity_uuid_buffers::entity_uuid_buffers as uuid_buffers;
use bytes::Bytes;
use mapping::{message, refused, survives};
use uuid::Uuid;
use uuids::api::{Node, NodeMapper, NodeOwner};

const ID: Uuid = Uuid::from_u128(0x0123_4567_89ab_cdef_fedc_ba98_7654_3210);
const TEXT: &str = "01234567-89ab-cdef-fedc-ba9876543210";

fn node() -> Node {
    Node {
        id: ID,
        key: ID,
        parent: None,
        old_key: None,
        children: Vec::new(),
        locks: Vec::new(),
        links: [].into(),
        keys: [].into(),
        owner: None,
    }
}

#[test]
fn a_uuid_is_written_with_hyphens_or_as_bytes_in_network_order() {
    let entity = Node {
        parent: Some(Uuid::nil()),
        old_key: Some(Uuid::max()),
        children: vec![ID, Uuid::nil()],
        locks: vec![Uuid::max(), ID],
        links: [("a".to_owned(), ID)].into(),
        keys: [(-3, ID)].into(),
        owner: Some(NodeOwner::Machine(ID)),
        ..node()
    };
    let proto = survives::<NodeMapper>(&entity);
    let bytes = vec![
        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32,
        0x10,
    ];
    assert_eq!(proto.id, TEXT);
    assert_eq!(proto.key, bytes);
    assert_eq!(
        proto.parent.unwrap(),
        "00000000-0000-0000-0000-000000000000"
    );
    assert_eq!(proto.old_key.unwrap(), [0xff; 16]);
    assert_eq!(proto.children[0], TEXT);
    assert_eq!(proto.locks[1], bytes);
    assert_eq!(proto.links["a"], TEXT);
    assert_eq!(proto.keys[&-3], bytes);
    assert_eq!(proto.owner, Some(uuids::node::Owner::Machine(bytes)));
}

#[test]
fn an_entity_that_always_fits_is_a_message_without_a_question() {
    let proto = uuids::Node::from(node());
    assert_eq!(Node::try_from(proto).unwrap(), node());
    assert_eq!(NodeMapper::GRADE, Grade::Injective);
}

#[test]
fn a_uuid_is_read_in_every_form_of_its_text() {
    for text in [
        "0123456789abcdeffedcba9876543210",
        "01234567-89AB-CDEF-FEDC-BA9876543210",
        "{01234567-89ab-cdef-fedc-ba9876543210}",
        "urn:uuid:01234567-89ab-cdef-fedc-ba9876543210",
    ] {
        let mut proto = message::<NodeMapper>(&node());
        proto.id = text.to_owned();
        let entity = NodeMapper::from_proto(proto).unwrap();
        assert_eq!(entity, node());
        assert_eq!(message::<NodeMapper>(&entity).id, TEXT);
    }
}

#[test]
fn what_is_no_uuid_is_refused_wherever_it_is() {
    let proto = uuids::Node {
        id: String::new(),
        key: vec![0; 15],
        parent: Some(String::new()),
        old_key: Some(Vec::new()),
        children: vec![TEXT.to_owned(), "secret-value".to_owned()],
        locks: vec![vec![0; 17]],
        links: [("a\n".to_owned(), "x".to_owned())].into(),
        keys: [(-3, Vec::new())].into(),
        owner: Some(uuids::node::Owner::Person("p".to_owned())),
    };
    let error = refused::<NodeMapper>(
        proto,
        &[
            ("id", Malformed),
            ("key", Malformed),
            ("parent", Malformed),
            ("old_key", Malformed),
            ("children[1]", Malformed),
            ("locks[0]", Malformed),
            (r#"links["a\n"]"#, Malformed),
            ("keys[-3]", Malformed),
            ("person", Malformed),
        ],
    );
    let violations = error.violations();
    assert_eq!(violations[0].description(), "is not a UUID");
    assert_eq!(violations[1].description(), "must be 16 bytes long");
    assert!(!error.to_string().contains("secret-value"));
    assert!(error.source().is_some());
}

#[test]
fn a_uuid_stands_in_a_shared_buffer_too() {
    use uuid_buffers::api::{Node, NodeMapper};
    let entity = Node {
        key: ID,
        old_key: Some(Uuid::nil()),
        locks: vec![ID],
    };
    let proto: uuid_buffers::Node = survives::<NodeMapper>(&entity);
    let locks: Vec<Bytes> = proto.locks;
    assert_eq!(locks, [Bytes::copy_from_slice(ID.as_bytes())]);
    let proto = uuid_buffers::Node {
        key: Bytes::new(),
        old_key: Some(Bytes::from_static(b"short")),
        locks: vec![Bytes::copy_from_slice(ID.as_bytes()), Bytes::new()],
    };
    refused::<NodeMapper>(
        proto,
        &[
            ("key", Malformed),
            ("old_key", Malformed),
            ("locks[1]", Malformed),
        ],
    );
}

#[test]
fn bytes_are_buffers_and_arrays() {
    use bytes_fields::api::{Blob, BlobMapper};
    let entity = Blob {
        content: vec![0, 255],
        preview: Bytes::from_static(b"preview"),
        hash: [7; 32],
        signer: Some([0; 4]),
        pieces: vec![[1, 2], [3, 4]],
        pages: vec![Bytes::new(), Bytes::from_static(b"page")],
        colors: [("red".to_owned(), [255, 0, 0])].into(),
    };
    let proto = survives::<BlobMapper>(&entity);
    assert_eq!(proto.preview, b"preview");
    assert_eq!(proto.hash, [7; 32]);
    assert_eq!(proto.signer.unwrap(), [0; 4]);
    assert_eq!(proto.pages, [&b""[..], &b"page"[..]]);
    assert_eq!(proto.colors["red"], [255, 0, 0]);
}

#[test]
fn bytes_of_another_length_are_refused() {
    use bytes_fields::api::BlobMapper;
    let proto = bytes_fields::Blob {
        content: Vec::new(),
        preview: Vec::new(),
        hash: Vec::new(),
        signer: Some(vec![0; 5]),
        pieces: vec![vec![0; 2], vec![0; 1]],
        pages: vec![Vec::new()],
        colors: [("red".to_owned(), vec![0; 4])].into(),
    };
    let error = refused::<BlobMapper>(
        proto,
        &[
            ("hash", Malformed),
            ("signer", Malformed),
            ("pieces[1]", Malformed),
            (r#"colors["red"]"#, Malformed),
        ],
    );
    let hash = error.violations()[0].to_string();
    assert_eq!(hash, "hash must be 32 bytes long");
}

#[test]
fn a_buffer_is_moved_and_not_copied() {
    use bytes_fields::api::{Blob, BlobMapper};
    let content = vec![1_u8; 100];
    let preview = vec![2_u8; 100];
    let (content_at, preview_at) = (content.as_ptr(), preview.as_ptr());
    let proto = bytes_fields::Blob {
        content,
        preview,
        hash: vec![0; 32],
        ..bytes_fields::Blob::default()
    };
    let entity: Blob = BlobMapper::from_proto(proto).unwrap();
    assert_eq!(entity.content.as_ptr(), content_at);
    assert_eq!(entity.preview.as_ptr(), preview_at);
    let proto = bytes_fields::Blob::from(entity);
    assert_eq!(proto.content.as_ptr(), content_at);
    assert_eq!(proto.preview.as_ptr(), preview_at);
}

#[test]
fn a_field_that_is_a_buffer_is_the_entitys_too() {
    use buffers::api::{Blob, BlobEnd, BlobMapper};
    let shared = Bytes::from(vec![1_u8; 100]);
    let entity = Blob {
        content: shared.clone(),
        preview: shared.clone(),
        hash: [1, 2, 3, 4],
        pages: vec![shared.clone()],
        colors: [("red".to_owned(), [255, 0, 0])].into(),
        end: Some(BlobEnd::Mark(shared.clone())),
        note: Some(Vec::new()),
    };
    let proto = survives::<BlobMapper>(&entity);
    assert_eq!(proto.hash, Bytes::from_static(&[1, 2, 3, 4]));
    assert_eq!(proto.colors["red"], Bytes::from_static(&[255, 0, 0]));
    // A buffer that stays is shared, not copied.
    assert_eq!(proto.pages[0].as_ptr(), shared.as_ptr());
    refused::<BlobMapper>(buffers::Blob::default(), &[("hash", Malformed)]);
}

#[test]
fn one_field_alone_can_be_a_buffer() {
    use buffers::api::{Page, PageMapper};
    let page = Page {
        content: Bytes::from_static(b"content"),
        signature: vec![1],
        colors: [("red".to_owned(), vec![255])].into(),
    };
    survives::<PageMapper>(&page);
    assert_eq!(PageMapper::GRADE, Grade::Iso);
}
